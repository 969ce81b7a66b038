"""The table `sessions`."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, BigInt


class Session(Base):
    """One trading day of one account."""

    __tablename__ = "sessions"
    __table_args__ = (
        UniqueConstraint("account", "trade_date"),
        {"comment": "One trading day of one account; the other tables hang on it"},
    )

    session: Mapped[str] = mapped_column(primary_key=True, comment="<account>-<yyyymmdd>")
    account: Mapped[str]
    trade_date: Mapped[date] = mapped_column(comment="the Eastern trading day")
    epoch: Mapped[int] = mapped_column(
        default=0, server_default="0", comment="newest writer of the journal; older ones are refused"
    )
    shipped_sequence: Mapped[BigInt] = mapped_column(
        default=0, server_default="0", comment="journal rows up to here are in these tables"
    )
    started_at: Mapped[datetime | None] = mapped_column(comment="time of the first journal row")
    phase: Mapped[str | None] = mapped_column(comment="starting, trading, suspended, halted, closing, closed")
    phase_at: Mapped[datetime | None]
    phase_reason: Mapped[str | None]
    halted_at: Mapped[datetime | None] = mapped_column(comment="when risk closed the day; never undone")
    closed_at: Mapped[datetime | None] = mapped_column(comment="when flat with nothing working was verified")
