"""What all flows have in common: the gate before the work, a table and a named state after it."""

from __future__ import annotations

import datetime
import time
from collections.abc import Awaitable, Callable
from typing import Any

from prefect.client.schemas.objects import State
from prefect.context import FlowRunContext
from prefect.logging import get_run_logger
from prefect.runtime import flow_run
from prefect.states import Completed, Failed

from config import ClockKind
from flows.gate import Standing, Window, judge
from runtime.calendar import eastern_date
from runtime.holder import SessionAlreadyRunning
from tasks.artifacts import Report, show
from tasks.settings import settings_of_run

TradingDate = datetime.date | None
"""The parameter of all flows: an Eastern date, or None for the day of the run's scheduled start."""

ALREADY_RUNNING = "AlreadyRunning"
DONE = "Done"


async def conduct(window: Window, date: datetime.date | None, step: Callable[[str], Awaitable[Report]]) -> State[Any]:
    """Run one step of the day if the gate lets it; show its report; return the state in which the run ends."""
    day = day_of_run(date)
    ended = refused(window, day)
    if ended is not None:
        return ended
    try:
        report = await step(day)
    except SessionAlreadyRunning as running:
        return Completed(name=ALREADY_RUNNING, message=str(running))
    await show(flow_run.get_flow_name() or "", day, report)
    if not report.ok:
        return Failed(message=report.summary)
    return Completed(name=DONE, message=report.summary, data=report)


def refused(window: Window, day: str) -> State[Any] | None:
    """The state in which a run ends that is not due; None when it is due."""
    simulated = settings_of_run().clock is not ClockKind.REAL
    ruling = judge(window, day, None if simulated else now_ms(), scheduled_ms())
    if ruling.standing is Standing.DUE:
        return None
    get_run_logger().info("%s: %s", ruling.standing, ruling.reason)
    return Completed(name=ruling.standing, message=ruling.reason)


def now_ms() -> int:
    """The machine's time (UTC epoch ms)."""
    return time.time_ns() // 1_000_000


def day_of_run(date: datetime.date | None) -> str:
    """The Eastern date that a run is for (YYYY-MM-DD): the one given, else that of its scheduled start."""
    if date is not None:
        return date.isoformat()
    return eastern_date(int(flow_run.get_scheduled_start_time().timestamp() * 1000))


def scheduled_ms() -> int | None:
    """When a schedule started this run (UTC epoch ms); None for the run of a person or of another flow."""
    context = FlowRunContext.get()
    if context is None or context.flow_run is None or not context.flow_run.auto_scheduled:
        return None
    return int(flow_run.get_scheduled_start_time().timestamp() * 1000)


def run_name() -> str:
    """The name of a flow run: flow and day."""
    return f"{flow_run.get_flow_name()} {day_of_run(flow_run.get_parameters().get('date'))}"
