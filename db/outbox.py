"""Ships a session's journal to Postgres from a thread of its own; the session never waits for it.

How far Postgres has the rows is known by Postgres alone (`sessions.shipped_sequence`), changed in the transaction that
stores them: whatever is killed whenever, each row is stored and applied to the tables once.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import psycopg
from sqlalchemy import Connection
from sqlalchemy.orm import Session

from core.errors import InvalidValueError
from db.engine import DatabaseError, open_database
from db.journal import JournalRow
from db.journal_reader import JournalReader
from db.models import JournalEntry
from db.projections import event_name, project
from db.projections.place import Subject, session_row
from db.times import from_ms

BATCH_ROWS = 2_000
INTERVAL_SECONDS = 0.25
BACKOFF_MIN_SECONDS = 0.2
BACKOFF_MAX_SECONDS = 10.0
CHECKPOINT_SECONDS = 5.0
STOP_SECONDS = 5.0
_COPY = "COPY journal (session, sequence, at, name, event, commands) FROM STDIN"

log = logging.getLogger(__name__)


class JournalForked(Exception):
    """Postgres holds rows of this session that our journal does not: another journal was shipped under its name."""


_PROBLEMS = (DatabaseError, psycopg.Error, sqlite3.Error, OSError, InvalidValueError, JournalForked)


@dataclass(frozen=True, slots=True)
class ShippingState:
    """How shipping stands. An unhealthy shipper goes on trying; nothing is lost meanwhile."""

    healthy: bool
    shipped_sequence: int  # of the journal's rows, by the last word of Postgres; 0 before its first
    problem: str = ""  # in words, when not healthy
    hopeless: bool = False  # time alone will not heal it: the rows are not those that Postgres has, or unreadable


def tell_nobody(state: ShippingState) -> None:
    """The callback of a shipper whose state nobody watches."""


class Shippable(Protocol):
    """What a shipper needs of a journal: the open one, or the file that another process writes."""

    path: Path
    session: str
    epoch: int

    @property
    def last_sequence(self) -> int:
        """The newest durable row; 0 for none."""

    def mark_shipped(self, sequence: int) -> None:
        """Note how far Postgres has the rows."""


class Shipper:
    """Ships `journal` to the database at `url`.

    `on_state` hears, on the shipper's thread, of every change of health; it must not raise.
    """

    def __init__(
        self,
        journal: Shippable,
        url: str,
        *,
        on_state: Callable[[ShippingState], None] = tell_nobody,
        batch_rows: int = BATCH_ROWS,
    ) -> None:
        self._journal = journal
        self._subject = Subject.parse(journal.session)
        self._database = open_database(url)
        self._on_state = on_state
        self._batch_rows = batch_rows
        self._state = ShippingState(healthy=True, shipped_sequence=0)
        self._wake = threading.Event()
        self._ending = threading.Event()
        self._hurry = threading.Event()  # somebody waits in flush
        self._progress = threading.Condition()
        self._checkpointed_at = time.monotonic()
        self._thread = threading.Thread(target=self._run, name="shipper", daemon=True)

    @property
    def state(self) -> ShippingState:
        """How shipping stands now."""
        return self._state

    def start(self) -> None:
        """Begin to ship, whether or not the database is there yet."""
        self._thread.start()

    def is_alive(self) -> bool:
        """Whether it still tries."""
        return self._thread.is_alive()

    def notify(self) -> None:
        """Say that the journal has new rows. Costs next to nothing."""
        self._wake.set()

    def flush(self, timeout_seconds: float) -> bool:
        """Wait until every row that the journal has now is in Postgres, or never will be; whether that came true."""
        wanted = self._journal.last_sequence
        self._hurry.set()
        self._wake.set()
        with self._progress:
            self._progress.wait_for(
                lambda: self._state.shipped_sequence >= wanted or self._state.hopeless, timeout_seconds
            )
            return self._state.shipped_sequence >= wanted

    def stop(self, timeout_seconds: float = STOP_SECONDS) -> None:
        """Ship what is left if the database answers, then end. What could not be shipped is, at the next start."""
        if self._state.healthy:
            self.flush(timeout_seconds)
        self._ending.set()
        self._wake.set()
        self._thread.join(timeout_seconds)  # a call that hangs in a hung database is left behind

    # --- on the shipper's thread -------------------------------------------------------------------------------------

    def _run(self) -> None:
        backoff_seconds = BACKOFF_MIN_SECONDS
        try:
            while not self._ending.is_set():
                shipped_before = self._state.shipped_sequence
                try:
                    self._try_to_ship()
                except _PROBLEMS as error:
                    hopeless = isinstance(error, InvalidValueError | JournalForked)
                    self._tell(healthy=False, problem=_words(error), hopeless=hopeless)
                    if self._state.shipped_sequence > shipped_before:
                        backoff_seconds = BACKOFF_MIN_SECONDS
                    self._ending.wait(backoff_seconds)
                    backoff_seconds = min(2 * backoff_seconds, BACKOFF_MAX_SECONDS)
        except BaseException as error:
            self._tell(healthy=False, problem=f"the shipper's thread died: {error!r}", hopeless=True)
            raise

    def _try_to_ship(self) -> None:
        with closing(JournalReader(self._journal.path)) as reader:
            self._checkpoint(reader)  # also while the database is away
            with self._database.connect() as connection:
                self._ship(connection, reader)

    def _ship(self, connection: Connection, reader: JournalReader) -> None:
        """Ship until told to end. Raises what goes wrong; the next call starts from what Postgres has."""
        shipped = self._take_up(connection, reader)
        while not self._ending.is_set():
            self._wake.clear()
            self._hurry.clear()
            rows = reader.read(shipped, self._batch_rows)
            if rows:
                self._store(connection, rows)
                shipped = rows[-1].sequence
            self._journal.mark_shipped(shipped)
            self._tell(healthy=True, shipped_sequence=shipped)
            if len(rows) < self._batch_rows:
                self._checkpoint(reader)
                self._wake.wait()
                self._hurry.wait(INTERVAL_SECONDS)  # so that rows gather into batches

    def _take_up(self, connection: Connection, reader: JournalReader) -> int:
        """How far Postgres has the rows, once it is sure that they are ours. Raises JournalForked."""
        with Session(connection) as tables, tables.begin():
            shipped = session_row(tables, self._subject).shipped_sequence
            if shipped == 0:
                return 0
            theirs = tables.get_one(JournalEntry, (self._journal.session, shipped))
            ours = reader.read(shipped - 1, limit=1)
            if not ours or (ours[0].event, ours[0].commands) != (theirs.event, theirs.commands):
                raise JournalForked(
                    f"row {shipped} of session {self._journal.session} in Postgres is not the one in "
                    f"{self._journal.path}: the file was lost or replaced; recover the journal from Postgres"
                )
            return shipped

    def _store(self, connection: Connection, rows: Sequence[JournalRow]) -> None:
        """Store the rows and apply them to the tables, in one transaction."""
        with Session(connection) as tables, tables.begin():
            row = session_row(tables, self._subject)
            tables.refresh(row, with_for_update=True)
            if row.epoch > self._journal.epoch or row.shipped_sequence != rows[0].sequence - 1:
                raise JournalForked(
                    f"session {row.session} was taken over: Postgres has epoch {row.epoch} and rows up to "
                    f"{row.shipped_sequence}, we are epoch {self._journal.epoch} at row {rows[0].sequence}"
                )
            self._copy(tables, rows)
            project(tables, self._subject, rows)
            row.epoch, row.shipped_sequence = self._journal.epoch, rows[-1].sequence
            row.started_at = row.started_at or from_ms(rows[0].at_ms)

    def _copy(self, tables: Session, rows: Sequence[JournalRow]) -> None:
        connection = tables.connection().connection.driver_connection
        assert isinstance(connection, psycopg.Connection)
        with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
            for row in rows:
                at, name = from_ms(row.at_ms), event_name(row.event)
                copy.write_row((self._journal.session, row.sequence, at, name, row.event, row.commands))

    def _tell(
        self, *, healthy: bool, shipped_sequence: int | None = None, problem: str = "", hopeless: bool = False
    ) -> None:
        was = self._state
        reached = was.shipped_sequence if shipped_sequence is None else shipped_sequence
        with self._progress:
            self._state = ShippingState(healthy, reached, problem, hopeless)
            self._progress.notify_all()
        if was.healthy != healthy:
            self._on_state(self._state)

    def _checkpoint(self, reader: JournalReader) -> None:
        if time.monotonic() < self._checkpointed_at + CHECKPOINT_SECONDS:
            return
        try:
            reader.checkpoint()
        except sqlite3.Error as problem:  # a full disk: no reason to ship nothing, and the session tells of it
            log.warning("the WAL of %s is not folded: %s", self._journal.path, problem)
        self._checkpointed_at = time.monotonic()


def _words(error: Exception) -> str:
    """What went wrong, without the statement and its rows."""
    return str(getattr(error, "orig", None) or error)
