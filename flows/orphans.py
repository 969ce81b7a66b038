"""Runs that Prefect believes to be running although their process has gone: the machine or the worker was killed."""

from __future__ import annotations

from typing import Any

from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.filters import (
    FlowFilter,
    FlowFilterName,
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.states import Crashed

from config import Settings
from db.journal import is_locked
from flows.deploy import PLANS
from runtime.calendar import eastern_date, trading_day
from runtime.planning import plan_for, session_folder

MESSAGE = "Its process had gone when the stack was started."


async def mark_orphans(settings: Settings) -> list[str]:
    """Mark our unfinished runs as crashed whose session nobody holds; return their names. Call before a worker starts.

    A session that is still alive keeps its run: it outlived its worker and goes on trading.
    """
    async with get_client() as client:
        orphans = [run for run in await _unfinished(client) if not _is_alive(settings, run)]
        for run in orphans:
            await client.set_flow_run_state(run.id, Crashed(message=MESSAGE), force=True)
    return [run.name for run in orphans]


async def _unfinished(client: PrefectClient) -> list[FlowRun]:
    states = [StateType.RUNNING, StateType.PENDING, StateType.CANCELLING]
    return await client.read_flow_runs(
        flow_filter=FlowFilter(name=FlowFilterName(any_=[plan.flow.name for plan in PLANS])),
        flow_run_filter=FlowRunFilter(state=FlowRunFilterState(type=FlowRunFilterStateType(any_=states))),
    )


def _is_alive(settings: Settings, run: FlowRun) -> bool:
    day = _day_of(run.parameters, run)
    if day is None or trading_day(day) is None:
        return False
    plan = plan_for(settings, day)
    return is_locked(session_folder(settings, plan), plan.session)


def _day_of(parameters: dict[str, Any], run: FlowRun) -> str | None:
    """The Eastern date that a run is for, as `flows.conduct.day_of_run` knows it from inside."""
    if given := parameters.get("date"):
        return str(given)
    start = run.expected_start_time
    return eastern_date(int(start.timestamp() * 1000)) if start else None
