"""A day that is started again although its preflight forbids it: what is held is watched over and closed (case 43)."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.events import HistoryLoaded
from core.vocabulary import Refusal
from runtime.phases import startup, warm_up
from tests.cases.field import DATE, Field, field
from tests.cases.test_c_fills import STILL


async def forbidden_startup(day: Field) -> tuple[bool, str]:
    """A start while the gateway takes no orders."""
    day.gateway.orders.read_only = True
    report = await startup(day.settings, DATE)
    day.gateway.orders.read_only = False
    return report.ok, report.summary


async def test_with_a_position_the_day_goes_on_without_entries_and_waits_for_no_history(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with field(tmp_path, "SOXL", "GLD", **STILL) as day:
        day.predict(60, "SOXL", "BUY")
        await day.live(90)
        ok, summary = await forbidden_startup(day)
        assert ok
        assert "without entries until `trader resume`" in summary
        assert "No entries: the preflight forbids them" in caplog.text
        loaded = day.events(HistoryLoaded)
        report = await warm_up(day.settings, DATE)
        assert report.ok
        assert day.events(HistoryLoaded) == loaded
        day.predict(150, "GLD", "BUY")
        await day.live()
        assert [decision.refusal for decision in day.decisions()] == [None, Refusal.SESSION_SUSPENDED]
        day.check_laws()


async def test_with_nothing_held_the_day_is_not_traded(tmp_path: Path) -> None:
    async with field(tmp_path, "SOXL", **STILL) as day:
        ok, summary = await forbidden_startup(day)
        assert not ok
        assert "an order of one SOXL would not be taken" in summary
