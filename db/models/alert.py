"""The table `alerts`."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from core.vocabulary import Severity
from db.models.base import Base, BigInt, SessionKey, one_of


class AlertRecord(Base):
    """A notice to a person, and its end."""

    __tablename__ = "alerts"
    __table_args__ = (
        one_of("severity", Severity),
        Index(None, "raised_at"),
        {"comment": "Notices to a person; cleared_at says when the condition was over"},
    )

    session: Mapped[SessionKey]
    sequence: Mapped[BigInt] = mapped_column(
        primary_key=True, autoincrement=False, comment="the journal row that raised it"
    )
    part: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, comment="place among the row's commands")
    key: Mapped[str] = mapped_column(comment="groups repetitions: one open alert per key")
    severity: Mapped[str]
    title: Mapped[str]
    text: Mapped[str]
    raised_at: Mapped[datetime]
    cleared_at: Mapped[datetime | None]
    cleared_text: Mapped[str | None]
