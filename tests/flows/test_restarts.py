"""Case 43: a trading day whose process dies is started again, later each time, and given up in the end."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import UUID

from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterId
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.states import Crashed, Running

from config import Settings
from core.records import Alert
from db.journal import Journal
from runtime.planning import plan_for, session_folder
from runtime.stack.local_stack import LocalStack
from runtime.stack.restarts import (
    PAUSES_SECONDS,
    RECENT_SECONDS,
    SETTLED_SECONDS,
    TRADING_FLOWS,
    Death,
    Restarts,
    has_process,
    in_a_row,
)

DATE = "2024-11-27"
NOON = datetime(2024, 11, 27, 17, tzinfo=UTC)


class Told:
    """Keeps the titles of notices."""

    def __init__(self) -> None:
        self.titles: list[str] = []

    def send(self, alert: Alert) -> None:
        self.titles.append(alert.title)

    def clear(self, at_ms: int, key: str, text: str) -> None:
        pass


def death(ended: datetime, lived_seconds: float = 5.0) -> Death:
    return Death(
        id="1",
        name="trading_day",
        deployment_id="2",
        parameters={},
        expected_start_time=NOON,
        start_time=ended - timedelta(seconds=lived_seconds),
        end_time=ended,
    )


def test_quick_deaths_count_and_a_life_of_a_while_begins_anew() -> None:
    quick = [death(NOON - timedelta(minutes=number)) for number in range(4)]
    assert in_a_row([]) == 0
    assert in_a_row(quick) == 4
    assert in_a_row([death(NOON, SETTLED_SECONDS), *quick]) == 1
    assert in_a_row([*quick[:2], death(NOON - timedelta(minutes=9), SETTLED_SECONDS), *quick]) == 3
    assert in_a_row([quick[0], death(NOON - timedelta(seconds=RECENT_SECONDS + 1))]) == 1


def test_the_day_of_a_death_is_that_of_its_scheduled_start() -> None:
    assert death(NOON).date == DATE
    assert death(NOON).model_copy(update={"parameters": {"date": "2026-11-20"}}).date == "2026-11-20"


def nobody(date: str) -> bool:
    """No session has a process."""
    return False


async def die(client: PrefectClient, run: FlowRun) -> None:
    await client.set_flow_run_state(run.id, Running(), force=True)
    await client.set_flow_run_state(run.id, Crashed(message="killed"), force=True)


async def forget_deaths(client: PrefectClient, deployed: dict[str, UUID]) -> None:
    """Each test has its own; those of other tests would count in its row."""
    trading = DeploymentFilterId(any_=[deployed[flow] for flow in TRADING_FLOWS])
    for run in await client.read_flow_runs(deployment_filter=DeploymentFilter(id=trading)):
        if not run.auto_scheduled:
            await client.delete_flow_run(run.id)


async def waiting(client: PrefectClient, deployment: UUID) -> list[FlowRun]:
    """The runs that somebody asked for and no worker has begun."""
    runs = await client.read_flow_runs(deployment_filter=DeploymentFilter(id=DeploymentFilterId(any_=[deployment])))
    return [run for run in runs if run.state_type is StateType.SCHEDULED and not run.auto_scheduled]


async def test_case_43_restarts_come_later_each_time_and_then_flatten_takes_over(
    stack: LocalStack, deployed: dict[str, UUID]
) -> None:
    ahead, told = 0.0, Told()
    day, flatten = deployed["trading_day"], deployed["flatten"]

    async def look() -> None:
        """As by a process that has just been started: none remembers what the one before did."""
        await Restarts(stack.prefect_api_url, told, nobody, lambda: time.time() + ahead).look()

    async with get_client() as client:
        await forget_deaths(client, deployed)
        run = await client.create_flow_run_from_deployment(day, parameters={"date": DATE})
        for pause in PAUSES_SECONDS:
            await die(client, run)
            if pause:
                ahead = pause - 5.0
                await look()
                assert not await waiting(client, day)
            ahead = pause
            await look()
            await look()
            (run,) = await waiting(client, day)
            assert run.parameters == {"date": DATE}
            assert not told.titles
        await die(client, run)
        await look()
        await look()
        assert not await waiting(client, day)
        (closing,) = await waiting(client, flatten)
        assert closing.parameters["date"] == DATE
        assert told.titles == ["The trading day has been given up"]
        by_hand = await client.create_flow_run_from_deployment(day, parameters={"date": DATE})
        await die(client, by_hand)
        ahead = RECENT_SECONDS + 60.0
        await look()
        assert not await waiting(client, day)
        assert len(await waiting(client, flatten)) == 1
    assert len(told.titles) == 1


async def test_case_43_the_loop_of_a_day_that_is_run_in_parts_is_started_again(
    stack: LocalStack, deployed: dict[str, UUID]
) -> None:
    async with get_client() as client:
        await forget_deaths(client, deployed)
        run = await client.create_flow_run_from_deployment(deployed["intraday"], parameters={"date": DATE})
        await die(client, run)
        await Restarts(stack.prefect_api_url, Told(), nobody).look()
        (again,) = await waiting(client, deployed["intraday"])
        assert again.parameters == {"date": DATE}
        assert not await waiting(client, deployed["trading_day"])


async def test_a_session_that_outlives_its_run_is_started_again_when_it_really_dies(
    own_settings: Settings, stack: LocalStack, deployed: dict[str, UUID]
) -> None:
    """Prefect loses sight of a living process when its server was away for as long as silence may last."""
    ahead, day, plan = [0.0], deployed["trading_day"], plan_for(own_settings, "2024-11-26")
    alive = partial(has_process, own_settings)
    restarts = Restarts(stack.prefect_api_url, Told(), alive, lambda: time.time() + ahead[0])
    async with get_client() as client:
        await forget_deaths(client, deployed)
        run = await client.create_flow_run_from_deployment(day, parameters={"date": "2024-11-26"})
        with Journal.open(session_folder(own_settings, plan), plan.session):
            await die(client, run)
            for ahead[0] in (0.0, 2 * RECENT_SECONDS):
                await restarts.look()
                assert not await waiting(client, day)
        await restarts.look()
        (again,) = await waiting(client, day)
        assert again.parameters == {"date": "2024-11-26"}
    assert not has_process(own_settings, "2024-11-28")


async def test_a_server_that_is_away_is_asked_again() -> None:
    told = Told()
    assert not await Restarts("http://127.0.0.1:1/api", told, nobody).look()
    assert not told.titles
