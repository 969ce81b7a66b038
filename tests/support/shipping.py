"""Shipping a made-up day to a real Postgres, and looking at what came of it."""

from __future__ import annotations

from sqlalchemy import select

from db.engine import open_database
from db.journal import Journal
from db.models import Base
from db.outbox import Shipper
from tests.support.journals import busy_day

ENOUGH_SECONDS = 60.0
DAY = busy_day(seed=1)

Tables = dict[str, list[dict[str, str]]]


def tables(url: str) -> Tables:
    """Everything that the tables hold, as text, but for the writer's epoch."""
    with open_database(url).connect() as connection:
        return {
            table.name: [
                {name: str(value) for name, value in row.items() if name != "epoch"}
                for row in connection.execute(select(table).order_by(*table.primary_key)).mappings()
            ]
            for table in Base.metadata.sorted_tables
        }


def ship_all(journal: Journal, url: str, batch_rows: int = 2_000) -> None:
    """Ship every row of the journal."""
    shipper = Shipper(journal, url, batch_rows=batch_rows)
    shipper.start()
    assert shipper.flush(ENOUGH_SECONDS), shipper.state
    shipper.stop()
