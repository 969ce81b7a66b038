"""The checks of the broker before a session depends on it, by the settings; and which of them forbid the day."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Final

from broker.gateway import IbBroker
from broker.preflight import Finding, check_broker
from config import ClockKind, Settings
from runtime.calendar import trading_day

DECISIVE: Final = frozenset({"connection", "answers", "mode", "clock", "trading hours", "orders"})
"""Findings that forbid the day. Those about a single ticker only keep that ticker out, by the rules of entry."""


def problems(findings: Iterable[Finding]) -> dict[str, str]:
    """What is wrong, by check: the words of all its findings, for a check has one alert and may find several things."""
    found: dict[str, list[str]] = {}
    for finding in findings:
        if not finding.is_ok:
            found.setdefault(finding.check, []).append(finding.words)
    return {check: "; ".join(words) for check, words in found.items()}


async def preflight(settings: Settings, broker: IbBroker, date: str) -> tuple[Finding, ...]:
    """Check everything about the broker that can be wrong for a day (YYYY-MM-DD, Eastern); connect where needed."""
    hours = trading_day(date)
    return await check_broker(
        broker,
        account=settings.account,
        live=settings.live,
        tickers=settings.tickers,
        machine_ms=time.time_ns() // 1_000_000 if settings.clock is ClockKind.REAL else None,
        hours_ms=None if hours is None else (hours.open_ms, hours.close_ms),
    )
