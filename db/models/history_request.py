"""The table `history_requests`."""

from __future__ import annotations

from sqlalchemy import BigInteger, Identity, Index
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, BigInt


class HistoryRequestRecord(Base):
    """A request for small bars. IB counts them by account, whichever process asks."""

    __tablename__ = "history_requests"
    __table_args__ = (
        Index("ix_history_requests_recent", "account", "at_ms"),
        {"comment": "Requests for history, for IB's pacing rules; only the last minutes matter"},
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    account: Mapped[str]
    ticker: Mapped[str]
    end_ms: Mapped[BigInt] = mapped_column(comment="end of the bars asked for, UTC epoch ms")
    duration_seconds: Mapped[int]
    at_ms: Mapped[BigInt] = mapped_column(comment="time of the request by the session's clock, UTC epoch ms")
