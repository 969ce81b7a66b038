"""The flows in this process, against the real server: gate, names of states, refusals, one session at a time."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from prefect import Flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterName
from prefect.client.schemas.objects import State

from config import Settings
from db.journal import Journal
from db.lock import LockState, SessionLock
from flows import conduct
from flows.backup import backup
from flows.flatten import FlattenScope, check_request, flatten
from flows.intraday import intraday
from flows.reconcile import reconcile
from flows.startup import startup
from flows.trading_day import trading_day
from flows.warm_up import warm_up
from runtime import postgres_side
from runtime.calendar import eastern_date
from runtime.planning import plan_for, session_folder

DayFlow = Flow[..., Coroutine[Any, Any, State[Any]]]

ALL = (startup, warm_up, intraday, flatten, reconcile, backup, trading_day)
HOLIDAY = datetime.date(2024, 11, 28)
PAST = datetime.date(2024, 11, 27)


async def end_of(flow: DayFlow, date: datetime.date, **parameters: Any) -> State[Any]:
    """Run a flow; the state in which it ends."""
    return await flow(date=date, return_state=True, **parameters)


@pytest.mark.parametrize("flow", ALL, ids=lambda flow: flow.name)
async def test_case_40_on_a_holiday_every_flow_ends_as_market_closed(own_settings: Settings, flow: DayFlow) -> None:
    state = await end_of(flow, HOLIDAY)
    assert (state.name, state.is_completed()) == ("MarketClosed", True)
    assert "2024-11-28" in (state.message or "")


@pytest.mark.parametrize("flow", ALL, ids=lambda flow: flow.name)
async def test_case_42_for_a_day_that_has_passed_every_flow_ends_as_too_late(
    own_settings: Settings, flow: DayFlow
) -> None:
    state = await end_of(flow, PAST)
    assert (state.name, state.is_completed()) == ("TooLate", True)


async def test_a_run_bears_its_flow_and_its_day(own_settings: Settings) -> None:
    await end_of(startup, PAST)
    async with get_client() as client:
        runs = await client.read_flow_runs(
            flow_run_filter=FlowRunFilter(name=FlowRunFilterName(any_=["startup 2024-11-27"]))
        )
    assert runs


@pytest.fixture
def noon(monkeypatch: pytest.MonkeyPatch) -> Callable[[datetime.date], None]:
    """Sets the machine's clock, as the gate reads it, to noon Eastern of a day."""

    def at(day: datetime.date) -> None:
        moment = datetime.datetime.combine(day, datetime.time(17), datetime.UTC)
        monkeypatch.setattr(conduct, "now_ms", lambda: int(moment.timestamp() * 1000))

    return at


@pytest.mark.parametrize("flow", [startup, intraday, trading_day], ids=lambda flow: flow.name)
async def test_case_41_while_a_session_is_alive_a_second_run_touches_nothing(
    own_settings: Settings, noon: Callable[[datetime.date], None], flow: DayFlow
) -> None:
    noon(PAST)
    plan = plan_for(own_settings, PAST.isoformat())
    folder = session_folder(own_settings, plan)
    with Journal.open(folder, plan.session):
        before = sorted((path.name, path.read_bytes()) for path in folder.iterdir())
        state = await end_of(flow, PAST)
        after = sorted((path.name, path.read_bytes()) for path in folder.iterdir())
    assert (state.name, state.is_completed()) == ("AlreadyRunning", True)
    assert after == before


async def test_a_day_that_is_started_in_the_night_touches_nothing(
    own_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a restart of the machine, when the day before is found dead and started again."""
    night = datetime.datetime.combine(PAST, datetime.time(10), datetime.UTC)
    monkeypatch.setattr(conduct, "now_ms", lambda: int(night.timestamp() * 1000))
    state = await end_of(trading_day, PAST)
    assert (state.name, state.is_completed()) == ("NotDue", True)
    assert not list(own_settings.state_folder.iterdir())


async def test_a_flatten_that_closed_nothing_because_of_another_machine_fails(
    own_settings: Settings, noon: Callable[[datetime.date], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_side, "DEAD_SECONDS", 0.0)
    noon(PAST)
    assert own_settings.database_url is not None
    machine = SessionLock(own_settings.database_url.get_secret_value(), own_settings.account, PAST.isoformat())
    assert machine.hold() is LockState.HELD
    state = await end_of(flatten, PAST)
    machine.release()
    assert state.is_failed()
    assert "Nothing was closed" in (state.message or "")


def test_the_whole_account_needs_its_id_typed() -> None:
    check_request(FlattenScope.WHOLE_ACCOUNT, (), "DU1", "DU1")
    with pytest.raises(ValueError, match="confirmation = 'yes'"):
        check_request(FlattenScope.WHOLE_ACCOUNT, (), "yes", "DU1")


def test_tickers_and_scope_must_agree() -> None:
    check_request(FlattenScope.TICKERS, ("GLD",), "", "DU1")
    check_request(FlattenScope.SESSION, (), "", "DU1")
    for scope, tickers in ((FlattenScope.TICKERS, ()), (FlattenScope.SESSION, ("GLD",))):
        with pytest.raises(ValueError, match="tickers = "):
            check_request(scope, tickers, "", "DU1")


async def test_an_unclear_flatten_fails_before_anything_is_closed(own_settings: Settings) -> None:
    state = await end_of(flatten, PAST, scope=FlattenScope.WHOLE_ACCOUNT)
    assert state.is_failed()
    assert "confirmation" in (state.message or "")


async def test_a_ticker_that_nobody_trades_here_is_not_reported_as_flat(own_settings: Settings) -> None:
    state = await end_of(flatten, PAST, scope=FlattenScope.TICKERS, tickers=("CVNQ",))
    assert state.is_failed()
    assert "CVNQ" in (state.message or "")


def test_now_is_a_moment_of_today() -> None:
    assert eastern_date(conduct.now_ms()) >= "2026-01-01"
