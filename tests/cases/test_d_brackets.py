"""CASES, group D: brackets and flat; and 42 and 43, a session that is late or dead."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.commands import ModifyOrder
from core.events import OrderErrorReported, StopRequested
from core.vocabulary import ErrorKind, Outcome, Phase, Refusal
from runtime.flatten import flatten
from tests.cases.field import DATE, field
from tests.cases.test_b_orders import killed
from tests.cases.test_c_fills import STILL


@pytest.mark.parametrize("arm", ["whole", "part"])
async def test_case_27_the_stop_fires_while_the_parent_fills(tmp_path: Path, arm: str) -> None:
    async with field(tmp_path, "SOXL", doubts=[f"children_arm={arm}"]) as day:
        day.script(27)
        day.predict(60, "SOXL", "BUY")
        await day.live()
        assert day.injected("shock")
        day.check_laws()


async def test_case_28_no_sibling_outlives_a_flatten(tmp_path: Path) -> None:
    async with field(tmp_path, "SOXL", "GLD", **STILL) as day:
        day.script(28)
        day.predict(60, "SOXL", "BUY")
        day.predict(60, "GLD", "SELL")
        await day.live(90)
        await day.live(None, StopRequested(0, "a person"))
        assert day.gateway.venue.clock.now_ms < day.start_ms + 200_000
        day.check_laws()


async def test_case_29_a_stop_that_fills_during_the_flatten_oversells_nothing(tmp_path: Path) -> None:
    async with field(tmp_path, "SOXL", **STILL) as day:
        day.script(29, first_seconds=603)
        day.predict(60, "SOXL", "BUY")
        day.fault({"at": "+590", "halt": {"symbol": "SOXL", "seconds": 60}})  # or the re-priced target is faster
        await day.live()
        assert any(words.split()[1] == "of" for words in day.injected("fill"))
        day.check_laws()


async def test_case_30_no_cap_blocks_an_exit(tmp_path: Path) -> None:
    async with field(tmp_path, "SOXL", **STILL) as day:
        day.predict(60, "SOXL", "BUY")
        await day.live(90)
        assert day.position("SOXL") > 0
        caps = ["max_position_value", "max_gross_exposure", "max_sector_exposure", "max_portfolio_heat"]
        caps += ["max_trades_per_ticker", "max_trades", "max_orders_per_minute"]
        day.settings = day.settings.model_copy(update=dict.fromkeys(caps, 0))
        await day.live(None, StopRequested(0, "a person"))
        day.check_laws()


async def test_case_31_a_profit_that_is_no_number_reaches_no_decision(tmp_path: Path) -> None:
    async with field(tmp_path, "SOXL") as day:
        day.script(31)
        day.predict(60, "SOXL", "BUY")
        await day.live()
        assert day.injected("inject")
        assert day.engine is not None
        assert day.engine.daily_pnl().is_finite()
        day.check_laws()


async def test_case_32_a_halt_survives_a_restart(tmp_path: Path) -> None:
    async with field(tmp_path, "SOXL", max_daily_loss=100, **STILL) as day:
        day.script(32)
        day.predict(60, "SOXL", "BUY")
        day.predict(200, "SOXL", "BUY")
        day.predict(400, "SOXL", "BUY")
        await day.live(180)
        assert day.engine is not None
        assert day.engine.state.phase is Phase.HALTED
        assert day.position("SOXL") == 0
        await day.live(500)
        assert day.engine.state.phase is Phase.HALTED
        assert [decision.refusal for decision in day.decisions()[1:]] == [
            Refusal.SESSION_HALTED,
            Refusal.SESSION_HALTED,
        ]
        await day.live()
        day.check_laws()


async def test_case_44_modified_children_draw_no_135(tmp_path: Path) -> None:
    async with field(tmp_path, "SOXL") as day:
        day.script(44)
        day.predict(60, "SOXL", "BUY")
        await day.live()
        assert day.commands(ModifyOrder)
        assert [error for error in day.events(OrderErrorReported) if error.kind is ErrorKind.MODIFY_REFUSED] == []
        assert [error for error in day.events(OrderErrorReported) if error.code == 135] == []
        day.check_laws()


async def test_case_45_brackets_have_no_explicit_group_to_be_refused(tmp_path: Path) -> None:
    async with field(tmp_path, "SOXL") as day:
        day.script(45)
        day.predict(60, "SOXL", "BUY")
        await day.live()
        assert day.commands(ModifyOrder)
        assert [error.code for error in day.events(OrderErrorReported) if error.code == 10326] == []
        day.check_laws()


async def test_case_46_the_excess_of_stop_and_target_is_closed_and_the_ticker_blocked(tmp_path: Path) -> None:
    async with field(tmp_path, "SOXL") as day:
        day.script(46)
        day.predict(60, "SOXL", "BUY")
        day.fault({"at": "+100", "shock": {"symbols": ["SOXL"], "percent": 3}})
        day.predict(300, "SOXL", "BUY")
        await day.live()
        assert "raised overfill/SOXL/1" in day.alerts("overfill/")
        assert day.decisions()[-1].refusal is Refusal.TICKER_BLOCKED
        day.check_laws()


async def test_case_42_a_late_session_takes_no_entry_and_still_closes(tmp_path: Path) -> None:
    async with field(tmp_path, "SOXL", **STILL) as day:
        day.predict(60, "SOXL", "BUY")
        day.predict(690, "SOXL", "BUY")
        await day.live(90)
        day.pass_time(600)  # the closure began a minute and a half ago
        await day.live()
        assert [decision.outcome for decision in day.decisions()] == [Outcome.ENTER]
        day.check_laws()


async def test_case_43_a_dead_session_is_taken_over_where_it_stood(tmp_path: Path) -> None:
    async with field(tmp_path, "SOXL", **STILL) as day:
        day.predict(60, "SOXL", "BUY")
        assert await killed(day, {"point": "tick", "nth": 75}) == -9
        day.pass_time(60)
        shares = day.position("SOXL")
        assert shares > 0
        await day.live(200)
        assert day.engine is not None
        assert day.engine.position("SOXL") == shares
        await day.live()
        day.check_laws()


async def test_case_43_a_dead_session_is_closed_by_the_flatten(tmp_path: Path) -> None:
    async with field(tmp_path, "SOXL", **STILL) as day:
        day.predict(60, "SOXL", "BUY")
        assert await killed(day, {"point": "tick", "nth": 75}) == -9
        day.pass_time(600)
        assert day.position("SOXL") > 0
        report = await flatten(day.settings, DATE)
        assert report.ok
        assert report.working_orders == 0
        assert day.position("SOXL") == 0
        assert day.gateway.venue.open_orders(10) == []
