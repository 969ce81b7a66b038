"""The table `commands`."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ARRAY, BigInteger, Identity, Index, Text, func, text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, one_of


class CommandRecord(Base):
    """What a person or a flow asks of a session. No foreign key: it may be asked before the session's first row."""

    __tablename__ = "commands"
    __table_args__ = (
        one_of("kind", ("flatten", "suspend", "resume", "stop")),
        Index("ix_commands_pending", "session", postgresql_where=text("handled_at IS NULL")),
        {"comment": "What people and flows ask of a session; it answers by handled_at"},
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    request_key: Mapped[str] = mapped_column(
        unique=True, comment="the same key is the same request, however often it is sent"
    )
    session: Mapped[str]
    kind: Mapped[str]
    tickers: Mapped[list[str]] = mapped_column(ARRAY(Text), comment="of a flatten; empty: all that the session owns")
    whole_account: Mapped[bool] = mapped_column(comment="of a flatten: foreign positions too")
    requested_by: Mapped[str]
    requested_at: Mapped[datetime] = mapped_column(server_default=func.now())
    handled_at: Mapped[datetime | None] = mapped_column(comment="null: pending")
    answer: Mapped[str | None] = mapped_column(comment="what the session said")
