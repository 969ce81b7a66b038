"""The trading days of the New York Stock Exchange (XNYS), half days and holidays included.

Eastern time lives here, at the edge: inside, everything is UTC epoch milliseconds.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache, lru_cache
from typing import Any

from runtime.calendar_source import CLOSE, EARLY_CLOSE, EASTERN, OPEN, TABLE, session_closes


@dataclass(frozen=True, slots=True)
class TradingHours:
    """One trading day: its Eastern date (YYYY-MM-DD) and its regular hours (UTC epoch ms)."""

    date: str
    open_ms: int
    close_ms: int
    previous_close_ms: int  # of the trading day before


@lru_cache(maxsize=64)
def trading_day(day: str) -> TradingHours | None:
    """The regular hours of an Eastern date (YYYY-MM-DD); None when the exchange is closed all day.

    Raises ValueError for a text that is no date.
    """
    wanted = date.fromisoformat(day)
    close = _close(wanted)
    if close is None:
        return None
    before = wanted - timedelta(days=1)
    while (close_before := _close(before)) is None:
        before -= timedelta(days=1)
    return TradingHours(
        date=day,
        open_ms=_epoch_ms(wanted, OPEN),
        close_ms=_epoch_ms(wanted, close),
        previous_close_ms=_epoch_ms(before, close_before),
    )


def eastern_date(at_ms: int) -> str:
    """The Eastern date (YYYY-MM-DD) of a moment given as UTC epoch ms."""
    return datetime.fromtimestamp(at_ms / 1000, EASTERN).date().isoformat()


def eastern_clock(at_ms: int) -> str:
    """The Eastern time of day of a moment (UTC epoch ms), as people read it: 15:30."""
    return f"{datetime.fromtimestamp(at_ms / 1000, EASTERN):%H:%M}"


def latest_trading_day(at_ms: int) -> str:
    """The newest Eastern date that is a trading day and not after the moment (UTC epoch ms)."""
    day = date.fromisoformat(eastern_date(at_ms))
    while trading_day(day.isoformat()) is None:
        day -= timedelta(days=1)
    return day.isoformat()


def _close(day: date) -> time | None:
    """When the exchange closes, by the clock in New York; None on a day without trading."""
    known, text = _table(), day.isoformat()
    if not known["first"] <= text <= known["last"]:
        return session_closes(day).get(day)
    if day.weekday() >= 5 or text in known["closed"]:
        return None
    return EARLY_CLOSE if text in known["early"] else CLOSE


@cache
def _table() -> dict[str, Any]:
    return dict(json.loads(TABLE.read_text(encoding="utf-8")))


def _epoch_ms(day: date, clock: time) -> int:
    return int(datetime.combine(day, clock, EASTERN).timestamp() * 1000)
