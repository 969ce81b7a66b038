"""Why settings were refused, in words that name the setting, its value, where it came from, and what is allowed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pydantic_core import PydanticCustomError


@dataclass(frozen=True, slots=True)
class Problem:
    """One refused setting."""

    name: str  # as the person wrote it: TRADER_IB_PORT, table.CVNA.allocation
    value: str  # as text; `(hidden)` for secrets
    allowed: str
    origin: str

    def __str__(self) -> str:
        return f"{self.name} = {self.value} [{self.origin}] is not allowed: {self.allowed}"


def contradiction(problems: Iterable[tuple[str, str]]) -> PydanticCustomError:
    """The error of a validator that looks at several settings at once: (name, what is allowed) for each."""
    found = tuple(problems)
    return PydanticCustomError("contradiction", "{text}", {"text": str(found), "problems": found})


class SettingsError(Exception):
    """The settings do not allow a start. Holds every problem found, not only the first."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))
