"""What a reconciliation found is stored once; storing it twice changes nothing; then the day reconciles."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from core.orders import Execution
from core.reconcile import reconcile
from core.reconciliation import Break, BreakKind, BrokerDay, CommissionRow, Reconciliation
from core.vocabulary import Action
from db.journal import Journal
from db.queries import database_day, read_view
from db.reconcile import store
from tests.support.journals import OPEN_MS, SESSION
from tests.support.shipping import DAY, ship_all, tables

MISSED = Execution(
    "00cc.1.01", f"{SESSION}/GLD/99/exit", 9, 7, 900, "GLD", Action.SELL, 10, Decimal("220.5"), OPEN_MS, "ARCA"
)
PRICED = CommissionRow(MISSED.exec_id, Decimal("1.05"), Decimal("-3.20"))
POSITION = Break(BreakKind.POSITION_DIFFERS, "GLD", "0", "-10")


def test_missing_rows_are_added_marked_and_once(postgres_url: str) -> None:
    found = Reconciliation(missing_executions=(MISSED,), missing_commissions=(PRICED,))
    store(postgres_url, SESSION, found)
    once = tables(postgres_url)
    store(postgres_url, SESSION, found)
    assert tables(postgres_url) == once
    (row,) = read_view(postgres_url, "v_executions")
    assert (row["exec_id"], row["added_by_reconcile"], row["commission"]) == ("00cc.1.01", True, Decimal("1.05"))
    day = database_day(postgres_url, SESSION, lambda _: True)
    assert (day.executions, day.commissions) == ((MISSED,), (PRICED,))


def test_a_row_told_only_in_part_is_completed(postgres_url: str) -> None:
    part = replace(PRICED, commission=None)
    store(postgres_url, SESSION, Reconciliation((MISSED,), (part,)))
    assert database_day(postgres_url, SESSION, lambda _: True).commissions == (part,)
    store(postgres_url, SESSION, Reconciliation((), (PRICED,)))
    store(postgres_url, SESSION, Reconciliation((), (part,)))
    assert database_day(postgres_url, SESSION, lambda _: True).commissions == (PRICED,)


def test_a_break_is_kept_once_until_it_is_no_longer_found(postgres_url: str) -> None:
    for _ in range(2):
        store(postgres_url, SESSION, Reconciliation(breaks=(POSITION,)))
        once = tables(postgres_url)["breaks"]
    (shown,) = read_view(postgres_url, "v_breaks")
    assert (shown["kind"], shown["key"], shown["ours"], shown["brokers"]) == ("position_differs", "GLD", "0", "-10")
    store(postgres_url, SESSION, Reconciliation(breaks=(POSITION,)))
    assert tables(postgres_url)["breaks"] == once
    store(postgres_url, SESSION, Reconciliation())
    assert read_view(postgres_url, "v_breaks") == []
    resolved = tables(postgres_url)["breaks"]
    store(postgres_url, SESSION, Reconciliation())
    assert tables(postgres_url)["breaks"] == resolved
    store(postgres_url, SESSION, Reconciliation(breaks=(POSITION,)))
    assert tables(postgres_url)["breaks"] == once


def test_breaks_of_another_day_stay(postgres_url: str) -> None:
    store(postgres_url, "DU1234567-20240604", Reconciliation(breaks=(POSITION,)))
    store(postgres_url, SESSION, Reconciliation())
    assert len(read_view(postgres_url, "v_breaks")) == 1


def test_a_whole_day_is_completed_from_the_broker_and_then_holds(postgres_url: str, tmp_path: Path) -> None:
    with Journal.open(tmp_path, SESSION) as journal:
        journal.append(DAY)
        ship_all(journal, postgres_url)
    ours = database_day(postgres_url, SESSION, lambda _: True)
    broker = BrokerDay((*ours.executions, MISSED), (*ours.commissions, PRICED), ())
    found = reconcile(broker, ours)
    assert found.missing_executions == (MISSED,)
    store(postgres_url, SESSION, found)
    again = reconcile(broker, database_day(postgres_url, SESSION, lambda _: True))
    assert (again.missing_executions, again.missing_commissions, again.restated_trades) == ((), (), ())
    assert again.breaks == found.breaks
    before = tables(postgres_url)
    store(postgres_url, SESSION, again)
    assert tables(postgres_url) == before
