"""Executions and their commissions, each exactly once, whichever comes first."""

from __future__ import annotations

from decimal import Decimal

from sqlalchemy.orm import Session

from core.orders import Execution, revision_of
from db.models import CommissionRecord, ExecutionRecord
from db.projections.place import owner_of, session_row, text
from db.times import from_ms


def take_execution(tables: Session, account: str, execution: Execution, *, added_by_reconcile: bool = False) -> None:
    """Store an execution unless its id is there; a correction has an id of its own."""
    if tables.get(ExecutionRecord, (account, execution.exec_id)) is not None:
        return
    owner = owner_of(execution.order_ref, account)
    if owner is not None:
        session_row(tables, owner)
    tables.add(
        ExecutionRecord(
            account=account,
            exec_id=execution.exec_id,
            lineage=execution.lineage,
            correction=revision_of(execution.exec_id)[0],
            session=None if owner is None else owner.session,
            order_ref=text(execution.order_ref),
            order_id=execution.order_id,
            client_id=execution.client_id,
            perm_id=execution.perm_id,
            ticker=text(execution.ticker),
            action=execution.action,
            shares=execution.shares,
            price=execution.price,
            executed_at=from_ms(execution.time_ms),
            exchange=text(execution.exchange),
            added_by_reconcile=added_by_reconcile,
        )
    )


def take_commission(
    tables: Session,
    account: str,
    exec_id: str,
    commission: Decimal | None,
    realized_pnl: Decimal | None,
    *,
    added_by_reconcile: bool = False,
) -> None:
    """Store what an execution cost; the newest figures count, and none (None) replaces none."""
    if commission is None and realized_pnl is None:
        return
    row = tables.get(CommissionRecord, (account, exec_id))
    if row is None:
        row = CommissionRecord(account=account, exec_id=exec_id, added_by_reconcile=added_by_reconcile)
        tables.add(row)
    row.commission = row.commission if commission is None else commission
    row.realized_pnl = row.realized_pnl if realized_pnl is None else realized_pnl
