"""Where settings come from: the environment, `.env`, trading.yaml; and names that nobody reads."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml
from dotenv import dotenv_values

from config.problems import Problem, SettingsError

SECRETS = frozenset({"prediction_api_key", "database_url", "alert_urls"})
ENVIRONMENT_ONLY = SECRETS | frozenset("mode live live_without_probe account ib_host ib_port trading_file".split())
"""Not to be set in trading.yaml, which people commit and share."""


class _PlainLoader(yaml.SafeLoader):
    """YAML in which only true and false are truth values (`off` and the ticker ON stay words) and no key repeats."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        """Refuse repeated keys, of which YAML silently keeps the last."""
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        repeated = sorted({str(key) for key in keys if keys.count(key) > 1})
        if repeated:
            raise yaml.constructor.ConstructorError(None, None, f"repeated: {', '.join(repeated)}", node.start_mark)
        return super().construct_mapping(node, deep)


_PlainLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool" or first in "tTfF"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def from_variables(variables: Mapping[str, str | None], prefix: str) -> dict[str, str]:
    """The variables with our prefix, by setting name."""
    return {
        name[len(prefix) :].lower(): value
        for name, value in variables.items()
        if name.upper().startswith(prefix) and value is not None
    }


def from_env_file(path: Path, prefix: str) -> dict[str, str]:
    """The settings in a `.env` file; none when there is no such file."""
    return from_variables(dotenv_values(path, interpolate=False), prefix) if path.is_file() else {}


def from_yaml_file(path: Path) -> dict[str, Any]:
    """The settings in trading.yaml. Raises `SettingsError` when it is missing or not a mapping of names."""
    if not path.is_file():
        raise SettingsError([Problem("TRADER_TRADING_FILE", str(path), "an existing YAML file", "settings")])
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=_PlainLoader) or {}
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
    """The value stays hidden when the name may be a secret's, misspelt."""
    hint = "`trader config` lists them"
    if near:
        hint = f"did you mean {' or '.join(_spelled(known, prefix) for known in near)}?"
    is_secret = not SECRETS.isdisjoint(near) or re.search("key|pass|secret|token", name)
    shown = "(hidden)" if is_secret else str(value)
    return Problem(_spelled(name, prefix), shown, f"there is no such setting; {hint}", origin)


def _spelled(name: str, prefix: str) -> str:
    return prefix + name.upper() if prefix else name
