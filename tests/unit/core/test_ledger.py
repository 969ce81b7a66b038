"""Executions and commissions in; positions, round trips and P&L out."""

from __future__ import annotations

from decimal import Decimal

import pytest

from core.errors import InvalidValueError
from core.ledger import Fill, FillKind, Ledger
from core.trades import CostMethod
from core.vocabulary import Leg, Side
from tests.support.fills import BUY, SELL, commission, execution, ledger_of

D = Decimal


def test_an_empty_ledger_is_flat() -> None:
    ledger = Ledger()
    assert ledger.position("SOXL") == 0
    assert ledger.average_price("SOXL") is None
    assert ledger.open_trade("SOXL") is None
    assert ledger.realized("SOXL") == ledger.realized() == ledger.commissions() == 0
    assert ledger.daily_pnl({}) == 0


def test_a_round_trip() -> None:
    ledger = ledger_of(
        execution("a.01", BUY, 100, "75.10", 1000),
        execution("b.01", BUY, 33, "75.12", 1000),
        execution("c.01", SELL, 133, "75.40", 9000, leg=Leg.TARGET),
        commission("a.01", "1.00"),
        commission("b.01", "0.35"),
        commission("c.01", "1.02"),
    )
    (trip,) = ledger.trades("SOXL")
    assert (trip.side, trip.most_held, trip.opened_ms, trip.closed_ms) == (Side.LONG, 133, 1000, 9000)
    assert (trip.opened_by, trip.closed_by) == ("DU1-20131007/SOXL/1/entry", "DU1-20131007/SOXL/1/target")
    assert trip.entry_price == (D(7510) + D("2478.96")) / 133
    assert trip.exit_price == D("75.40")
    assert trip.gross_pnl == 133 * D("75.40") - D(7510) - D("2478.96")
    assert ledger.trade_commissions(trip) == ledger.commissions("SOXL") == D("2.37")
    assert ledger.net_pnl(trip) == ledger.daily_pnl({}) == trip.gross_pnl - D("2.37")
    assert ledger.trades() == (trip,)


def test_a_short_round_trip_gains_when_the_price_falls() -> None:
    ledger = ledger_of(execution("a.01", SELL, 10, "20"), execution("b.01", BUY, 10, "19", 1, leg=Leg.STOP))
    assert [(trip.side, trip.gross_pnl) for trip in ledger.trades()] == [(Side.SHORT, 10)]
    assert ledger.realized() == 10


def test_an_open_round_trip_has_no_pnl_yet() -> None:
    ledger = ledger_of(execution("a.01", BUY, 10, "20"), commission("a.01", "1"))
    trip = ledger.open_trade("SOXL")
    assert trip is not None
    assert (trip.held, trip.exit_price, trip.gross_pnl, ledger.net_pnl(trip)) == (10, None, None, None)
    assert ledger.trades() == ()


def test_unrealised_pnl_follows_the_mark() -> None:
    ledger = ledger_of(execution("a.01", SELL, 10, "20"), commission("a.01", "1"))
    assert ledger.daily_pnl({"SOXL": D("19.5")}) == 4


@pytest.mark.parametrize("marks", [{}, {"GLD": D(1)}, {"SOXL": D("NaN")}, {"SOXL": D("Infinity")}])
def test_case_31_pnl_without_a_mark_is_unknown(marks: dict[str, Decimal]) -> None:
    assert ledger_of(execution("a.01", BUY, 10, "20")).daily_pnl(marks) is None


def test_fifo_and_average_cost_part_ways_while_open_and_agree_when_flat() -> None:
    ledger = ledger_of(
        execution("a.01", BUY, 10, "10", 1),
        execution("b.01", BUY, 10, "20", 2, number=2),
        execution("c.01", SELL, 10, "30", 3, leg=Leg.TARGET),
    )
    assert ledger.average_price("SOXL") == 15
    assert ledger.realized("SOXL", CostMethod.FIFO) == 200
    assert ledger.realized("SOXL", CostMethod.AVERAGE) == 150
    ledger.record(execution("d.01", SELL, 10, "30", 4, number=2, leg=Leg.TARGET))
    assert ledger.realized("SOXL", CostMethod.FIFO) == ledger.realized("SOXL", CostMethod.AVERAGE) == 300


def test_fifo_splits_a_lot() -> None:
    ledger = ledger_of(
        execution("a.01", SELL, 10, "10", 1),
        execution("b.01", SELL, 10, "8", 2, number=2),
        execution("c.01", BUY, 15, "5", 3, leg=Leg.STOP),
    )
    assert ledger.realized() == 10 * 5 + 5 * 3
    assert ledger.position("SOXL") == -5


def test_case_46_an_execution_that_turns_the_position_belongs_to_two_trips() -> None:
    ledger = ledger_of(
        execution("a.01", BUY, 100, "10", 1),
        execution("b.01", SELL, 150, "11", 2, leg=Leg.STOP),
        execution("c.01", BUY, 50, "12", 3, number=2, leg=Leg.REPAIR),
        commission("a.01", "1"),
        commission("b.01", "3"),
        commission("c.01", "0.5"),
    )
    first, excess = ledger.trades()
    assert (first.side, first.gross_pnl, ledger.trade_commissions(first)) == (Side.LONG, 100, 3)
    assert (excess.side, excess.gross_pnl, ledger.trade_commissions(excess)) == (Side.SHORT, -50, D("1.5"))


def test_case_23_a_repetition_changes_nothing() -> None:
    ledger = Ledger()
    fill = execution("a.01", BUY, 100, "10")
    assert ledger.record(fill) == Fill(FillKind.NEW, 0, 100)
    assert ledger.record(fill) == Fill(FillKind.DUPLICATE, 100, 100)
    assert ledger == ledger_of(fill)


def test_case_26_a_correction_replaces_the_execution() -> None:
    ledger = ledger_of(execution("0001.a.01.01", BUY, 100, "10"), commission("0001.a.01.01", "1"))
    assert ledger.record(execution("0001.a.01.02", BUY, 90, "10.01")) == Fill(FillKind.CORRECTION, 100, 90)
    assert ledger.record(execution("0001.a.01.01", BUY, 100, "10")) == Fill(FillKind.DUPLICATE, 90, 90)
    assert ledger.average_price("SOXL") == D("10.01")
    assert ledger.commissions() == 1
    ledger.set_commission("0001.a.01.02", D("0.9"))
    ledger.set_commission("0001.a.01.01", D("1"))
    assert ledger.commissions() == D("0.9")


def test_case_26_the_tenth_correction_is_newer_than_the_ninth() -> None:
    ledger = ledger_of(execution("a.10", BUY, 10, "1"), execution("a.9", BUY, 9, "1"))
    assert ledger.position("SOXL") == 10


def test_case_26_a_bust_leaves_nothing() -> None:
    ledger = ledger_of(execution("a.01", BUY, 100, "10"), execution("a.02", BUY, 0, "10"))
    assert ledger.positions == {}
    assert ledger.daily_pnl({}) == 0
    assert ledger.trades() == ()


def test_ids_without_a_dot_are_executions_of_their_own() -> None:
    assert ledger_of(execution("a", BUY, 1, "1"), execution("b", BUY, 1, "1")).position("SOXL") == 2


def test_a_late_execution_takes_its_place_in_time() -> None:
    entry, target = execution("a.01", BUY, 10, "10", 1), execution("b.01", SELL, 10, "12", 2, leg=Leg.TARGET)
    ledger = ledger_of(target)
    assert ledger.position("SOXL") == -10
    ledger.record(entry)
    assert [(trip.side, trip.gross_pnl) for trip in ledger.trades()] == [(Side.LONG, 20)]
    assert ledger == ledger_of(entry, target)


def test_within_one_second_the_entry_comes_before_its_exit() -> None:
    ledger = ledger_of(
        execution("a.01", SELL, 10, "9", 5000, leg=Leg.STOP),
        execution("b.01", BUY, 10, "10", 5000),
        execution("c.01", SELL, 10, "9", 5000, number=2),
    )
    assert [trip.side for trip in ledger.trades()] == [Side.LONG]
    assert ledger.position("SOXL") == -10


def test_case_22_a_foreign_execution_closes_after_ours() -> None:
    ledger = ledger_of(execution("a.01", SELL, 10, "9", 5000, leg=None), execution("b.01", BUY, 10, "10", 5000))
    assert [(trip.side, trip.closed_by) for trip in ledger.trades()] == [(Side.LONG, "")]


def test_case_25_pending_is_not_zero() -> None:
    ledger = ledger_of(
        execution("a.01", BUY, 10, "10", 1),
        execution("b.01", SELL, 10, "11", 2, leg=Leg.TARGET),
        commission("a.01", "1"),
        commission("b.01", None),
    )
    (trip,) = ledger.trades()
    assert ledger.commission_pending() == ledger.commission_pending("SOXL") == ("b.01",)
    assert ledger.commission_pending("GLD") == ()
    assert ledger.trade_commissions(trip) is ledger.net_pnl(trip) is None
    ledger.set_commission("b.01", D("-0.25"))
    assert ledger.commission_pending() == ()
    assert ledger.net_pnl(trip) == D("9.25")


def test_case_25_a_commission_may_come_before_its_execution() -> None:
    ledger = ledger_of(commission("a.01", "1"))
    assert ledger.commissions() == 0
    ledger.record(execution("a.01", BUY, 10, "10"))
    assert ledger.commissions() == 1


def test_a_commission_that_is_none_any_more_stays_known() -> None:
    ledger = ledger_of(execution("a.01", BUY, 10, "10"), commission("a.01", "1"), commission("a.01", None))
    assert ledger.commissions() == 1


def test_a_commission_that_changes_counts_once() -> None:
    ledger = ledger_of(execution("a.01", BUY, 10, "10"), commission("a.01", "1"), commission("a.01", "0.6"))
    assert ledger.commissions() == ledger.commissions("SOXL") == D("0.6")


def test_tickers_are_kept_apart() -> None:
    ledger = ledger_of(execution("a.01", BUY, 10, "10"), execution("b.01", SELL, 5, "100", ticker="GLD"))
    assert ledger.positions == {"SOXL": 10, "GLD": -5}
    assert ledger.daily_pnl({"SOXL": D(11), "GLD": D(101)}) == 5


@pytest.mark.parametrize(
    ("shares", "price", "named"),
    [(-1, "10", "shares"), (1, "-1", "price"), (1, "NaN", "price"), (1, "Infinity", "price")],
)
def test_an_execution_that_is_none_is_refused(shares: int, price: str, named: str) -> None:
    with pytest.raises(InvalidValueError, match=named):
        Ledger().record(execution("a.01", BUY, shares, price))


@pytest.mark.parametrize("amount", ["NaN", "Infinity"])
def test_a_commission_that_is_no_amount_is_refused(amount: str) -> None:
    with pytest.raises(InvalidValueError, match="commission"):
        Ledger().set_commission("a.01", D(amount))
