"""What it costs to make a journal row durable, beside a bare SQLite insert of the same row with the same settings.

Run from the project's folder: `python -m bench.journal`. The ratios are comparable between machines, the times are not;
each is the best of several rounds, taken in turns, so that a busy machine spoils none alone.
"""

from __future__ import annotations

import sqlite3
import sys
import tempfile
from collections.abc import Callable
from itertools import count
from pathlib import Path
from time import perf_counter

from core.codec import encode
from core.events import BarClosed
from core.market import Bar
from db.journal import CHECKPOINT_PAGES, PAGE_BYTES, Journal, JournalRow

ROUNDS, APPENDS = 7, 2_000
BAR = encode(BarClosed(1381152610123, Bar("SOXL", 1381152600000, 75.12, 75.31, 75.01, 75.22, 12_345)))


def bare(folder: Path) -> sqlite3.Connection:
    """SQLite with the journal's settings and table, and nothing of ours."""
    connection = sqlite3.connect(folder / "bare.sqlite", isolation_level=None)
    connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
    connection.execute("CREATE TABLE rows (sequence INTEGER PRIMARY KEY, at_ms INTEGER, event TEXT, commands TEXT)")
    return connection


def microseconds(append: Callable[[], None]) -> float:
    """Per call, over one round."""
    begin = perf_counter()
    for _ in range(APPENDS):
        append()
    return (perf_counter() - begin) / APPENDS * 1e6


def compare(folder: Path, rows: int) -> tuple[float, float]:
    """The best of all rounds for an append of this many rows: ours, and bare."""
    folder.mkdir()
    connection, numbers = bare(folder), count(1)

    def insert() -> None:
        values = [(next(numbers), 1381152610123, BAR, "") for _ in range(rows)]
        if rows == 1:
            connection.execute("INSERT INTO rows VALUES (?, ?, ?, ?)", values[0])
            return
        connection.execute("BEGIN")
        connection.executemany("INSERT INTO rows VALUES (?, ?, ?, ?)", values)
        connection.execute("COMMIT")

    with Journal.open(folder, "DU1-20131007") as journal:

        def append() -> None:
            first = journal.last_sequence + 1
            journal.append([JournalRow(first + n, 1381152610123, BAR, "") for n in range(rows)])

        times = [(microseconds(append), microseconds(insert)) for _ in range(ROUNDS)]
    connection.close()
    ours, plain = (min(column) for column in zip(*times, strict=True))
    return ours, plain


def main() -> None:
    """Print a line per size of append."""
    with tempfile.TemporaryDirectory() as folder:
        for rows in (1, 4, 20):
            ours, plain = compare(Path(folder) / str(rows), rows)
            sys.stdout.write(
                f"append {rows:2} rows {ours:7.1f} us   bare SQLite {plain:7.1f} us   ratio {ours / plain:5.2f}\n"
            )


if __name__ == "__main__":
    main()
