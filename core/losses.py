"""The day's loss limit: watched on every bar, and at the limit the session is closed for the day."""

from __future__ import annotations

import math

from core.closure import flatten
from core.desk import Desk
from core.exposure import daily_pnl
from core.state import Book
from core.vocabulary import ExitReason, Severity


def value(desk: Desk, book: Book, price: float) -> None:
    """Value a ticker's shares anew, dollars; the estimate of the day's P&L moves with them."""
    if book.position:
        if book.mark is not None and book.mark < math.inf:
            desk.state.pnl_estimate += book.position * (price - book.mark)
        else:
            desk.state.pnl_estimate = -math.inf  # to be made exact; a difference to infinity can be no number at all
    book.mark = price


def value_unknown(desk: Desk, book: Book) -> None:
    """Nobody knows what a ticker's shares are worth now, and so what the day's P&L is."""
    book.mark, desk.state.pnl_estimate = math.inf, -math.inf


def watch_loss(desk: Desk) -> None:
    """Weigh the loss when the estimate has come near the limit, or is unknown. Cheap: it runs on every bar."""
    if desk.state.pnl_estimate <= desk.loss_floor:
        weigh_loss(desk)


def weigh_loss(desk: Desk) -> None:
    """Halt at −max_daily_loss, and when the P&L of an open position is not known."""
    limit, pnl = desk.params.risk.max_daily_loss, daily_pnl(desk)
    desk.state.pnl_estimate = -math.inf if pnl is None else float(pnl)
    if limit is None or desk.state.halted:
        return
    if pnl is None:
        halt(desk, "the P&L of an open position is unknown")
    elif pnl <= -limit:
        halt(desk, f"daily P&L {pnl:.2f} reached the limit of -{limit}")


def halt(desk: Desk, reason: str) -> None:
    """Close the session for the day: flatten everything, no entry any more, also after a restart."""
    desk.state.halted = reason
    desk.alert(Severity.CRITICAL, "halt", "Session halted", f"{reason}; flattening, no entry for the rest of the day.")
    desk.settle_phase()
    flatten(desk, ExitReason.LOSS_LIMIT)
