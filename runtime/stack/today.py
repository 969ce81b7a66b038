"""Whether today will be traded: Prefect schedules ahead and not back, so after days without power today has no run."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any

import aiohttp

from config import Settings
from core.params import SessionPlan
from core.records import Alert
from core.vocabulary import Severity
from runtime.calendar import eastern_date
from runtime.planning import MarketClosed, plan_for
from runtime.ports import AlertSink
from runtime.stack.restarts import TIMEOUT, TRADING_FLOWS

DUE_BEFORE_OPEN_MS = 30 * 60_000
"""The day's run is scheduled for 09:00 Eastern; until then there is nothing to miss."""

EARLY_MS = 12 * 3_600_000
"""A run for today is expected at most this long before the bell, however early somebody asked for it."""


log = logging.getLogger(__name__)


async def tell_if_untraded(api_url: str, settings: Settings, alerts: AlertSink, now_ms: int) -> None:
    """Tell people when today's run was due and none is known: done, dead, or to come."""
    try:
        plan = plan_for(settings, eastern_date(now_ms))
    except MarketClosed:
        return
    if not plan.open_ms - DUE_BEFORE_OPEN_MS <= now_ms < plan.closure_ms:
        return
    try:
        is_known = await _has_run(api_url, plan)
    except (aiohttp.ClientError, TimeoutError, ValueError) as problem:
        log.warning("Prefect's server cannot be asked whether today has a run: %r", problem)
        return
    if not is_known:
        text = f"No run of {plan.date} is known: it was due at 09:00 Eastern, before this came up. To trade the"
        text += " rest of the day, run the deployment trading_day."
        alerts.send(Alert(now_ms, Severity.WARNING, "untraded", "Today is not traded", text))


async def _has_run(api_url: str, plan: SessionPlan) -> bool:
    wanted: dict[str, Any] = {
        "flows": {"name": {"any_": TRADING_FLOWS}},
        "flow_runs": {"expected_start_time": {"after_": _iso(plan.open_ms - EARLY_MS), "before_": _iso(plan.close_ms)}},
        "limit": 1,
    }
    async with (
        aiohttp.ClientSession(raise_for_status=True, timeout=TIMEOUT) as http,
        http.post(f"{api_url}/flow_runs/filter", json=wanted) as answer,
    ):
        return bool(await answer.json())


def _iso(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat()
