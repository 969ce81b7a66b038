"""Laws of the ledger: the same for any order and repetition, and its sums balance."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from core.codec import decode, encode
from core.ledger import Ledger
from core.orders import Execution, lineage_of, revision_of
from core.trades import CostMethod
from tests.support.fills import Reported, days, ledger_of, prices

TINY = Decimal("1E-18")
"""For averages that no decimal can hold."""
MARKS = st.fixed_dictionaries({"SOXL": prices, "GLD": prices})


@st.composite
def orders_of_a_day(draw: st.DrawFn) -> tuple[list[Reported], list[Reported]]:
    """The same messages twice: in the order of the day, and shuffled with repetitions."""
    day = draw(days())
    again = draw(st.lists(st.sampled_from(day))) if day else []
    return day, draw(st.permutations(day + again))


def counted(day: list[Reported]) -> dict[str, Execution]:
    """By hand: of each execution the newest correction."""
    told = [message.execution for message in day if message.execution is not None]
    return {one.lineage: one for one in sorted(told, key=lambda one: revision_of(one.exec_id))}


def charged(day: list[Reported]) -> dict[str, Decimal]:
    """By hand: of each execution the commission of its newest correction that has one."""
    told = [message for message in day if message.commission is not None]
    newest = sorted(told, key=lambda message: revision_of(message.exec_id))
    return {lineage_of(one.exec_id): one.commission for one in newest if one.commission is not None}


@given(orders_of_a_day())
def test_case_23_any_order_and_repetition_gives_the_same_ledger(orders: tuple[list[Reported], list[Reported]]) -> None:
    day, shuffled = orders
    assert ledger_of(*shuffled) == ledger_of(*day)


@given(days())
def test_positions_are_the_sums_of_the_executions(day: list[Reported]) -> None:
    sums: dict[str, int] = {}
    for one in counted(day).values():
        sums[one.ticker] = sums.get(one.ticker, 0) + one.action.sign * one.shares
    assert ledger_of(*day).positions == {ticker: shares for ticker, shares in sums.items() if shares}


@given(days(), MARKS)
def test_daily_pnl_is_cash_and_value_less_commissions(day: list[Reported], marks: dict[str, Decimal]) -> None:
    executions, commissions = counted(day), charged(day)
    expected = -sum(amount for lineage, amount in commissions.items() if lineage in executions)
    for one in executions.values():
        expected += one.action.sign * one.shares * (marks[one.ticker] - one.price)
    assert ledger_of(*day).daily_pnl(marks) == expected


@given(days(), MARKS)
def test_realised_and_unrealised_add_up_by_both_methods(day: list[Reported], marks: dict[str, Decimal]) -> None:
    ledger = ledger_of(*day)
    total = ledger.daily_pnl(marks)
    assert total is not None
    for method in CostMethod:
        unrealised = sum(book.position * marks[book.ticker] - book.basis(method) for book in ledger.books.values())
        assert abs(ledger.realized(method=method) + unrealised - ledger.commissions() - total) < TINY


@given(days())
def test_fifo_and_average_cost_agree_where_flat(day: list[Reported]) -> None:
    ledger = ledger_of(*day)
    for ticker in ledger.books.keys() - ledger.positions.keys():
        fifo, average = (ledger.realized(ticker, method) for method in CostMethod)
        assert fifo == average == sum(trip.gross_pnl or 0 for trip in ledger.trades(ticker))


@given(days())
def test_round_trips_follow_one_another_and_hold_every_share(day: list[Reported]) -> None:
    ledger = ledger_of(*day)
    for book in ledger.books.values():
        *closed, last = book.trips or [None]
        assert all(trip is not None and trip.held == 0 and trip.closed_ms is not None for trip in closed)
        assert (last.held if last else 0) == book.position
        assert all(one.closed_ms <= two.opened_ms for one, two in pairwise(book.trips) if one.closed_ms is not None)
        parts = [part for trip in book.trips for part in trip.parts]
        assert sum(part.shares for part in parts) == sum(one.shares for one in ledger.executions_of(book.ticker))
        assert sum(lot.shares for lot in book.lots) == book.position
        assert all(lot.shares * book.position > 0 for lot in book.lots)
        assert last is None or last.held * last.side.sign >= 0
        for trip in book.trips:
            assert trip.entry_shares - trip.exit_shares == abs(trip.held)
            assert 0 < trip.most_held <= trip.entry_shares


@given(days())
def test_the_commissions_of_the_trips_add_up(day: list[Reported]) -> None:
    ledger = ledger_of(*day)
    for ticker, book in ledger.books.items():
        shares = [ledger.trade_commissions(trip) for trip in book.trips]
        busts = any(one.shares == 0 for one in ledger.executions_of(ticker))
        if None in shares:
            assert ledger.commission_pending(ticker)
        elif not busts:
            assert abs(sum(filter(None, shares), Decimal(0)) - ledger.commissions(ticker)) < TINY


@given(days())
def test_the_total_of_commissions_is_the_sum_over_tickers(day: list[Reported]) -> None:
    ledger = ledger_of(*day)
    assert ledger.commissions() == sum(ledger.commissions(ticker) for ticker in ledger.books)


@given(days())
def test_a_fill_tells_the_position_before_and_after(day: list[Reported]) -> None:
    for ledger, one in _growing(day):
        before = ledger.position(one.ticker)
        fill = ledger.record(one)
        assert (fill.position_before, fill.position_after) == (before, ledger.position(one.ticker))


def _growing(day: list[Reported]) -> Iterator[tuple[Ledger, Execution]]:
    ledger = Ledger()
    for message in day:
        if message.execution is not None:
            yield ledger, message.execution


@given(days())
def test_a_ledger_is_read_back_as_it_was_written(day: list[Reported]) -> None:
    ledger = ledger_of(*day)
    assert decode(encode(ledger), Ledger) == ledger
