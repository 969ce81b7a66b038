"""Round trips: recorded when they close, again when a late commission or correction changes them, or taken back."""

from __future__ import annotations

from sqlalchemy.orm import Session

from core.records import Trade
from db.models import TradeRecord
from db.times import from_ms


def take_trade(tables: Session, session: str, trade: Trade) -> None:
    """Store a round trip; the newest word on its number counts."""
    tables.merge(
        TradeRecord(
            session=session,
            number=trade.number,
            ticker=trade.ticker,
            side=trade.side,
            shares=trade.shares,
            opened_at=from_ms(trade.opened_ms),
            closed_at=from_ms(trade.closed_ms),
            entry_price=trade.entry_price,
            exit_price=trade.exit_price,
            gross_pnl=trade.gross_pnl,
            commissions=trade.commissions,
            exit_reason=trade.exit_reason,
            atr=trade.atr,
            capital_efficiency=trade.capital_efficiency,
            unprotected_ms=trade.unprotected_ms,
            adds=trade.adds,
        )
    )


def forget_trade(tables: Session, session: str, number: int) -> None:
    """Remove a round trip that the executions no longer make."""
    row = tables.get(TradeRecord, (session, number))
    if row is not None:
        tables.delete(row)
        tables.flush()  # the number may come again
