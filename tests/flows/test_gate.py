"""The gate: holidays, half days, lateness, and the two times at which the account is closed."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from flows.gate import Standing, Window, judge

DAY, HALF_DAY, HOLIDAY = "2024-11-27", "2024-11-29", "2024-11-28"


def eastern(day: str, time_of_day: str) -> int:
    """UTC epoch ms of an Eastern time."""
    moment = datetime.fromisoformat(f"{day}T{time_of_day}").replace(tzinfo=ZoneInfo("America/New_York"))
    return int(moment.timestamp() * 1000)


def standing(window: Window, day: str, now: str, scheduled: str | None = None, on: str | None = None) -> Standing:
    """The gate's answer for `day` at the Eastern time `now` of the day `on` (default: the same)."""
    scheduled_ms = None if scheduled is None else eastern(day, scheduled)
    return judge(window, day, eastern(on or day, now), scheduled_ms).standing


@pytest.mark.parametrize("window", Window)
def test_case_40_a_holiday_is_market_closed_for_every_phase(window: Window) -> None:
    assert standing(window, HOLIDAY, "10:00") is Standing.MARKET_CLOSED


@pytest.mark.parametrize("window", Window)
def test_case_42_a_day_that_has_passed_is_too_late_for_every_phase(window: Window) -> None:
    assert standing(window, DAY, "09:00", on=HALF_DAY) is Standing.TOO_LATE


@pytest.mark.parametrize("window", Window)
def test_a_day_to_come_is_not_due(window: Window) -> None:
    assert standing(window, HALF_DAY, "09:00", on=DAY) is Standing.NOT_DUE


def test_case_42_a_session_may_begin_late_but_not_after_the_close() -> None:
    assert standing(Window.SESSION, DAY, "11:30", scheduled="09:29") is Standing.DUE
    assert standing(Window.SESSION, DAY, "15:59") is Standing.DUE
    assert standing(Window.SESSION, DAY, "16:00") is Standing.TOO_LATE
    assert standing(Window.SESSION, HALF_DAY, "13:00") is Standing.TOO_LATE


def test_a_session_does_not_begin_in_the_night() -> None:
    assert standing(Window.SESSION, DAY, "07:29") is Standing.NOT_DUE
    assert standing(Window.SESSION, DAY, "07:30") is Standing.DUE


def test_case_40_of_the_two_scheduled_closures_the_calendar_picks_one() -> None:
    assert standing(Window.CLOSURE, DAY, "12:31", scheduled="12:31") is Standing.NOT_DUE
    assert standing(Window.CLOSURE, DAY, "15:31", scheduled="15:31") is Standing.DUE
    assert standing(Window.CLOSURE, HALF_DAY, "12:31", scheduled="12:31") is Standing.DUE
    assert standing(Window.CLOSURE, HALF_DAY, "15:31", scheduled="15:31") is Standing.MARKET_CLOSED


def test_a_scheduled_closure_that_starts_late_still_closes_until_the_close() -> None:
    assert standing(Window.CLOSURE, DAY, "15:59", scheduled="15:31") is Standing.DUE
    assert standing(Window.CLOSURE, DAY, "16:00", scheduled="15:31") is Standing.TOO_LATE


def test_the_early_closure_of_an_ordinary_day_stays_undue_however_late_it_starts() -> None:
    assert standing(Window.CLOSURE, DAY, "15:45", scheduled="12:31") is Standing.NOT_DUE


def test_what_a_person_asks_to_close_is_due_at_once() -> None:
    assert standing(Window.CLOSURE, DAY, "10:00") is Standing.DUE


def test_reconciliation_is_due_until_midnight() -> None:
    assert standing(Window.DAY, DAY, "23:59") is Standing.DUE


def test_a_simulation_is_judged_by_the_calendar_alone() -> None:
    assert judge(Window.SESSION, "2013-10-07", None, None).standing is Standing.DUE
    assert judge(Window.SESSION, "2013-10-06", None, None).standing is Standing.MARKET_CLOSED


def test_a_simulation_started_by_a_schedule_is_judged_by_its_scheduled_time() -> None:
    assert judge(Window.CLOSURE, DAY, None, eastern(DAY, "12:31")).standing is Standing.NOT_DUE
    assert judge(Window.CLOSURE, DAY, None, eastern(DAY, "15:31")).standing is Standing.DUE


def test_a_refusal_gives_its_reason_with_the_times() -> None:
    assert "15:31" in judge(Window.CLOSURE, DAY, eastern(DAY, "12:31"), eastern(DAY, "12:31")).reason
