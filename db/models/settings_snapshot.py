"""The table `session_settings`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base


class SettingsSnapshot(Base):
    """The effective settings of one start of a session, secrets left out."""

    __tablename__ = "session_settings"
    __table_args__ = ({"comment": "With which settings a session ran, once per start; secrets left out"},)

    session: Mapped[str] = mapped_column(primary_key=True)
    epoch: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, comment="the start: the journal's epoch")
    settings: Mapped[dict[str, Any]] = mapped_column(JSONB)
    recorded_at: Mapped[datetime] = mapped_column(server_default=func.now())
