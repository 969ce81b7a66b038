"""The trading days of the New York Stock Exchange (XNYS), half days and holidays included, from exchange_calendars.

Eastern time lives here, at the edge: inside, everything is UTC epoch milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

EASTERN = ZoneInfo("America/New_York")

WINDOW_DAYS = 7
"""Days read on each side of the day asked for: a whole calendar takes half a second to build, two weeks a tenth."""


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
    from exchange_calendars.exchange_calendar_xnys import XNYSExchangeCalendar  # takes a second: only when needed

    wanted = date.fromisoformat(day)
    window = timedelta(days=WINDOW_DAYS)
    calendar = XNYSExchangeCalendar(start=(wanted - window).isoformat(), end=(wanted + window).isoformat())
    if not calendar.is_session(day):
        return None
    return TradingHours(
        date=day,
        open_ms=_epoch_ms(calendar.session_open(day).to_pydatetime()),
        close_ms=_epoch_ms(calendar.session_close(day).to_pydatetime()),
        previous_close_ms=_epoch_ms(calendar.session_close(calendar.previous_session(day)).to_pydatetime()),
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


def _epoch_ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
