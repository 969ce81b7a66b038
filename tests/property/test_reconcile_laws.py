"""Laws of the reconciliation: it changes nothing twice, and no difference goes unnoticed."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from core.orders import PositionRow
from core.reconcile import reconcile, with_rows
from core.reconciliation import BrokerDay, DatabaseDay, Reconciliation
from tests.support.settled import Day, settled_days

CENT = Decimal("0.01")


@st.composite
def shaken(draw: st.DrawFn) -> tuple[BrokerDay, DatabaseDay]:
    """A day of which each side has lost and mistaken some rows."""
    day = draw(settled_days())
    broker, database = day.broker, day.database
    for side in (broker, database):
        executions = [one for one in side.executions if draw(st.integers(0, 5))]
        commissions = [one for one in side.commissions if draw(st.integers(0, 5))]
        wrong = draw(st.sampled_from([0, 0, 0, 1]))
        executions = [replace(one, shares=one.shares + wrong) for one in executions]
        commissions = [replace(one, commission=draw(st.sampled_from([one.commission, None]))) for one in commissions]
        changed = {"executions": tuple(executions), "commissions": tuple(commissions)}
        if side is broker:
            broker = replace(broker, **changed)
        else:
            database = replace(database, **changed, trades=tuple(t for t in day.trades if draw(st.integers(0, 3))))
    return broker, database


@given(settled_days())
def test_a_day_on_which_both_agree_passes(day: Day) -> None:
    found = reconcile(day.broker, day.database)
    assert found.breaks == found.missing_executions == found.missing_commissions == found.restated_trades == ()


@given(shaken())
def test_running_it_twice_changes_nothing(days: tuple[BrokerDay, DatabaseDay]) -> None:
    broker, database = days
    first = reconcile(broker, database)
    assert reconcile(broker, database) == first
    repaired = with_rows(database, first.missing_executions, first.missing_commissions, first.restated_trades)
    assert reconcile(broker, repaired) == Reconciliation(breaks=first.breaks, pnl=first.pnl)
    assert len({(one.kind, one.key) for one in first.breaks}) == len(first.breaks)


@given(settled_days(), st.data())
def test_rows_that_the_database_lost_are_the_missing_ones(day: Day, choice: st.DataObject) -> None:
    lost = choice.draw(st.sets(st.integers(0, len(day.executions) - 1)))
    unpriced = choice.draw(st.sets(st.integers(0, len(day.commissions) - 1)))
    found = reconcile(
        day.broker,
        replace(
            day.database,
            executions=tuple(one for place, one in enumerate(day.executions) if place not in lost),
            commissions=tuple(one for place, one in enumerate(day.commissions) if place not in unpriced),
        ),
    )
    assert found.passed
    assert found.missing_executions == tuple(day.executions[place] for place in sorted(lost))
    assert found.missing_commissions == tuple(day.commissions[place] for place in sorted(unpriced))


@given(settled_days(), st.data())
def test_no_single_difference_goes_unnoticed(day: Day, choice: st.DataObject) -> None:
    """Any one row of any one table, lost or changed on either side."""
    broker, database = day.broker, day.database
    one = choice.draw(st.sampled_from(day.executions))
    row = choice.draw(st.sampled_from(day.commissions))
    trade = choice.draw(st.sampled_from(day.trades))
    other_price = replace(one, price=one.price + CENT)
    other_cost = replace(row, commission=(row.commission or 0) + CENT)
    changes = [
        (replace(broker, executions=tuple(x for x in broker.executions if x != one)), database),
        (replace(broker, executions=tuple(other_price if x == one else x for x in broker.executions)), database),
        (replace(broker, commissions=tuple(other_cost if x == row else x for x in broker.commissions)), database),
        (replace(broker, positions=(PositionRow(one.ticker, 1, Decimal(1)),)), database),
        (broker, with_rows(database, [other_price])),
        (broker, with_rows(database, commissions=[other_cost])),
        (broker, with_rows(database, trades=[replace(trade, gross_pnl=trade.gross_pnl + CENT)])),
        (broker, replace(database, executions=tuple(x for x in database.executions if x != one))),
        (broker, replace(database, commissions=tuple(x for x in database.commissions if x != row))),
        (broker, replace(database, trades=tuple(x for x in database.trades if x != trade))),
    ]
    for changed in changes:
        found = reconcile(*changed)
        assert found.breaks or found.missing_executions or found.missing_commissions
