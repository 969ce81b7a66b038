"""The journal as others read it, while its writer works and after."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from db.journal_row import JournalRow, rows_in_slot


class JournalReader:
    """A reader's end, for another thread or process than the writer's; sees every row that is durable."""

    def __init__(self, path: Path) -> None:
        self.path = path
        # Not mode=ro: the reader folds the WAL into the file, so that the session's thread never waits for an fsync.
        self._connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None)

    def read(self, after_sequence: int, limit: int) -> list[JournalRow]:
        """Up to `limit` rows after `after_sequence`, in order."""
        rows = list(read_rows(self._connection, after_sequence, limit))
        if len(rows) < limit:  # the end of SQLite's, behind which the slot may hold some
            rows += islice(rows_in_slot(self.path, rows[-1].sequence if rows else after_sequence), limit - len(rows))
        return rows

    def last_sequence(self) -> int:
        """The newest durable row; 0 for none."""
        newest = self._number("SELECT coalesce(max(sequence), 0) FROM rows")
        return max([newest, *(row.sequence for row in rows_in_slot(self.path, newest))])

    def newest_epoch(self) -> int:
        """The epoch of whoever opened the journal last; 0 for nobody."""
        return self._number("SELECT coalesce(max(epoch), 0) FROM epochs")

    def checkpoint(self) -> None:
        """Fold what it can of the WAL into the file without making the writer wait."""
        self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)")

    def close(self) -> None:
        """Release the file."""
        self._connection.close()

    def _number(self, query: str) -> int:
        return int(self._connection.execute(query).fetchone()[0])


def read_rows(connection: sqlite3.Connection, after_sequence: int, limit: int) -> Iterator[JournalRow]:
    """SQLite's rows after `after_sequence`, in order, up to `limit` (-1: all)."""
    query = "SELECT sequence, at_ms, event, commands FROM rows WHERE sequence > ? ORDER BY sequence LIMIT ?"
    return (JournalRow(*row) for row in connection.execute(query, (after_sequence, limit)))
