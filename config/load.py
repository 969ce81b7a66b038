"""Reading the settings, once: command line, then environment, then `.env`, then trading.yaml, then defaults."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from config.fields import ROOT, absolute
from config.problems import Problem, SettingsError
from config.settings import PREFIX, Settings
from config.sources import ENVIRONMENT_ONLY, SECRETS, from_env_file, from_variables, from_yaml_file, unknown_names

ENVIRONMENT = "environment"
COMMAND_LINE = "command line"


def load_settings(
    overrides: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] | None = None,
    env_file: Path = ROOT / ".env",
) -> Settings:
    """The settings of this process; `overrides` (by setting name) win over everything.

    Raises `SettingsError` with every problem found: unknown names, impossible values, contradictions.
    """
    return load_with_origins(overrides, environment, env_file)[0]


def load_with_origins(
    overrides: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] | None = None,
    env_file: Path = ROOT / ".env",
) -> tuple[Settings, dict[str, str]]:
    """The settings, and where each that is not a default came from. Raises `SettingsError`."""
    variables = from_variables(os.environ if environment is None else environment, PREFIX)
    dotenv = from_env_file(env_file, PREFIX)
    file = absolute(Path(variables.get("trading_file") or dotenv.get("trading_file") or "config/trading.yaml"))
    table = from_yaml_file(file)
    layers: list[tuple[str, Mapping[str, Any]]] = [
        (COMMAND_LINE, overrides or {}),
        (ENVIRONMENT, variables),
        (env_file.name, dotenv),
        (file.name, table),
    ]
    problems = _misplaced(layers)
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for origin, layer in reversed(layers):
        known = {name: value for name, value in layer.items() if name in Settings.model_fields}
        values |= known
        origins |= dict.fromkeys(known, origin)
    values |= {name: _from_json(values[name]) for name in ("table", "pairs") if name in values}
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        problems += _problems(error, values, origins)
    else:
        if not problems:
            return settings, origins
    raise SettingsError(problems)


def _misplaced(layers: list[tuple[str, Mapping[str, Any]]]) -> list[Problem]:
    known = Settings.model_fields.keys()
    problems: list[Problem] = []
    for origin, layer in layers:
        in_environment = origin not in (COMMAND_LINE, layers[-1][0])
        problems += unknown_names(layer, known, PREFIX if in_environment else "", origin)
    file, table = layers[-1]
    for name in sorted(ENVIRONMENT_ONLY & table.keys()):
        allowed = f"only in the environment or .env, as {PREFIX}{name.upper()}"
        problems.append(Problem(name, "(hidden)" if name in SECRETS else str(table[name]), allowed, file))
    return problems


def _from_json(value: Any) -> Any:
    """The table and the pairs are JSON when they come as text."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value, object_pairs_hook=_once)
    except ValueError:
        return value  # refused by its type, with the field's name


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse repeated names, of which JSON silently keeps the last."""
    made = dict(pairs)
    if len(made) < len(pairs):
        raise ValueError("a name is repeated")
    return made


def _problems(error: ValidationError, values: Mapping[str, Any], origins: Mapping[str, str]) -> list[Problem]:
    problems: dict[Problem, None] = {}
    for details in error.errors():
        for location, allowed in _findings(details):
            origin = origins.get(location[0], "default")
            problems[Problem(_name(location, origin), _shown(location, values), allowed, origin)] = None
    return list(problems)


def _findings(details: ErrorDetails) -> list[tuple[tuple[str, ...], str]]:
    """Where in the settings, and what is allowed there."""
    location = tuple(str(part) for part in details["loc"])
    if details["type"] == "contradiction":
        return [((*location, name), allowed) for name, allowed in details["ctx"]["problems"]]
    text = details["msg"].removeprefix("Value error, ").replace("Input should be", "must be")
    description = Settings.model_fields[location[0]].description
    return [(location, f"{text} ({description})" if description else text)]


def _name(location: tuple[str, ...], origin: str) -> str:
    is_row = location[0] in ("table", "pairs") and len(location) > 1
    in_environment = not is_row and origin in (ENVIRONMENT, ".env", "default")
    return PREFIX + location[0].upper() if in_environment else ".".join(location)


def _shown(location: tuple[str, ...], values: Mapping[str, Any]) -> str:
    if location[0] in SECRETS:
        return "(hidden)"
    value: Any = values.get(location[0], Settings.model_fields[location[0]].default)
    for part in location[1:]:
        if isinstance(value, Mapping) and part in value:
            value = value[part]
        elif isinstance(value, list | tuple) and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
    if location[0] == "prediction_url" and not {"@", "?"}.isdisjoint(str(value)):
        return "(hidden)"  # refused for what may be a password
    return str(value)
