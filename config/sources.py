"""Where settings come from: the environment, `.env`, trading.yaml; and names that nobody reads."""

from __future__ import annotations

import difflib
import io
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml
from dotenv.parser import parse_stream

from config.problems import Problem, SettingsError

SECRETS = frozenset({"prediction_api_key", "database_url", "alert_urls"})
ENVIRONMENT_ONLY = SECRETS | frozenset("mode live live_without_probe account ib_host ib_port trading_file".split())
"""Not to be set in trading.yaml, which people commit and share."""


class _PlainLoader(yaml.SafeLoader):
    """YAML in which only true and false are truth values (`off` and the ticker ON stay words) and no key repeats.

    Whole numbers are decimal: YAML 1.1 reads 010 as eight and 1:30 as ninety.
    """

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        """Refuse repeated keys, of which YAML silently keeps the last."""
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        repeated = sorted({str(key) for key in keys if keys.count(key) > 1})
        if repeated:
            raise yaml.constructor.ConstructorError(None, None, f"repeated: {', '.join(repeated)}", node.start_mark)
        return super().construct_mapping(node, deep)


_INT = "tag:yaml.org,2002:int"
_PlainLoader.yaml_implicit_resolvers = {
    first: [
        (tag, pattern)
        for tag, pattern in resolvers
        if tag != _INT and (tag != "tag:yaml.org,2002:bool" or first in "tTfF")
    ]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_PlainLoader.add_implicit_resolver(_INT, re.compile(r"^[-+]?(0|[1-9][0-9]*)$"), list("-+0123456789"))


def from_variables(variables: Mapping[str, str | None], prefix: str) -> dict[str, str]:
    """The variables with our prefix, by setting name."""
    return {
        name[len(prefix) :].lower(): value
        for name, value in variables.items()
        if name.upper().startswith(prefix) and value is not None
    }


def from_env_file(path: Path, prefix: str) -> dict[str, str]:
    """The settings in a `.env` file; none when there is no such file.

    Raises `SettingsError` for what the usual readers of such files pass over: a line that is none, a name without a
    value, a name that comes twice. The setting would silently be another than the one that was written down.
    """
    if not path.is_file():
        return {}
    found: dict[str, str | None] = {}
    problems = []
    for line in parse_stream(io.StringIO(_read_text(path))):
        name = (line.key or "").upper()
        where = f"{path.name} line {line.original.line}"
        if line.error:
            problems.append(Problem(where, "(hidden)", "NAME=value, a comment after #, quotes in pairs", str(path)))
        elif not name.startswith(prefix):
            continue
        elif line.value is None:
            problems.append(Problem(where, name, f"{name}=value", str(path)))
        elif name in found:
            problems.append(Problem(where, name, "each name once", str(path)))
        found[name] = line.value
    if problems:
        raise SettingsError(problems)
    return from_variables(found, prefix)


def _read_text(path: Path) -> str:
    """The text of a file. Raises `SettingsError` when it is not in UTF-8."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise SettingsError([Problem(path.name, "unreadable", f"text in UTF-8; {error.reason}", str(path))]) from None


def from_yaml_file(path: Path) -> dict[str, Any]:
    """The settings in trading.yaml. Raises `SettingsError` when it is missing or not a mapping of names."""
    if not path.is_file():
        raise SettingsError([Problem("TRADER_TRADING_FILE", str(path), "an existing YAML file", "settings")])
    try:
        content = yaml.load(_read_text(path), Loader=_PlainLoader) or {}
    except yaml.YAMLError as error:
        raise SettingsError([Problem(path.name, "unreadable", f"YAML; {error}", str(path))]) from error
    if not isinstance(content, dict):
        raise SettingsError([Problem(path.name, type(content).__name__, "a mapping of setting names", str(path))])
    return {str(name): value for name, value in content.items()}


def unknown_names(given: Mapping[str, Any], known: Iterable[str], prefix: str, origin: str) -> list[Problem]:
    """Names that no setting has, each with the nearest that there is."""
    names = sorted(known)
    return [
        _unknown(name, value, difflib.get_close_matches(name, names, n=3, cutoff=0.6), prefix, origin)
        for name, value in sorted(given.items())
        if name not in names
    ]


def _unknown(name: str, value: object, near: list[str], prefix: str, origin: str) -> Problem:
    """The value stays hidden where it may be a secret: under a secret's name, misspelt, or as an address."""
    hint = "`trader config` lists them"
    if near:
        hint = f"did you mean {' or '.join(_spelled(known, prefix) for known in near)}?"
    is_secret = not SECRETS.isdisjoint(near) or re.search("key|pass|secret|token", name)
    shown = "(hidden)" if is_secret or "://" in str(value) else str(value)
    return Problem(_spelled(name, prefix), shown, f"there is no such setting; {hint}", origin)


def _spelled(name: str, prefix: str) -> str:
    return prefix + name.upper() if prefix else name
