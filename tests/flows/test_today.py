"""A day that nobody will trade is told of when the stack comes up."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from prefect.client.orchestration import get_client
from prefect.states import Scheduled

from config import Settings
from core.records import Alert
from runtime.stack.local_stack import LocalStack
from runtime.stack.today import tell_if_untraded

NINE = datetime(2023, 7, 3, 9, tzinfo=ZoneInfo("America/New_York"))  # a half day: the closure begins at 12:30
NOON = NINE.replace(hour=12)


class Told:
    """Keeps the notices."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def send(self, alert: Alert) -> None:
        self.texts.append(f"{alert.title}: {alert.text}")

    def clear(self, at_ms: int, key: str, text: str) -> None:
        raise AssertionError("nobody sees its end")


async def told_at(moment: datetime, stack: LocalStack, settings: Settings) -> list[str]:
    told = Told()
    await tell_if_untraded(stack.prefect_api_url, settings, told, int(moment.timestamp() * 1000))
    return told.texts


async def test_a_day_without_a_run_is_told_until_there_is_one(
    stack: LocalStack, settings: Settings, deployed: dict[str, UUID]
) -> None:
    for moment in (NINE, NOON):
        (text,) = await told_at(moment, stack, settings)
        assert text.startswith("Today is not traded: No run of 2023-07-03 is known")
    async with get_client() as client:
        for deployment, known in (("reconcile", False), ("intraday", True)):
            due = Scheduled(scheduled_time=NINE)
            run = await client.create_flow_run_from_deployment(deployed[deployment], state=due)
            assert bool(await told_at(NOON, stack, settings)) is not known
            await client.delete_flow_run(run.id)


@pytest.mark.parametrize(
    "moment", [NINE - timedelta(seconds=1), NINE.replace(hour=12, minute=30), NOON + timedelta(days=1)]
)
async def test_before_it_is_due_after_its_closure_and_on_a_holiday_nothing_is_missed(
    moment: datetime, stack: LocalStack, settings: Settings, deployed: dict[str, UUID]
) -> None:
    assert await told_at(moment, stack, settings) == []


async def test_a_server_that_is_away_is_no_reason_not_to_come_up(settings: Settings) -> None:
    told = Told()
    await tell_if_untraded("http://127.0.0.1:1/api", settings, told, int(NOON.timestamp() * 1000))
    assert told.texts == []
