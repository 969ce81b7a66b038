"""What a finished step leaves in Prefect for people: one table a run."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, Protocol

from prefect.artifacts import acreate_table_artifact


class Report(Protocol):
    """What every step returns: a frozen dataclass with these two among its plain fields."""

    @property
    def summary(self) -> str:
        """One or two sentences for people."""

    @property
    def ok(self) -> bool:
        """Whether the step did all that it should."""


async def show(step: str, date: str, report: Report) -> None:
    """Store the report as a table under the step's name, so that the UI shows its history day by day."""
    await acreate_table_artifact(
        table=rows(report), key=step.replace("_", "-"), description=f"**{date}** {report.summary}"
    )


def rows(report: Report) -> list[list[Any]]:
    """The report's fields as lines of a table; empty ones and the summary are left out."""
    shown: list[list[Any]] = [["", "value"]]
    for field in fields(report):  # type: ignore[arg-type]  # a Protocol cannot say "dataclass"
        value = getattr(report, field.name)
        if field.name != "summary" and value not in (None, (), ""):
            shown.append([field.name.replace("_", " "), as_text(value)])
    return shown


def as_text(value: object) -> str:
    """A value as a cell: the parts of a tuple side by side, yes and no for truth."""
    if isinstance(value, tuple):
        return ", ".join(map(as_text, value))
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
