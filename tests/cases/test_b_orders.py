"""CASES, group B: orders."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest

from core.commands import ModifyOrder, PlaceBracket
from core.vocabulary import Outcome
from tests.cases.field import DATE, Field, field
from tests.chaos.day import ROOT


async def test_case_12_a_modify_into_a_dead_link_does_not_double_the_order(tmp_path: Path) -> None:
    async with field(tmp_path, "SOXL", atr_target_multiplier=40, atr_stop_multiplier=40) as day:
        day.script(12)
        day.fault({"when": "order", "match": {"leg": "parent"}, "before": True, "halt": {"seconds": 5}})
        day.predict(60, "SOXL", "BUY")
        await day.live()
        assert day.injected("drop")
        changed = [command.order_ref for command in day.commands(ModifyOrder)]
        assert len(changed) > len(set(changed))  # asked for again, once the link was back and the order known
        day.check_laws()


async def killed(day: Field, kill: dict[str, object]) -> int:
    """A life in a process of its own that ends by SIGKILL; the exit code."""
    plan = json.dumps({"phases": ["intraday"], "kill": kill})
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.chaos.session_process", DATE, plan),
        cwd=ROOT,
        env=os.environ | day.settings.to_environment(),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    return await process.wait()


async def test_case_13_killed_between_two_legs_the_next_process_adopts_all(tmp_path: Path) -> None:
    async with field(tmp_path, "SOXL") as day:
        day.predict(60, "SOXL", "BUY")
        assert await killed(day, {"point": "mid_send", "fraction": 0.6}) == -9
        day.pass_time(5)
        await day.live()
        assert len(day.commands(PlaceBracket)) == 1
        day.check_laws()


async def test_case_13_killed_behind_the_whole_bracket_it_is_managed_as_its_own(tmp_path: Path) -> None:
    async with field(tmp_path, "SOXL") as day:
        day.predict(60, "SOXL", "BUY")
        assert await killed(day, {"point": "after_send"}) == -9
        day.pass_time(5)
        assert day.position("SOXL") > 0
        await day.live(120)
        assert {ref.rpartition("/")[2] for ref in day.refs_at_the_broker()} == {"entry", "stop", "target", "timed_exit"}
        await day.live()
        day.check_laws()


async def test_case_14_twenty_restarts_place_no_order(tmp_path: Path) -> None:
    async with field(tmp_path, "SOXL", atr_target_multiplier=40, atr_stop_multiplier=40) as day:
        day.predict(60, "SOXL", "BUY")
        await day.live(80)
        assert day.position("SOXL") > 0
        before = day.refs_at_the_broker()
        for restart in range(20):
            await day.live(90 + 10 * restart)
        assert day.refs_at_the_broker() == before
        assert day.position("SOXL") > 0
        await day.live()
        day.check_laws()


async def test_case_14_twenty_reconnects_place_no_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runtime.reconnect.PAUSE_MAX_SECONDS", 0.2)  # real seconds, while the market stands still
    async with field(tmp_path, "SOXL", atr_target_multiplier=40, atr_stop_multiplier=40) as day:
        day.script(14, first_seconds=90, gap_seconds=15)
        day.predict(60, "SOXL", "BUY")
        await day.live(85)
        before = day.refs_at_the_broker()
        await day.live(500)
        assert len(day.injected("drop")) == 20
        assert day.refs_at_the_broker() == before
        await day.live()
        day.check_laws()


async def test_case_15_orders_without_any_callback_are_resolved_by_a_question(tmp_path: Path) -> None:
    async with field(tmp_path, "SOXL") as day:
        day.script(15)
        day.predict(60, "SOXL", "BUY")
        await day.live()
        assert len(day.injected("lose")) == 4
        (decision,) = day.decisions()
        assert decision.outcome is Outcome.ENTER
        assert day.refs_at_the_broker() == set()
        assert day.alerts("rejected/") == [f"raised rejected/{decision.order_ref}"]
        day.check_laws()


async def test_case_16_duplicate_ids_and_manual_orders_disturb_nothing(tmp_path: Path) -> None:
    async with field(tmp_path, "SOXL", allow_foreign_positions=True) as day:
        day.script(16, gap_seconds=30)
        day.predict(60, "SOXL", "BUY")
        day.predict(300, "SOXL", "SELL")
        await day.live()
        manual = [order for order in day.gateway.venue.open_orders(None) if order.client_id == 0]
        assert len(manual) == len(day.injected("manual_order")) == 2
        assert len(day.alerts("foreign_order/")) == 2
        day.check_laws()


async def test_case_17_an_informational_10349_ends_nothing(tmp_path: Path) -> None:
    async with field(tmp_path, "SOXL") as day:
        day.script(17)
        day.predict(60, "SOXL", "BUY")
        await day.live()
        assert day.injected("code")
        assert len(day.commands(PlaceBracket)) == 1
        assert day.alerts("emergency/") == []
        day.check_laws()


async def test_case_18_an_order_held_for_shares_lives_and_its_later_fill_counts(tmp_path: Path) -> None:
    async with field(tmp_path, "SOXL") as day:
        is_entry = {"when": "order", "match": {"action": "SELL", "leg": "parent"}}
        day.fault({"at": "+0", "doubt": {"set": {"unshortable": "locate"}}})
        day.fault({**is_entry, "before": True, "shortable": {"shares": 0}})  # gone between the look and the order
        day.fault({**is_entry, "after_seconds": 45, "shortable": {"shares": 1_000_000}})
        day.predict(60, "SOXL", "SELL")
        await day.live(90)
        assert day.position("SOXL") == 0
        await day.live(120)
        assert day.position("SOXL") < 0
        await day.live()
        assert day.engine is not None
        assert day.engine.trades_closed == 1
        day.check_laws()


async def test_case_19_a_fill_that_overtakes_its_cancel_ends_the_wait(tmp_path: Path) -> None:
    async with field(tmp_path, "SOXL", "GLD") as day:
        day.script(19)
        day.predict(60, "SOXL", "BUY")
        day.predict(60, "GLD", "SELL")
        day.fault({"at": "+570", "halt": {"symbol": "SOXL", "seconds": 60}})  # no re-priced target can fill: cancels
        await day.live()
        day.check_laws()


async def test_case_20_a_message_about_an_unknown_order_is_told_and_kept_apart(tmp_path: Path) -> None:
    async with field(tmp_path, "SOXL") as day:
        day.script(20)
        day.predict(60, "SOXL", "BUY")
        await day.live()
        assert day.injected("inject")
        assert len(day.alerts("unknown_order/")) == 1
        day.check_laws()
