"""The exchange's hours: half days, holidays, and both changes of the clock."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from runtime import calendar_source
from runtime.calendar import eastern_clock, eastern_date, latest_trading_day, trading_day


def at(text: str) -> int:
    """UTC epoch ms of an ISO time."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("day", "opens", "closes"),
    [
        ("2013-10-07", "2013-10-07T13:30", "2013-10-07T20:00"),
        ("2024-11-29", "2024-11-29T14:30", "2024-11-29T18:00"),  # the day after Thanksgiving: 13:00 Eastern
        ("2026-03-06", "2026-03-06T14:30", "2026-03-06T21:00"),  # before the change of the clock ...
        ("2026-03-09", "2026-03-09T13:30", "2026-03-09T20:00"),  # ... and after
        ("2026-10-30", "2026-10-30T13:30", "2026-10-30T20:00"),
        ("2026-11-02", "2026-11-02T14:30", "2026-11-02T21:00"),
    ],
)
def test_hours_follow_the_calendar_and_daylight_saving(day: str, opens: str, closes: str) -> None:
    hours = trading_day(day)
    assert hours is not None
    assert (hours.open_ms, hours.close_ms) == (at(opens), at(closes))


def test_the_table_is_what_the_package_knows() -> None:
    written = json.loads(calendar_source.TABLE.read_text())
    assert written == calendar_source.table(), "write it anew: .venv/bin/python -m runtime.calendar_source"


def test_days_outside_of_the_table_come_from_the_package() -> None:
    early, late = trading_day("2004-11-26"), trading_day("2036-11-26")
    assert early is not None
    assert early.close_ms == at("2004-11-26T18:00")
    assert early.previous_close_ms == at("2004-11-24T21:00")
    assert late is not None
    assert late.close_ms == at("2036-11-26T21:00")
    assert trading_day("2036-11-27") is None


@pytest.mark.parametrize("day", ["2024-11-28", "2025-01-09", "2026-07-03", "2026-11-21"])
def test_holidays_mourning_and_weekends_have_no_hours(day: str) -> None:
    assert trading_day(day) is None


def test_a_text_that_is_no_date_is_refused() -> None:
    with pytest.raises(ValueError, match="month"):
        trading_day("2026-13-01")


def test_the_eastern_date_changes_at_eastern_midnight() -> None:
    assert eastern_date(at("2026-11-20T04:59")) == "2026-11-19"
    assert eastern_date(at("2026-11-20T05:00")) == "2026-11-20"
    assert eastern_clock(at("2026-11-20T20:31")) == "15:31"


def test_the_latest_trading_day_passes_over_holidays_and_weekends() -> None:
    assert latest_trading_day(at("2024-12-01T15:00")) == "2024-11-29"
    assert latest_trading_day(at("2024-11-28T15:00")) == "2024-11-27"
    assert latest_trading_day(at("2026-11-20T15:00")) == "2026-11-20"
