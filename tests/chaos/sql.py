"""What the audit asks the database, past everything that the product knows of it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text

from config import Settings
from db.engine import open_database


class Rows:
    """SQL, asked directly."""

    def __init__(self, settings: Settings, session: str) -> None:
        assert settings.database_url is not None
        self._database = open_database(settings.database_url.get_secret_value())
        self.session = session

    def query(self, sql: str, **values: Any) -> list[Any]:
        """All rows of a query; `:session` is the session's name, others are given."""
        if ":session" in sql:
            values["session"] = self.session
        with self._database.connect() as connection:
            return list(connection.execute(text(sql), values))
