"""CASES, group C: fills and money."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from core.commands import RecordTrade
from core.events import CommissionReported
from core.records import Trade
from core.vocabulary import ExitReason
from tests.cases.field import Field, field

STILL = {"atr_target_multiplier": 40, "atr_stop_multiplier": 40}
"""Legs so far away that nothing but the closure ends a position."""


async def test_case_21_a_list_that_was_cut_off_is_not_an_empty_list(tmp_path: Path) -> None:
    async with field(tmp_path, "SOXL", **STILL) as day:
        day.script(21)
        day.predict(60, "SOXL", "BUY")
        await day.live(200)
        assert day.injected("lose")
        assert day.position("SOXL") > 0
        assert day.engine is not None
        assert day.engine.position("SOXL") == day.position("SOXL")
        await day.live()
        assert only_trade(day).exit_reason is ExitReason.CLOSURE
        day.check_laws()


async def test_case_21_a_gateway_that_has_lost_ib_is_not_believed(tmp_path: Path) -> None:
    async with field(tmp_path, "SOXL", **STILL) as day:
        day.predict(60, "SOXL", "BUY")
        day.fault({"at": "+100", "connectivity": {"seconds": 150}})
        await day.live(90)
        await day.live(180)
        await day.live(260)  # another process, which first hears of the account when IB is back
        assert day.alerts("external/") == []
        assert day.alerts("foreign_position/") == []
        await day.live()
        assert only_trade(day).exit_reason is ExitReason.CLOSURE
        day.check_laws()


def only_trade(day: Field) -> Trade:
    """The one round trip, as it was recorded last."""
    trades = {command.trade.number: command.trade for command in day.commands(RecordTrade)}
    (trade,) = trades.values()
    return trade


async def test_case_22_a_position_closed_by_hand_is_noticed_and_its_legs_go(tmp_path: Path) -> None:
    async with field(tmp_path, "SOXL", **STILL) as day:
        day.script(22)
        day.predict(60, "SOXL", "BUY")
        await day.live(150)
        assert day.injected("manual_trade")
        assert day.gateway.venue.open_orders(10) == []
        await day.live()
        assert only_trade(day).exit_reason is ExitReason.EXTERNAL
        day.check_laws()


async def test_case_23_doubled_and_disordered_messages_give_the_same_ledger(tmp_path: Path) -> None:
    async with field(tmp_path, "SOXL", "GLD") as day:
        day.script(23)
        day.predict(60, "SOXL", "BUY")
        day.predict(60, "GLD", "SELL")
        day.predict(320, "SOXL", "SELL")
        await day.live()
        assert len(day.injected("duplicate")) > 50
        assert len(day.injected("reorder")) > 50
        day.check_laws()


async def test_case_24_executions_are_the_truth_whatever_statuses_say(tmp_path: Path) -> None:
    async with field(tmp_path, "SOXL", "GLD") as day:
        day.script(24)
        day.predict(60, "SOXL", "BUY")
        day.predict(60, "GLD", "SELL")
        await day.live()
        assert day.injected("lose")
        day.check_laws()


async def test_case_25_strange_commissions_are_pending_or_real(tmp_path: Path) -> None:
    async with field(tmp_path, "SOXL", "GLD") as day:
        day.script(25)
        day.predict(60, "SOXL", "BUY")
        day.predict(60, "GLD", "BUY")
        await day.live()
        assert day.engine is not None
        ledger = day.engine.state.ledger
        amounts = [event.commission for event in day.events(CommissionReported)]
        assert Decimal("-0.25") in amounts
        assert None in amounts  # -1 is no amount
        assert len(ledger.commission_pending()) == 2  # the missing one and the -1
        day.check_laws()


async def test_case_26_a_corrected_execution_replaces_the_earlier_one(tmp_path: Path) -> None:
    async with field(tmp_path, "SOXL", **STILL) as day:
        day.script(26)
        day.predict(60, "SOXL", "BUY")
        await day.live()
        assert len(day.injected("correct_execution")) >= 1
        venue = day.gateway.venue
        prices = {one.exec_id: Decimal(one.price) / 10_000 for one, _ in venue.executions()}
        assert day.engine is not None
        ours = {one.exec_id: one.price for one in day.engine.state.ledger.executions.values()}
        assert ours == pytest.approx(prices)
        day.check_laws()
