"""The table `executions`."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from core.vocabulary import Action
from db.models.base import Base, BigInt, one_of


class ExecutionRecord(Base):
    """One fill or one correction of a fill, each exactly once. `v_executions` shows what counts."""

    __tablename__ = "executions"
    __table_args__ = (
        one_of("action", Action),
        CheckConstraint("shares >= 0", name="shares"),
        Index(None, "account", "lineage"),
        Index(None, "account", "executed_at"),
        Index(None, "order_ref"),
        {"comment": "Every fill reported by the broker, and every correction of one as a row of its own"},
    )

    account: Mapped[str] = mapped_column(primary_key=True)
    exec_id: Mapped[str] = mapped_column(primary_key=True, comment="the broker's id")
    lineage: Mapped[str] = mapped_column(comment="exec_id up to its last dot: the same for a fill and its corrections")
    correction: Mapped[int] = mapped_column(comment="the digits after the last dot; of a lineage the highest counts")
    session: Mapped[str | None] = mapped_column(
        ForeignKey("sessions.session"), index=True, comment="owner of the order; null: not an order of ours"
    )
    order_ref: Mapped[str] = mapped_column(comment="empty: not an order of ours")
    order_id: Mapped[int]
    client_id: Mapped[int]
    perm_id: Mapped[BigInt]
    ticker: Mapped[str]
    action: Mapped[str]
    shares: Mapped[int]
    price: Mapped[Decimal] = mapped_column(comment="dollars a share")
    executed_at: Mapped[datetime] = mapped_column(comment="the broker's time")
    exchange: Mapped[str]
    added_by_reconcile: Mapped[bool] = mapped_column(
        default=False, server_default="false", comment="the session never saw it; found at the end of the day"
    )
