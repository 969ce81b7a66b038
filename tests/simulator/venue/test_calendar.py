"""The simulator's own calendar against the one of the exchange_calendars package."""

from __future__ import annotations

from datetime import date, timedelta

import exchange_calendars
import pytest

from simulator.clock import eastern_ms
from simulator.market.calendar import EARLY_CLOSE, REGULAR_CLOSE, next_session, session, sessions_before
from simulator.market.hours import TradingHours


@pytest.mark.filterwarnings("ignore:Series.values:DeprecationWarning")  # exchange_calendars 4.13 beside pandas 3.1
def test_every_day_since_2008_agrees() -> None:
    calendar = exchange_calendars.get_calendar("XNYS", start="2008-01-01")
    open_days = {stamp.date() for stamp in calendar.schedule.index}
    half_days = {stamp.date() for stamp in calendar.early_closes}
    day, last = date(2008, 1, 2), max(open_days)
    wrong = []
    while day <= last:
        found = session(day)
        close = found.regular_close if found is not None else None
        expected = None if day not in open_days else EARLY_CLOSE if day in half_days else REGULAR_CLOSE
        if close != expected:
            wrong.append((day, close, expected))
        day += timedelta(days=1)
    assert wrong == []


def test_sessions_around_thanksgiving() -> None:
    assert next_session(date(2024, 11, 27)).day == date(2024, 11, 29)
    assert next(sessions_before(date(2024, 11, 29))).day == date(2024, 11, 27)
    assert session(date(2024, 11, 28)) is None


def test_wall_times_survive_the_change_of_clocks() -> None:
    winter, summer = eastern_ms(date(2025, 3, 7), 34_200), eastern_ms(date(2025, 3, 10), 34_200)
    assert summer - winter == (3 * 24 - 1) * 3_600_000


def test_hours_follow_the_clock_over_a_holiday() -> None:
    hours = TradingHours(eastern_ms(date(2024, 11, 27), 12 * 3600))
    assert hours.session.day == date(2024, 11, 27)
    hours.move(eastern_ms(date(2024, 11, 27), 20 * 3600))
    assert hours.session.day == date(2024, 11, 29)
    assert hours.regular_close_ms == eastern_ms(date(2024, 11, 29), EARLY_CLOSE)
