"""The table `orders`."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from core.vocabulary import Action
from db.models.base import Base, BigInt, one_of


class OrderRecord(Base):
    """One order of ours, from the intent to its end."""

    __tablename__ = "orders"
    __table_args__ = (
        one_of("action", Action),
        Index(None, "session", "ticker", "number"),
        Index("ix_orders_open", "session", postgresql_where=text("ended_at IS NULL")),
        {"comment": "Every order of ours: what was asked for, and how the broker says it stands"},
    )

    order_ref: Mapped[str] = mapped_column(
        primary_key=True, comment="<session>/<ticker>/<number>/<leg>, unique for ever"
    )
    session: Mapped[str] = mapped_column(ForeignKey("sessions.session"))
    ticker: Mapped[str]
    number: Mapped[int] = mapped_column(comment="orders with the same number are one bracket")
    leg: Mapped[str] = mapped_column(comment="entry, stop, target, timed_exit, exit, ...")
    action: Mapped[str]
    kind: Mapped[str] = mapped_column(comment="MKT, LMT, STP")
    shares: Mapped[int] = mapped_column(comment="total asked for, filled ones included")
    limit_price: Mapped[Decimal | None]
    stop_price: Mapped[Decimal | None]
    time_in_force: Mapped[str | None] = mapped_column(comment="null when only the broker told of the order")
    good_after: Mapped[datetime | None]
    parent_ref: Mapped[str | None]
    oca_group: Mapped[str | None] = mapped_column(comment="orders of one group end each other; as the broker echoes it")
    placed_at: Mapped[datetime | None] = mapped_column(comment="when it entered the journal, before it was sent")
    order_id: Mapped[int | None] = mapped_column(comment="the broker's number within the client id")
    client_id: Mapped[int | None]
    perm_id: Mapped[BigInt | None] = mapped_column(comment="the broker's number for ever")
    status: Mapped[str | None] = mapped_column(comment="the broker's word; null: it has said nothing yet")
    status_at: Mapped[datetime | None]
    filled: Mapped[int] = mapped_column(default=0, server_default="0", comment="shares")
    why_held: Mapped[str | None]
    error_code: Mapped[int | None] = mapped_column(comment="the last error or warning about it")
    error_text: Mapped[str | None]
    ended_at: Mapped[datetime | None] = mapped_column(
        comment="filled, cancelled, refused or no longer listed; null: open"
    )
