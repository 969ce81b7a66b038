"""The day against the broker's (SEMANTICS 10): what is added, and what is a break."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from core.orders import Execution, PositionRow
from core.reconcile import reconcile, with_rows
from core.reconciliation import (
    Break,
    BreakKind,
    BrokerDay,
    CommissionRow,
    DatabaseDay,
    PnlLine,
    Reconciliation,
    Scope,
)
from core.vocabulary import Action, Leg, Side
from tests.support.fills import BUY, SELL, SESSION, execution
from tests.support.settled import Day

D = Decimal


@pytest.fixture
def day() -> Day:
    """A gain in SOXL, a loss in GLD."""
    day = Day()
    day.trade("SOXL", Side.LONG, [(100, "75.10", "1.00"), (33, "75.12", "0.35")], [(133, "75.40", "1.0203")])
    day.trade("GLD", Side.SHORT, [(50, "120.00", "1.00")], [(20, "120.10", "1.00"), (30, "120.20", "-0.10")])
    return day


def breaks(found: Reconciliation) -> list[tuple[BreakKind, str]]:
    return [(one.kind, one.key) for one in found.breaks]


def test_a_day_on_which_both_agree_passes(day: Day) -> None:
    found = reconcile(day.broker, day.database)
    assert found.passed
    assert found.missing_executions == found.missing_commissions == found.restated_trades == ()
    soxl, gld = D("39.24") - D("2.3703"), D("-8.00") - D("1.90")
    assert found.pnl == (
        PnlLine(Scope.TRADE, "GLD 1", gld, gld),
        PnlLine(Scope.TRADE, "SOXL 1", soxl, soxl),
        PnlLine(Scope.TICKER, "GLD", gld, gld),
        PnlLine(Scope.TICKER, "SOXL", soxl, soxl),
        PnlLine(Scope.DAY, "day", soxl + gld, soxl + gld),
    )


def test_a_day_without_trades_passes() -> None:
    found = reconcile(Day().broker, Day().database)
    assert found.passed
    assert found.pnl == (PnlLine(Scope.DAY, "day", D(0), D(0)),)


def test_case_1_an_execution_that_was_missed_is_added(day: Day) -> None:
    missed = day.executions[2]
    database = replace(day.database, executions=tuple(one for one in day.executions if one != missed))
    found = reconcile(day.broker, database)
    assert found.missing_executions == (missed,)
    assert found.passed


def test_an_execution_that_the_broker_lists_twice_is_added_once(day: Day) -> None:
    broker = replace(day.broker, executions=day.broker.executions * 2)
    assert reconcile(broker, replace(day.database, executions=())).missing_executions == day.broker.executions


def test_case_25_a_commission_that_came_late_completes_its_trade(day: Day) -> None:
    pending = replace(day.trades[0], commissions=None)
    database = replace(day.database, commissions=tuple(day.commissions[1:]), trades=(pending, day.trades[1]))
    found = reconcile(day.broker, database)
    assert found.missing_commissions == (day.commissions[0],)
    assert found.restated_trades == (day.trades[0],)
    assert found.passed
    repaired = with_rows(database, found.missing_executions, found.missing_commissions, found.restated_trades)
    assert reconcile(day.broker, repaired) == Reconciliation(pnl=found.pnl)


def test_case_25_a_trade_that_missed_its_commissions_gets_them(day: Day) -> None:
    database = with_rows(day.database, trades=[replace(day.trades[0], commissions=None)])
    found = reconcile(day.broker, database)
    assert found.restated_trades == (day.trades[0],)
    assert found.passed


def test_case_25_a_figure_that_was_open_is_filled_in(day: Day) -> None:
    row = day.commissions[2]
    for known in (replace(row, realized_pnl=None), replace(row, commission=None)):
        database = with_rows(day.database, commissions=[known])
        found = reconcile(day.broker, database)
        assert found.missing_commissions == (row,)
        assert found.passed


def test_case_25_a_fill_without_a_price_of_its_trading_is_a_break(day: Day) -> None:
    row = day.commissions[0]
    unpriced = (replace(row, commission=None), *day.commissions[1:])
    trades = (replace(day.trades[0], commissions=None), day.trades[1])
    found = reconcile(
        replace(day.broker, commissions=unpriced), replace(day.database, commissions=unpriced, trades=trades)
    )
    assert found.breaks == (Break(BreakKind.COMMISSION_PENDING, row.exec_id, "", ""),)
    assert [line.ours for line in found.pnl if line.key in ("SOXL 1", "SOXL", "day")] == [None, None, None]


def test_an_execution_of_ours_that_the_broker_does_not_know_is_a_break(day: Day) -> None:
    invented = execution("0009.1.01.01", SELL, 10, "75", 99_000, 9, Leg.STOP)
    found = reconcile(day.broker, with_rows(day.database, [invented], [CommissionRow("0009.1.01.01", D(1))]))
    assert found.breaks[0] == Break(
        BreakKind.EXECUTION_UNKNOWN_TO_BROKER,
        "0009.1.01.01",
        "SOXL SELL 10 at 75, 99000, DU1-20131007/SOXL/9/stop",
        "",
    )
    assert (BreakKind.POSITION_DIFFERS, "SOXL") in breaks(found)
    assert (BreakKind.POSITION_LEFT, "SOXL") in breaks(found)


def test_case_26_a_corrected_execution_is_no_break(day: Day) -> None:
    first = day.executions[0]
    corrected = replace(first, exec_id=first.exec_id[:-2] + "02")
    broker = replace(day.broker, executions=(corrected, *day.executions[1:]))
    found = reconcile(broker, day.database)
    assert found.missing_executions == (corrected,)
    assert found.passed


def test_case_26_a_fill_that_is_corrected_after_the_close_restates_its_trade(day: Day) -> None:
    """A cent a share more for the 133 of the exit: the broker's realised P&L of the fill follows."""
    number, last = next((number, one) for number, one in enumerate(day.executions) if one.shares == 133)
    corrected = replace(last, exec_id=last.exec_id[:-2] + "02", price=last.price + D("0.01"))
    row = day.commissions[number]
    assert row.realized_pnl is not None
    told = replace(row, exec_id=corrected.exec_id, realized_pnl=row.realized_pnl + D("1.33"))
    broker = replace(
        day.broker,
        executions=tuple(corrected if one == last else one for one in day.executions),
        commissions=(*day.commissions, told),
    )
    found = reconcile(broker, day.database)
    assert found.passed, found.breaks
    trade = day.trades[0]
    assert found.restated_trades == (replace(trade, exit_price=corrected.price, gross_pnl=trade.gross_pnl + D("1.33")),)
    repaired = with_rows(day.database, found.missing_executions, found.missing_commissions, found.restated_trades)
    assert reconcile(broker, repaired) == Reconciliation(pnl=found.pnl)


def test_case_26_an_entry_that_is_corrected_after_the_close_changes_the_profit_told_of_its_exit(day: Day) -> None:
    """The broker tells the new profit under the exit's own id (ADR 12); that of other tickers must stay."""
    entry, last = day.executions[0], next(one for one in day.executions if one.shares == 133)
    corrected = replace(entry, exec_id=entry.exec_id[:-2] + "02", price=entry.price - D("0.01"))
    row = day.commissions[2]
    assert row.exec_id == last.exec_id
    assert row.realized_pnl is not None
    told = replace(row, realized_pnl=row.realized_pnl + D("1.00"))
    broker = replace(
        day.broker,
        executions=(corrected, *day.executions[1:]),
        commissions=(*day.commissions[:2], told, *day.commissions[3:]),
    )
    found = reconcile(broker, day.database)
    assert found.breaks == ()
    assert found.missing_commissions == (told,)
    assert [trade.gross_pnl for trade in found.restated_trades] == [day.trades[0].gross_pnl + D("1.00")]
    repaired = with_rows(day.database, found.missing_executions, found.missing_commissions, found.restated_trades)
    assert reconcile(broker, repaired) == Reconciliation(pnl=found.pnl)
    heard = with_rows(day.database, [corrected], trades=found.restated_trades)  # and ended before the profit was told
    assert reconcile(broker, heard).missing_commissions == (told,)
    assert reconcile(broker, heard).passed
    other = replace(day.commissions[-1], realized_pnl=D(0))
    found = reconcile(replace(broker, commissions=(*broker.commissions[:-1], other)), day.database)
    assert (BreakKind.COMMISSION_DIFFERS, other.exec_id) in breaks(found)


def test_case_26_a_correction_hides_nothing_that_was_wrong_before(day: Day) -> None:
    """Neither in the trade of the corrected fill, nor where the row of another trade is missing."""
    day.trade("SOXL", Side.LONG, [(50, "76.00", "1.00")], [(50, "76.50", "1.00")])
    last = next(one for one in day.executions if one.shares == 133)
    corrected = replace(last, exec_id=last.exec_id[:-2] + "02", price=last.price + D("0.01"))
    broker = replace(day.broker, executions=tuple(corrected if one == last else one for one in day.executions))
    wrong = with_rows(day.database, trades=[replace(day.trades[0], side=Side.SHORT, shares=500, gross_pnl=D(9999))])
    lacking = replace(day.database, trades=tuple(day.trades[1:]))
    dear = with_rows(day.database, trades=[replace(day.trades[0], commissions=D(999))])
    for database, kind in (
        (wrong, BreakKind.TRADE_DIFFERS),
        (dear, BreakKind.TRADE_DIFFERS),
        (lacking, BreakKind.TRADE_MISSING),
    ):
        found = reconcile(broker, database)
        assert found.restated_trades == ()
        assert kind in {one.kind for one in found.breaks}


def test_case_26_corrections_of_commission_time_and_price_restate_a_trade_too(day: Day) -> None:
    """Also where the sums stay: a cent more in, a cent more out; and where the fill moves behind another."""
    entry, part, last = day.executions[0], day.executions[1], day.executions[2]

    def revised(row: Execution, **changes: object) -> Execution:
        return replace(row, exec_id=row.exec_id[:-2] + "02", **changes)

    dearer = (replace(day.commissions[2], exec_id=revised(last).exec_id, commission=D("1.50")),)
    for changed, commissions in (
        ([revised(last)], dearer),
        ([revised(entry, time_ms=part.time_ms, price=entry.price + D("0.01"))], ()),
        ([revised(one, price=one.price + D("0.01")) for one in (entry, part, last)], ()),
    ):
        lineages = {one.lineage for one in changed}
        kept = tuple(one for one in day.executions if one.lineage not in lineages)
        broker = replace(day.broker, executions=(*kept, *changed), commissions=(*day.commissions, *commissions))
        (trade,) = reconcile(broker, day.database).restated_trades
        assert trade.number == day.trades[0].number
        assert trade != day.trades[0]


def test_case_26_a_correction_that_leaves_shares_is_a_break(day: Day) -> None:
    last = next(one for one in day.executions if one.shares == 133)
    corrected = replace(last, exec_id=last.exec_id[:-2] + "02", shares=130)
    broker = replace(day.broker, executions=tuple(corrected if one == last else one for one in day.executions))
    found = reconcile(broker, day.database)
    assert found.restated_trades == ()
    assert (BreakKind.POSITION_LEFT, "SOXL") in breaks(found)
    assert (BreakKind.TRADE_DIFFERS, "SOXL 1") in breaks(found)


def test_case_26_a_trade_that_was_stored_otherwise_is_a_break_beside_a_correction_of_another(day: Day) -> None:
    other = day.executions[-1]
    corrected = replace(other, exec_id=other.exec_id[:-2] + "02")
    broker = replace(day.broker, executions=(*day.executions[:-1], corrected))
    wrong = replace(day.trades[0], gross_pnl=day.trades[0].gross_pnl + 1)
    found = reconcile(broker, with_rows(day.database, trades=[wrong]))
    assert breaks(found) == [(BreakKind.TRADE_DIFFERS, "SOXL 1")]


def test_case_26_a_correction_that_only_we_know_is_a_break(day: Day) -> None:
    corrected = replace(day.executions[0], exec_id=day.executions[0].exec_id[:-2] + "02")
    found = reconcile(day.broker, with_rows(day.database, [corrected]))
    assert breaks(found) == [(BreakKind.EXECUTION_UNKNOWN_TO_BROKER, corrected.exec_id)]


@pytest.mark.parametrize(
    "change",
    [{"shares": 99}, {"price": D("75.11")}, {"action": SELL}, {"time_ms": 1}, {"order_ref": ""}, {"ticker": "X"}],
)
def test_an_execution_that_reads_differently_is_a_break(day: Day, change: dict[str, object]) -> None:
    ours = replace(day.executions[0], **change)
    found = reconcile(day.broker, with_rows(day.database, [ours]))
    assert (BreakKind.EXECUTION_DIFFERS, ours.exec_id) in breaks(found)


def test_a_price_with_other_zeros_is_the_same(day: Day) -> None:
    assert reconcile(day.broker, with_rows(day.database, [replace(day.executions[0], price=D("75.1000"))])).passed


@pytest.mark.parametrize("change", [{"commission": D("1.01")}, {"realized_pnl": D("36.90")}])
def test_a_figure_that_changed_is_a_break(day: Day, change: dict[str, Decimal]) -> None:
    ours = replace(day.commissions[2], **change)
    found = reconcile(day.broker, with_rows(day.database, commissions=[ours]))
    assert (BreakKind.COMMISSION_DIFFERS, ours.exec_id) in breaks(found)


def test_figures_are_compared_to_the_cent(day: Day) -> None:
    ours = replace(day.commissions[2], commission=D("1.024"))
    assert reconcile(day.broker, with_rows(day.database, commissions=[ours])).passed


def test_a_commission_of_nothing_is_a_break(day: Day) -> None:
    row = CommissionRow("0009.1.01.01", D(1))
    found = reconcile(day.broker, with_rows(day.database, commissions=[row]))
    assert found.breaks == (
        Break(BreakKind.COMMISSION_WITHOUT_EXECUTION, row.exec_id, "commission 1, realised None", ""),
    )


def test_a_position_that_nothing_explains_is_a_break(day: Day) -> None:
    found = reconcile(replace(day.broker, positions=(PositionRow("SLV", 7, D(20)),)), day.database)
    assert found.breaks == (Break(BreakKind.POSITION_DIFFERS, "SLV", "0", "7"),)


def test_a_position_held_before_the_session_explains_itself(day: Day) -> None:
    held = (PositionRow("SLV", 7, D(20)),)
    assert reconcile(replace(day.broker, positions=held), replace(day.database, positions_before=held)).passed


def by_hand(exec_id: str, action: Action, shares: int, at_ms: int, ref: str = "") -> Execution:
    """The owner, or with a reference another program, trades SOXL."""
    return replace(execution(exec_id, action, shares, "75.40", at_ms, leg=None), order_ref=ref)


def others(day: Day, *executions: Execution) -> tuple[BrokerDay, DatabaseDay]:
    """The same day with these as well, each charged a dollar."""
    costs = [CommissionRow(one.exec_id, D(1), D(9)) for one in executions]
    broker = replace(day.broker, executions=(*day.executions, *executions), commissions=(*day.commissions, *costs))
    return broker, with_rows(day.database, executions, costs)


@pytest.mark.parametrize("ref", ["", "another program"])
def test_what_others_trade_in_our_tickers_is_no_trade_of_ours(day: Day, ref: str) -> None:
    """Before, beside and after our position, on their own account; what they keep explains the account's."""
    broker, database = others(
        day,
        by_hand("h1.01", BUY, 7, 0, ref),
        by_hand("h2.01", SELL, 5, 1500, ref),
        by_hand("h3.01", BUY, 1, 90_000, ref),
    )
    found = reconcile(replace(broker, positions=(PositionRow("SOXL", 3, D(75)),)), database)
    assert found.breaks == ()
    assert found.pnl == reconcile(day.broker, day.database).pnl
    assert breaks(reconcile(broker, database)) == [(BreakKind.POSITION_DIFFERS, "SOXL")]


@pytest.mark.parametrize("ref", ["", "another program", f"{SESSION}+account/SOXL/9/exit"])
def test_case_22_what_others_close_of_ours_is_part_of_our_trade(ref: str) -> None:
    """The account held 20 of theirs: 153 sold at once are those, and our 133."""
    day = Day()
    day.trade("SOXL", Side.LONG, [(133, "75.10", "1.00")], [(133, "75.40", "1.00")])
    day.executions[1] = by_hand(day.executions[1].exec_id, SELL, 153, day.executions[1].time_ms, ref)
    held = (PositionRow("SOXL", 20, D(75)),)
    found = reconcile(day.broker, replace(day.database, positions_before=held))
    assert found.breaks == ()
    assert breaks(reconcile(day.broker, day.database)) == [(BreakKind.POSITION_DIFFERS, "SOXL")]


def test_a_position_that_the_session_leaves_is_a_break() -> None:
    entry = execution("a.01", SELL, 10, "20")
    day = Day([entry], [CommissionRow("a.01", D(1))])
    found = reconcile(replace(day.broker, positions=(PositionRow("SOXL", -10, D(20)),)), day.database)
    assert found.breaks == (Break(BreakKind.POSITION_LEFT, "SOXL", "-10", "-10"),)
    assert found.pnl[0] == PnlLine(Scope.TICKER, "SOXL", None, D(0))


def test_a_trade_that_was_not_stored_is_a_break(day: Day) -> None:
    found = reconcile(day.broker, replace(day.database, trades=tuple(day.trades[1:])))
    assert found.breaks == (Break(BreakKind.TRADE_MISSING, "SOXL 1", "", "long 133, gross 39.24, commissions 2.37"),)


def test_a_trade_that_no_executions_make_is_a_break(day: Day) -> None:
    invented = replace(day.trades[0], number=9, ticker="SLV")
    found = reconcile(day.broker, with_rows(day.database, trades=[invented]))
    assert found.breaks == (Break(BreakKind.TRADE_DIFFERS, "SLV 1", "long 133, gross 39.24, commissions 2.37", ""),)


@pytest.mark.parametrize(
    "change", [{"side": Side.SHORT}, {"shares": 1}, {"gross_pnl": D("39.23")}, {"commissions": D("2.36")}]
)
def test_a_trade_that_was_stored_otherwise_is_a_break(day: Day, change: dict[str, object]) -> None:
    found = reconcile(day.broker, with_rows(day.database, trades=[replace(day.trades[0], **change)]))
    assert breaks(found) == [(BreakKind.TRADE_DIFFERS, "SOXL 1")]


def test_a_trade_whose_executions_are_unpriced_stays_open(day: Day) -> None:
    rows = tuple(replace(row, commission=None) for row in day.commissions)
    trades = tuple(replace(trade, commissions=None) for trade in day.trades)
    found = reconcile(replace(day.broker, commissions=rows), replace(day.database, commissions=rows, trades=trades))
    assert found.restated_trades == ()
    assert {one.kind for one in found.breaks} == {BreakKind.COMMISSION_PENDING}


def test_pnl_other_than_the_broker_s_is_a_break_at_every_level(day: Day) -> None:
    rows = (*day.commissions[:2], replace(day.commissions[2], realized_pnl=D("36.00")), *day.commissions[3:])
    found = reconcile(replace(day.broker, commissions=rows), replace(day.database, commissions=rows))
    assert breaks(found) == [
        (BreakKind.PNL_DIFFERS, "trade SOXL 1"),
        (BreakKind.PNL_DIFFERS, "ticker SOXL"),
        (BreakKind.PNL_DIFFERS, "day day"),
    ]
    assert (found.breaks[0].ours, found.breaks[0].brokers) == ("36.8697", "36.00")


def test_pnl_that_the_broker_never_told_is_a_break(day: Day) -> None:
    rows = tuple(replace(row, realized_pnl=None) for row in day.commissions)
    found = reconcile(replace(day.broker, commissions=rows), replace(day.database, commissions=rows))
    assert {one.kind for one in found.breaks} == {BreakKind.PNL_DIFFERS}
