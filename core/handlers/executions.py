"""Executions, commissions and positions as the broker reports them."""

from __future__ import annotations

from core.adoption import adopt, take_foreign
from core.desk import Desk
from core.events import CommissionReported, ExecutionReported, PositionReported
from core.fills import report_trades, take_own
from core.losses import weigh_loss
from core.orders import Execution, lineage_of
from core.protection import SETTLE_MS
from core.state import Book
from core.tending import tend


def on_execution_reported(desk: Desk, event: ExecutionReported) -> None:
    """A fill, its correction, or a repetition.

    Until the broker has been read back it waits: what came before it is not known yet, and whose shares a trade of
    somebody else's cut depends on the order of things.
    """
    if not desk.state.reconciled:
        desk.state.early_executions.append(event.execution)
        return
    book = take(desk, event.execution, event.at_ms)
    if book is not None:
        tend(desk, book)
        weigh_loss(desk)


def on_commission_reported(desk: Desk, event: CommissionReported) -> None:
    """A commission, before or after its execution; None stays pending."""
    ledger = desk.state.ledger
    ledger.set_commission(event.exec_id, event.commission)
    execution = ledger.executions.get(lineage_of(event.exec_id))
    if execution is not None:
        report_trades(desk, desk.book(execution.ticker))
        weigh_loss(desk)


def on_position_reported(desk: Desk, event: PositionReported) -> None:
    """The account's position, pushed. It may precede the executions that explain it, so it only raises a question."""
    book = desk.state.books.get(event.position.ticker)
    if book is not None:
        book.account_shares = event.position.shares
        book.account_asked_ms = event.at_ms + SETTLE_MS
        tend(desk, book)


def take(desk: Desk, execution: Execution, at_ms: int) -> Book | None:
    """Take an execution in exactly once; the book that it changed. `at_ms`: when it counts as having happened."""
    is_ours = desk.is_ours(execution.order_ref)
    if not is_ours and execution.ticker not in desk.state.books:
        return None  # somebody else's, in a ticker that is not the session's
    book = desk.book(execution.ticker)
    order = book.find(execution.order_ref)
    if not is_ours:
        return take_foreign(desk, book, execution, order, at_ms)
    if order is None:
        order = adopt(desk, book, execution.order_ref, execution.action, execution.shares)
        desk.read_broker(f"execution of unknown order {execution.order_ref}")
    return book if take_own(desk, book, order, execution, at_ms) else None
