"""Case 43: a trading day whose process dies is started again, later each time, and given up in the end."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from uuid import UUID

from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterId
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.states import Crashed, Running

from core.records import Alert
from runtime.stack.local_stack import LocalStack
from runtime.stack.restarts import PAUSES_SECONDS, RECENT_SECONDS, SETTLED_SECONDS, Death, Restarts, in_a_row

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


async def die(client: PrefectClient, run: FlowRun) -> None:
    await client.set_flow_run_state(run.id, Running(), force=True)
    await client.set_flow_run_state(run.id, Crashed(message="killed"), force=True)


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
        await Restarts(stack.prefect_api_url, told, lambda: time.time() + ahead).look()

    async with get_client() as client:
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


async def test_a_server_that_is_away_is_asked_again() -> None:
    told = Told()
    assert not await Restarts("http://127.0.0.1:1/api", told).look()
    assert not told.titles
