"""The hooks of the fault script: other people's trades, corrections, late and wrong commissions, planned rejects."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulator.model import UNITS_PER_DOLLAR
from tests.simulator.venue.stage import CALM, stage


def test_a_trade_by_hand(tmp_path: Path) -> None:
    play = stage(tmp_path, CALM)
    instrument = play.venue.instruments()[0]
    play.place(1, "BUY", 100)
    play.venue.faults.manual_trade(instrument, -100)
    assert play.position() == 0
    execution = play.ear.executions[-1]
    assert (execution.client_id, execution.order_id, execution.order_ref) == (0, 0, "")
    play.venue.faults.manual_trade(instrument, 50, price=123_400)
    assert play.ear.executions[-1].price == 123_400
    with pytest.raises(ValueError, match="quantity=0"):
        play.venue.faults.manual_trade(instrument, 0)


def test_orders_by_hand_keep_apart(tmp_path: Path) -> None:
    play = stage(tmp_path, CALM)
    first = play.venue.faults.manual_order(play.request(0, "BUY", 100, "LMT", limit=9))
    second = play.venue.faults.manual_order(play.request(0, "BUY", 200, "LMT", limit=9.1))
    assert first is not None
    assert second is not None
    assert first.perm_id != second.perm_id
    assert [(order.client_id, order.order_id, order.quantity) for order in play.venue.open_orders()] == [
        (0, 0, 100),
        (0, 0, 200),
    ]
    assert play.venue.open_orders(1) == []
    play.venue.global_cancel()
    assert play.live() == []


def test_a_corrected_execution_replaces_the_first(tmp_path: Path) -> None:
    play = stage(tmp_path, CALM)
    play.place(1, "BUY", 100)
    play.place(2, "SELL", 40)
    first, second = (execution.exec_id for execution in play.ear.executions)
    play.venue.faults.correct_execution(99_000, first)
    corrected = play.ear.executions[-1]
    assert corrected.exec_id == first[:-2] + "02"
    assert corrected.price == 99_000
    assert [execution.exec_id for execution, _ in play.venue.executions()] == [corrected.exec_id, second]
    cash = {value.key: value.value for value in play.venue.account_values()}["TotalCashValue"]
    assert cash == f"{1_000_000 - 990 - 1 + 400 - 1:.2f}"
    play.venue.faults.correct_execution(98_000, corrected.exec_id)
    assert play.ear.executions[-1].exec_id == first[:-2] + "03"
    play.venue.faults.correct_execution(100_500)
    assert play.ear.executions[-1].exec_id == second[:-2] + "02"
    with pytest.raises(KeyError):
        play.venue.faults.correct_execution(98_000, "no such")


def test_commissions_that_are_late_missing_or_wrong(tmp_path: Path) -> None:
    play = stage(tmp_path, CALM)
    play.venue.faults.delay_commissions(5)
    play.venue.faults.delay_commissions(None)
    play.venue.faults.delay_commissions(0, amount=-1 * UNITS_PER_DOLLAR)
    assert "commission 1.0" not in play.place(1, "BUY", 100)
    assert [report for _, report in play.venue.executions()] == [None]
    play.place(2, "BUY", 50)
    assert play.place(3, "BUY", 50)[-1] == "commission -1.0"
    assert play.until("10:00:05")[-1] == "commission 1.0"
    assert [report is None for _, report in play.venue.executions()] == [False, True, False]
    assert play.place(4, "BUY", 50)[-1] == "commission 1.0"
    assert play.until("10:00:30")[-1] == "commission 1.0"  # the one that was not known


def test_a_commission_that_is_told_is_the_one_that_is_charged(tmp_path: Path) -> None:
    play = stage(tmp_path, CALM)
    play.venue.faults.delay_commissions(0, amount=-2_500)
    assert play.place(1, "BUY", 100)[-1] == "commission -0.25"
    assert play.venue.positions()[0].average_cost == pytest.approx(10.02 - 0.0025)
    cash = {value.key: value.value for value in play.venue.account_values()}["TotalCashValue"]
    assert cash == f"{1_000_000 - 1_002 + 0.25:.2f}"


def test_a_correction_tells_every_profit_that_it_changes_anew(tmp_path: Path) -> None:
    play = stage(tmp_path, CALM)
    play.place(1, "BUY", 100)
    play.place(2, "SELL", 100)
    bought, sold = (execution.exec_id for execution in play.ear.executions)
    heard = len(play.ear.commissions)
    play.venue.faults.correct_execution(play.ear.executions[0].price - 500, bought)
    told = {report.exec_id: report for report in play.ear.commissions[heard:]}
    assert list(told) == [bought[:-2] + "02", sold]
    assert told[sold].realized_pnl == play.venue.pnl().realized
    assert [report for _, report in play.venue.executions()] == list(told.values())
    first = play.venue.completed_orders()[0]
    assert first.average_price == play.ear.executions[-1].average_price == play.ear.executions[-1].price / 10_000


def test_a_correction_before_a_late_commission(tmp_path: Path) -> None:
    play = stage(tmp_path, CALM)
    play.venue.faults.delay_commissions(5)
    play.place(1, "BUY", 100)
    play.venue.faults.correct_execution(99_000)
    assert play.ear.commissions == []
    play.until("10:00:05")
    assert [report.exec_id for report in play.ear.commissions] == [play.ear.executions[-1].exec_id]


def test_planned_rejects_by_kind_and_count(tmp_path: Path) -> None:
    play = stage(tmp_path, CALM)
    faults = play.venue.faults
    faults.reject_next(201, "no", "STP", count=2)
    faults.reject_next(321, "no", "modify")
    play.place(1, "BUY", 100, "LMT", limit=9)
    assert play.place(1, "BUY", 100, "LMT", limit=9.1) == ["error 1 321"]
    assert play.place(1, "BUY", 100, "LMT", limit=9.1)[0] == "open 1 Submitted"
    for order_id, refused in ((2, True), (3, True), (4, False)):
        heard = play.place(order_id, "SELL", 100, "STP", stop=9)
        assert ("status " + str(order_id) + " Inactive 0/100" in heard) is refused
    faults.reject_next(110, "no")
    assert play.place(5, "BUY", 100) == ["error 5 110"]
    assert play.place(6, "BUY", 100)[-1] == "commission 1.0"


def test_something_can_be_put_on_the_clock(tmp_path: Path) -> None:
    play = stage(tmp_path, CALM)
    heard: list[int] = []
    play.venue.timers.at(play.venue.clock.now_ms + 7_000, lambda: heard.append(play.venue.clock.now_ms))
    start_ms = play.venue.clock.now_ms
    play.until("10:01:00")
    assert heard == [start_ms + 7_000]
