"""With which settings a session ran."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from db.engine import open_database
from db.models import SettingsSnapshot


def record_settings(url: str, session: str, epoch: int, settings: Mapping[str, Any]) -> None:
    """Store the effective settings of a start (the journal's epoch), once. They must be JSON and hold no secrets."""
    row = insert(SettingsSnapshot).values(session=session, epoch=epoch, settings=dict(settings))
    with open_database(url).begin() as connection:
        connection.execute(row.on_conflict_do_nothing())


def settings_of(url: str, session: str) -> dict[int, dict[str, Any]]:
    """The settings of every start of a session, by epoch."""
    query = select(SettingsSnapshot.epoch, SettingsSnapshot.settings).where(SettingsSnapshot.session == session)
    with open_database(url).connect() as connection:
        return dict(connection.execute(query.order_by(SettingsSnapshot.epoch)).tuples().all())
