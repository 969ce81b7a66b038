"""The trading days and hours of the New York Stock Exchange, from its published rules.

Computed rather than looked up, so that the simulator starts at once and depends on no table of years; a test holds it
against `exchange_calendars` from 2008 on.  Seconds are counted after 00:00 New York wall time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from simulator.clock import eastern_ms

EXTENDED_OPEN = 4 * 3600
EXTENDED_CLOSE = 20 * 3600
REGULAR_OPEN = 9 * 3600 + 1800
REGULAR_CLOSE = 16 * 3600
EARLY_CLOSE = 13 * 3600
EARLY_EXTENDED_CLOSE = 17 * 3600

_ONE_DAY = timedelta(days=1)
# Days closed by decree: hurricane Sandy, days of mourning.
_CLOSED_ONCE = frozenset({date(2012, 10, 29), date(2012, 10, 30), date(2018, 12, 5), date(2025, 1, 9)})


@dataclass(frozen=True, slots=True)
class Session:
    """One trading day: seconds after midnight at which extended and regular hours open and close."""

    day: date
    regular_close: int = REGULAR_CLOSE
    extended_close: int = EXTENDED_CLOSE
    regular_open: int = REGULAR_OPEN
    extended_open: int = EXTENDED_OPEN

    def at_ms(self, seconds: int) -> int:
        """Epoch ms of a wall time of this day."""
        return eastern_ms(self.day, seconds)


@lru_cache(maxsize=8192)
def session(day: date) -> Session | None:
    """The session of a date, None when the exchange is closed."""
    if day.weekday() >= 5 or day in _CLOSED_ONCE or day in _holidays(day.year):
        return None
    if _is_half_day(day):
        return Session(day, EARLY_CLOSE, EARLY_EXTENDED_CLOSE)
    return Session(day)


def sessions_before(day: date) -> Iterator[Session]:
    """The sessions before a date, latest first, without end."""
    while True:
        day -= _ONE_DAY
        found = session(day)
        if found is not None:
            yield found


def next_session(day: date) -> Session:
    """The first session after a date."""
    while True:
        day += _ONE_DAY
        found = session(day)
        if found is not None:
            return found


@lru_cache(maxsize=256)
def _holidays(year: int) -> frozenset[date]:
    days = {
        _weekday_of_month(year, 1, 0, 3),  # Martin Luther King
        _weekday_of_month(year, 2, 0, 3),  # Presidents
        _easter(year) - 2 * _ONE_DAY,  # Good Friday
        _weekday_of_month(year, 6, 0, 1) - 7 * _ONE_DAY,  # Memorial: the last Monday of May
        _observed(date(year, 7, 4)),
        _weekday_of_month(year, 9, 0, 1),  # Labor
        _weekday_of_month(year, 11, 3, 4),  # Thanksgiving
        _observed(date(year, 12, 25)),
    }
    if date(year, 1, 1).weekday() != 5:  # a New Year's Day on a Saturday is not made up for
        days.add(_observed(date(year, 1, 1)))
    if year >= 2022:
        days.add(_observed(date(year, 6, 19)))
    return frozenset(days)


def _is_half_day(day: date) -> bool:
    """The day after Thanksgiving; Christmas Eve; 3 July (before 2013 not on a Wednesday)."""
    if day == _weekday_of_month(day.year, 11, 3, 4) + _ONE_DAY:
        return True
    if (day.month, day.day) == (12, 24):
        return day.weekday() < 4
    if (day.month, day.day) == (7, 3):
        return day.weekday() < 4 if day.year >= 2013 else day.weekday() in (0, 1, 3)
    return False


def _observed(day: date) -> date:
    return day - _ONE_DAY if day.weekday() == 5 else day + _ONE_DAY if day.weekday() == 6 else day


def _weekday_of_month(year: int, month: int, weekday: int, nth: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (nth - 1))


def _easter(year: int) -> date:
    """Gregorian Easter Sunday, the anonymous (Meeus/Jones/Butcher) algorithm."""
    golden = year % 19
    century, rest = divmod(year, 100)
    leap, skipped = divmod(century, 4)
    moon = (19 * golden + century - leap - (century - (century + 8) // 25 + 1) // 3 + 15) % 30
    week = (32 + 2 * skipped + 2 * (rest // 4) - moon - rest % 4) % 7
    shift = (golden + 11 * moon + 22 * week) // 451
    month, day = divmod(moon + week - 7 * shift + 114, 31)
    return date(year, month, day + 1)
