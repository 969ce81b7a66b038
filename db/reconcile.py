"""Stores what a reconciliation found. Storing the same again changes nothing."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.reconciliation import Break, Reconciliation
from db.engine import open_database
from db.models import BreakRecord
from db.projections.executions import take_commission, take_execution
from db.projections.place import Subject, session_row, text
from db.projections.trades import take_trade


def store(url: str, session: str, found: Reconciliation) -> None:
    """Add what is missing, marked as added; keep each break once, and resolve those that are no longer found.

    All or nothing. Raises DatabaseError when the database is away.
    """
    subject = Subject.parse(session)
    with Session(open_database(url)) as tables, tables.begin():
        tables.refresh(session_row(tables, subject), with_for_update=True)  # one at a time with the shipper
        for execution in found.missing_executions:
            take_execution(tables, subject.account, execution, added_by_reconcile=True)
        for row in found.missing_commissions:
            take_commission(
                tables, subject.account, row.exec_id, row.commission, row.realized_pnl, added_by_reconcile=True
            )
        for trade in found.restated_trades:
            take_trade(tables, session, trade)
        _keep_breaks(tables, subject, found.breaks)


def _keep_breaks(tables: Session, subject: Subject, breaks: Iterable[Break]) -> None:
    of_the_day = select(BreakRecord).where(
        BreakRecord.account == subject.account, BreakRecord.trade_date == subject.trade_date
    )
    known = {(row.kind, row.key): row for row in tables.scalars(of_the_day)}
    found = {(one.kind.value, text(one.key)): one for one in breaks}
    for (kind, key), one in found.items():
        row = known.get((kind, key))
        if row is None:
            row = BreakRecord(account=subject.account, trade_date=subject.trade_date, kind=kind, key=key)
            tables.add(row)
        row.ours, row.brokers, row.resolved_at = text(one.ours), text(one.brokers), None
    for pair, row in known.items():
        if pair not in found and row.resolved_at is None:
            row.resolved_at = func.now()
