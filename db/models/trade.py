"""The table `trades`."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from sqlalchemy import Computed, Index
from sqlalchemy.orm import Mapped, mapped_column

from core.vocabulary import Side
from db.models.base import Base, BigInt, SessionKey, one_of


class TradeRecord(Base):
    """A round trip, flat to flat."""

    __tablename__ = "trades"
    __table_args__ = (
        one_of("side", Side),
        Index(None, "ticker", "opened_at"),
        {"comment": "Round trips, flat to flat, with their P&L in dollars"},
    )

    session: Mapped[SessionKey]
    number: Mapped[int] = mapped_column(
        primary_key=True, autoincrement=False, comment="running number within the session"
    )
    ticker: Mapped[str]
    side: Mapped[str]
    shares: Mapped[int] = mapped_column(comment="the most held")
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime]
    entry_price: Mapped[Decimal] = mapped_column(comment="average of all entry fills")
    exit_price: Mapped[Decimal] = mapped_column(comment="average of all exit fills")
    gross_pnl: Mapped[Decimal]
    commissions: Mapped[Decimal | None] = mapped_column(comment="null while any is pending")
    net_pnl: Mapped[Decimal | None] = mapped_column(Computed("gross_pnl - commissions", persisted=True))
    exit_reason: Mapped[str] = mapped_column(comment="stop, target, timed_exit, reversal, closure, ...")
    atr: Mapped[float | None] = mapped_column(comment="of the decision, dollars a share")
    capital_efficiency: Mapped[float | None] = mapped_column(comment="shares x decision price / dollars allocated")
    unprotected_ms: Mapped[BigInt] = mapped_column(
        comment="market time in which working stops did not cover the position"
    )
    adds: Mapped[int] = mapped_column(comment="scale-ins")
