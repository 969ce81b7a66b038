"""The law of alerts: every outage that matters is told, and that it is over; so is every death of a process."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

from tests.chaos.life import Life


class Asked(Protocol):
    """Where the alerts stand: the database of the day."""

    def query(self, sql: str) -> list[Any]:
        """All rows of a query."""


TOLD_AFTER_MS = 12_000
"""A link is told to be lost after 10 s; the witness looks once a second, and a session hears of the end in between."""

TOLD_LATEST_MS = 5_000
BEGUN, OVER = "The session's process died", "over: process"


def outages(seen: Sequence[dict[str, Any]]) -> Iterator[tuple[int, int]]:
    """From when to when the session was cut off from the exchange, as the exchange saw it (UTC epoch ms)."""
    begun = None
    for fact in seen:
        if fact["what"] == "cut_off":
            begun = fact["at_ms"]
        elif fact["what"] == "connected" and begun is not None:
            yield begun, fact["at_ms"]
            begun = None


def untold_outages(
    seen: Sequence[dict[str, Any]], lives: Sequence[Life], rows: Asked, forgotten: range = range(0)
) -> Iterator[str]:
    """Outages that a living session did not tell, or whose end it did not.

    `forgotten` are the moments whose alerts were lost with the journal: whether one was told then nobody knows.
    """
    told = [
        (_ms(raised), None if cleared is None else _ms(cleared))
        for raised, cleared in rows.query(
            "SELECT raised_at, cleared_at FROM alerts WHERE key = 'link' ORDER BY raised_at"
        )
    ]
    yield from (f"the outage told at {raised} was never told to be over" for raised, cleared in told if cleared is None)
    for begin_ms, end_ms in outages(seen):
        if end_ms - begin_ms < TOLD_AFTER_MS or not any(life.spans(begin_ms, end_ms) for life in lives):
            continue
        latest_ms = end_ms + TOLD_LATEST_MS  # a farm that was down before may have been told already
        if begin_ms < forgotten.stop and latest_ms >= forgotten.start:
            continue
        if not any(raised <= latest_ms and (cleared is None or cleared >= begin_ms) for raised, cleared in told):
            yield f"the outage from {begin_ms} to {end_ms} was never told"


def untold_deaths(lives: Sequence[Life], folder: Path) -> Iterator[str]:
    """Killed processes whose successor did not say so, nor that the session goes on."""
    waiting = False
    for number, life in enumerate(lives, 1):
        log = (folder / f"session-{number}.log").read_text(errors="replace")
        if waiting and BEGUN not in log and life.reconciled_ms:
            yield f"life {number} does not say that the one before it was killed"
        waiting = waiting and OVER not in log
        if waiting and life.reconciled_ms and not life.was_killed:
            yield f"life {number} does not say that the session goes on"
        waiting = waiting or (life.was_killed and _is_known(life))


def _is_known(life: Life) -> bool:
    """Whether it left an open journal: not one that was only stopped, nor one whose session had ended."""
    in_session = life.kill is not None and not life.kill.sleeps and life.kill.point != "comparing"
    return in_session and bool(life.reconciled_ms)


def _ms(moment: datetime.datetime) -> int:
    return round(moment.timestamp() * 1000)
