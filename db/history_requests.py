"""The account's requests for history, counted in one place for all its processes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import delete, select, text
from sqlalchemy.orm import Session

from db.engine import open_database
from db.models import HistoryRequestRecord

Row = tuple[str, int, int, int]
"""Ticker, end (UTC epoch ms), duration in seconds, time of the request (UTC epoch ms)."""


@dataclass(frozen=True, slots=True)
class RequestLog:
    """The account's requests, while nobody else may look or add."""

    _tables: Session
    _account: str

    def since(self, at_ms: int) -> list[Row]:
        """Those made after `at_ms`, in the order of time. Older ones are dropped."""
        record = HistoryRequestRecord
        self._tables.execute(delete(record).where(record.account == self._account, record.at_ms <= at_ms))
        rows = select(record).where(record.account == self._account).order_by(record.at_ms, record.id)
        return [(row.ticker, row.end_ms, row.duration_seconds, row.at_ms) for row in self._tables.scalars(rows)]

    def add(self, row: Row) -> None:
        """Count one more."""
        ticker, end_ms, duration_seconds, at_ms = row
        self._tables.add(
            HistoryRequestRecord(
                account=self._account, ticker=ticker, end_ms=end_ms, duration_seconds=duration_seconds, at_ms=at_ms
            )
        )


@contextmanager
def request_log(url: str, account: str) -> Iterator[RequestLog]:
    """The log, for this process alone until the end of the block. Raises DatabaseError when the database is away."""
    with Session(open_database(url)) as tables, tables.begin():
        key = {"name": f"history of {account}"}
        tables.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), key)
        yield RequestLog(tables, account)
