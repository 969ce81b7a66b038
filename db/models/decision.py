"""The table `decisions`."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.vocabulary import Side
from db.models.base import Base, SessionKey, one_of


class DecisionRecord(Base):
    """The one answer to one prediction."""

    __tablename__ = "decisions"
    __table_args__ = (
        one_of("side", Side),
        CheckConstraint("(outcome = 'refuse') = (refusal IS NOT NULL)", name="refusal_named"),
        Index(None, "at"),
        {"comment": "One row per prediction received: acted on, or refused with the first rule that said no"},
    )

    session: Mapped[SessionKey]
    number: Mapped[int] = mapped_column(
        primary_key=True, autoincrement=False, comment="running number within the session"
    )
    at: Mapped[datetime]
    ticker: Mapped[str]
    prediction_key: Mapped[str] = mapped_column(
        comment="ticker|timestamp ms|signal: what makes a prediction usable once"
    )
    signal: Mapped[str] = mapped_column(comment="as received: BUY, SELL, SHORT, NEUTRAL, ...")
    confidence: Mapped[float | None]
    outcome: Mapped[str] = mapped_column(comment="enter, scale_in, reverse, refuse")
    refusal: Mapped[str | None] = mapped_column(comment="the first rule that refused")
    explanation: Mapped[str]
    figures: Mapped[dict[str, str]] = mapped_column(JSONB, comment="the values that decided, as text")
    order_ref: Mapped[str | None] = mapped_column(comment="the entry order, where one was placed")
    side: Mapped[str | None]
    shares: Mapped[int]
    price: Mapped[Decimal | None] = mapped_column(comment="decision price, dollars a share")
    atr: Mapped[float | None] = mapped_column(comment="dollars a share")
    capital_efficiency: Mapped[float | None] = mapped_column(comment="shares x decision price / dollars allocated")
