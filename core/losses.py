"""The day's loss limit: watched on every bar, and at the limit the session is closed for the day."""

from __future__ import annotations

from core.closure import flatten
from core.desk import Desk
from core.exposure import daily_pnl
from core.vocabulary import ExitReason, Severity

MARGIN = 1.0
"""Dollars. Floats decide only when they are farther than this from the limit; nearer, the exact sum is made."""


def watch_loss(desk: Desk) -> None:
    """Halt at −max_daily_loss, and when the P&L of an open position is not known."""
    limit = desk.params.risk.max_daily_loss
    if limit is None or desk.state.halted:
        return
    if _estimate(desk) > MARGIN - float(limit):
        return
    pnl = daily_pnl(desk)
    if pnl is None:
        halt(desk, "the P&L of an open position is unknown")
    elif pnl <= -limit:
        halt(desk, f"daily P&L {pnl:.2f} reached the limit of -{limit}")


def _estimate(desk: Desk) -> float:
    """The daily P&L in floats; NaN where a mark is."""
    ledger, marks = desk.state.ledger, desk.state.marks
    pnl = float(ledger.cash - ledger.commission_total)
    for ticker, shares in ledger.positions.items():
        mark = marks.get(ticker)
        if mark is None:
            return float("nan")
        pnl += shares * mark
    return pnl


def halt(desk: Desk, reason: str) -> None:
    """Close the session for the day: flatten everything, no entry any more, also after a restart."""
    desk.state.halted = reason
    desk.alert(Severity.CRITICAL, "halt", "Session halted", f"{reason}; flattening, no entry for the rest of the day.")
    desk.settle_phase()
    flatten(desk, ExitReason.LOSS_LIMIT)
