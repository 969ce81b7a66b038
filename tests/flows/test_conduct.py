"""What a finished step leaves behind: its table, and the state in which its run ends."""

from __future__ import annotations

import datetime
import json
from typing import Any

import pytest
from prefect import flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from config import ClockKind, Settings
from flows.conduct import conduct
from flows.gate import Window
from flows.trading_day import verdict
from runtime.reports import ReconcileReport, WarmUpReport
from tasks.artifacts import Report, as_text
from tasks.settings import passed_down

DAY = datetime.date(2024, 11, 27)


async def end_of_step(name: str, settings: Settings, report: Report) -> State[Any]:
    """Run a step that gives `report` in a flow of this name, in a simulation; the state of the run."""

    async def step(day: str) -> Report:
        assert day == DAY.isoformat()
        return report

    @flow(name=name)
    async def phase() -> State[Any]:
        return await conduct(Window.DAY, DAY, step)

    simulation = settings.model_copy(update={"clock": ClockKind.DETERMINISTIC})
    with passed_down(simulation):
        return await phase(return_state=True)


def reconciled(breaks: int) -> ReconcileReport:
    summary = f"{breaks} breaks"
    return ReconcileReport(breaks == 0, summary, executions=42, added=1, breaks=breaks, flat=True, working_orders=0)


async def table(key: str) -> tuple[list[list[str]], str]:
    """The newest table artifact of a key, and its description."""
    async with get_client() as client:
        (artifact,) = await client.read_latest_artifacts(
            artifact_filter=ArtifactFilter(key=ArtifactFilterKey(any_=[key]))
        )
    return json.loads(str(artifact.data)), artifact.description or ""


async def test_a_good_report_completes_the_run_and_is_shown_as_a_table(settings: Settings, prefect_api: str) -> None:
    state = await end_of_step("good_step", settings, reconciled(0))
    assert (state.name, state.message, state.is_completed()) == ("Done", "0 breaks", True)
    lines, description = await table("good-step")
    assert ["executions", "42"] in lines
    assert ["flat", "yes"] in lines
    assert description == "**2024-11-27** 0 breaks"


async def test_a_bad_report_fails_the_run_and_is_shown_too(settings: Settings, prefect_api: str) -> None:
    state = await end_of_step("bad_step", settings, reconciled(2))
    assert (state.name, state.message, state.is_failed()) == ("Failed", "2 breaks", True)
    lines, _ = await table("bad-step")
    assert ["breaks", "2"] in lines


async def test_lists_are_shown_in_one_cell(settings: Settings, prefect_api: str) -> None:
    await end_of_step("list_step", settings, WarmUpReport(True, "warm", ready=("GLD", "SLV")))
    lines, _ = await table("list-step")
    assert ["ready", "GLD, SLV"] in lines


@pytest.mark.parametrize(("value", "shown"), [(True, "yes"), (False, "no"), (0, "0"), ((1, True), "1, yes")])
def test_values_as_cells(value: object, shown: str) -> None:
    assert as_text(value) == shown


def test_the_day_fails_with_any_of_its_parts_and_tells_all() -> None:
    good, bad = Completed(name="Done", message="flat."), Failed(message="2 breaks.")
    assert (verdict(good, good).name, verdict(good, good).is_completed()) == ("Done", True)
    assert verdict(good, bad).is_failed()
    assert verdict(good, bad).message == "flat. 2 breaks."
    assert verdict(Completed(name="AlreadyRunning", message="by 1")).name == "AlreadyRunning"
