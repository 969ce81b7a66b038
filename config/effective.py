"""The settings as a person reads them: value, where it came from, meaning. Secrets say only whether they are set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from config.settings import Settings, as_text
from config.sources import SECRETS


@dataclass(frozen=True, slots=True)
class Effective:
    """One setting in force."""

    name: str
    value: str
    origin: str  # default, the name of a file, environment, command line
    meaning: str


def effective(settings: Settings, origins: Mapping[str, str]) -> list[Effective]:
    """Every setting, in the order of config/sections.py read from the broker to the limits."""
    return [
        Effective(name, _shown(settings, name), origins.get(name, "default"), field.description or "")
        for name, field in type(settings).model_fields.items()
    ]


def _shown(settings: Settings, name: str) -> str:
    value = getattr(settings, name)
    if name in SECRETS:
        return "(set)" if value else "(not set)"
    if name == "table":
        return f"{len(value)} rows"
    if name == "pairs":
        return ", ".join(f"{pair.first}/{pair.second} {pair.correlation:+d}" for pair in value)
    return as_text(name, value)
