"""The table `breaks`."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import func
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base


class BreakRecord(Base):
    """A difference between the broker and us that nothing explains."""

    __tablename__ = "breaks"
    __table_args__ = ({"comment": "Differences between the broker and us that nothing explains; found once, kept"},)

    account: Mapped[str] = mapped_column(primary_key=True)
    trade_date: Mapped[date] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True, comment="what differs")
    key: Mapped[str] = mapped_column(primary_key=True, comment="of what: an exec_id, a ticker, a trade, a sum of P&L")
    ours: Mapped[str] = mapped_column(comment="our figure, as text; empty: we have none")
    brokers: Mapped[str] = mapped_column(comment="the broker's figure, as text; empty: it has none")
    found_at: Mapped[datetime] = mapped_column(server_default=func.now())
    resolved_at: Mapped[datetime | None] = mapped_column(
        comment="set by a person, or by a later run that no longer finds it"
    )
