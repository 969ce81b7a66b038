"""The times of a trading day (SEMANTICS 7)."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from core.errors import InvalidValueError
from core.session_plan import plan_session

EASTERN = ZoneInfo("America/New_York")


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=EASTERN).timestamp() * 1000)


@pytest.mark.parametrize(
    ("date", "close", "closure", "flatten", "timed_exit", "deadline"),
    [
        ("2024-11-27", "16:00", "15:30", "15:31", "15:33", "15:59"),
        ("2024-11-29", "13:00", "12:30", "12:31", "12:33", "12:59"),
    ],
    ids=["a whole day", "case 40: a half day"],
)
def test_the_day_is_planned_from_its_close(
    date: str, close: str, closure: str, flatten: str, timed_exit: str, deadline: str
) -> None:
    plan = plan_session("DU1234567", date, 7, ms(f"{date} 09:30"), ms(f"{date} {close}"))
    assert plan.session == f"DU1234567-{date.replace('-', '')}"
    assert (plan.account, plan.date, plan.client_id) == ("DU1234567", date, 7)
    times = (plan.open_ms, plan.closure_ms, plan.flatten_ms, plan.timed_exit_ms, plan.deadline_ms, plan.close_ms)
    assert times == tuple(ms(f"{date} {time}") for time in ("09:30", closure, flatten, timed_exit, deadline, close))


@pytest.mark.parametrize("account", ["", "DU1/2"])
def test_an_account_that_would_break_order_references_is_refused(account: str) -> None:
    with pytest.raises(InvalidValueError, match="account"):
        plan_session(account, "2024-11-27", 7, 0, 6 * 3_600_000)


@pytest.mark.parametrize("close_ms", [0, 30 * 60_000])
def test_a_day_too_short_to_trade_is_refused(close_ms: int) -> None:
    with pytest.raises(InvalidValueError, match="over 30 minutes after the open at 0"):
        plan_session("DU1", "2024-11-27", 7, 0, close_ms)


def test_an_earlier_closure_moves_what_acts_after_it() -> None:
    plan = plan_session("DU1", "2024-11-27", 7, ms("2024-11-27 09:30"), ms("2024-11-27 16:00"), closure_minutes=60)
    times = (plan.closure_ms, plan.flatten_ms, plan.timed_exit_ms, plan.deadline_ms)
    assert times == tuple(ms(f"2024-11-27 {time}") for time in ("15:00", "15:01", "15:03", "15:59"))
