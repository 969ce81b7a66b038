"""The table `journal`."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, BigInt, SessionKey


class JournalEntry(Base):
    """One row of a session's journal as shipped. Text, not jsonb: recovery needs it to the letter."""

    __tablename__ = "journal"
    __table_args__ = (
        {"comment": "Every event and the commands it caused; all other tables of a session follow from it"},
    )

    session: Mapped[SessionKey]
    sequence: Mapped[BigInt] = mapped_column(
        primary_key=True, autoincrement=False, comment="1, 2, 3, ... within the session"
    )
    at: Mapped[datetime] = mapped_column(comment="the session's clock")
    name: Mapped[str] = mapped_column(comment="the kind of event: BarClosed, ExecutionReported, ...")
    event: Mapped[str] = mapped_column(comment="JSON")
    commands: Mapped[str] = mapped_column(comment="JSON array; empty text when the event caused none")
