"""The journal of a session: one local SQLite file, written before any order leaves.

Durable means that a row survives the death of the process: WAL with synchronous NORMAL, and before that a slot in
mapped memory. After a loss of power the broker is read back. One process at a time may write, held by a file lock that
dies with the process; anyone may read.
"""

from __future__ import annotations

import fcntl
import logging
import os
import shutil
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from db.fence import Fence
from db.journal_reader import read_rows
from db.journal_row import JournalRow as JournalRow
from db.journal_row import journal_path as journal_path
from db.journal_row import pack, rows_in_slot, slot_path
from db.slot import Slot

log = logging.getLogger(__name__)

SCHEMA_VERSION = 1
RESERVE_BYTES = 16 * 1024 * 1024
SHIPPED_STEP = 1_000  # rows by which the stored watermark may lag
LOCK_ATTEMPTS = 5  # whoever asks `is_locked` holds the lock for a moment
LOCK_PAUSE_SECONDS = 0.02
PAGE_BYTES = 8_192  # an entry's row is 2.4 KB: on pages of 4 KB nearly every one would bring two more into its commit
CHECKPOINT_PAGES = 8_192  # the shipper checkpoints; this bounds the WAL to 64 MB when there is none
_NO_ROOM = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN}
_INSERT = "INSERT INTO rows SELECT ?, ?, ?, ? WHERE NOT EXISTS (SELECT 1 FROM epochs WHERE epoch > ?)"
_STORE_FACT = "INSERT OR REPLACE INTO facts VALUES (?, ?)"
_PRIMARY_CODE = 0xFF  # SQLite's extended codes carry their primary code in the lowest byte

_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS rows (
    sequence INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, event TEXT NOT NULL, commands TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS epochs (epoch INTEGER PRIMARY KEY, pid INTEGER NOT NULL, after_sequence INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
PRAGMA user_version = {SCHEMA_VERSION};
"""


class JournalError(Exception):
    """Base of the journal's errors; the text names the file."""


class JournalFull(JournalError):
    """The row could not be made durable: the disk is full, failing or read-only. What was written before is intact."""


class JournalLocked(JournalError):
    """Another live process writes this session's journal."""


class JournalTakenOver(JournalError):
    """Another process has opened the journal under a higher epoch: this one must neither write nor send."""


class JournalMismatch(JournalError):
    """The file is of another session or schema, or the rows do not continue it."""


class Journal:
    """The writer's end. Use it on the thread that opened it; `close()` ends it, and so does any death."""

    def __init__(self, path: Path, session: str, connection: sqlite3.Connection, lock: IO[str], fence: Fence) -> None:
        self.path = path
        self.session = session
        self.epoch = 0
        self.fence = fence
        self.was_killed = False  # the process before us did not close the journal
        self.unread_slot = ""  # why nobody knows what that process held there
        self.ends_well = True
        """False: the next process is to believe that this one was killed."""
        self.last_sequence = 0
        self.shipped_sequence = int(_fact(connection, "shipped_sequence") or 0)  # what Postgres was last known to have
        self._stored_shipped = self.shipped_sequence
        self._connection = connection
        self._lock = lock
        self._reserve: Path | None = None
        self._slot: Slot | None = None
        self._held: Sequence[JournalRow] = ()

    @classmethod
    def open(cls, folder: Path, session: str, *, epoch_above: int = 0, reserve_bytes: int = RESERVE_BYTES) -> Journal:
        """Open or create the session's journal for writing, under a fencing epoch higher than any before.

        `epoch_above`: an epoch known from elsewhere (Postgres) that must be passed as well. `reserve_bytes` of disk are
        set aside, to be used up once the disk is full. Raises JournalLocked, JournalMismatch, JournalFull.
        """
        folder.mkdir(parents=True, exist_ok=True)
        path = journal_path(folder, session)
        with ExitStack() as on_failure:
            lock = on_failure.enter_context(_lock(path.with_suffix(".lock"), path))
            # a killed process's: on a full disk we need it at once
            path.with_suffix(".reserve").unlink(missing_ok=True)
            connection = on_failure.enter_context(closing(sqlite3.connect(path, isolation_level=None)))
            with typed_errors(path):
                _prepare(connection, path, session)
            fence = on_failure.enter_context(closing(_open_fence(path)))
            journal = cls(path, session, connection, lock, fence)
            journal._begin_epoch(max(epoch_above, fence.newest_epoch))
            on_failure.pop_all()
        journal._begin_slot()
        journal._set_reserve_aside(reserve_bytes)
        return journal

    @property
    def low_on_space(self) -> bool:
        """Whether the reserve is gone: entries must stop, the rows that still fit are for the exits."""
        return self._reserve is None

    def append(self, rows: Sequence[JournalRow]) -> None:
        """Make the rows durable, all or none. They continue the sequence without a gap.

        A full disk takes the reserve first (`low_on_space` turns true), then raises JournalFull. Raises
        JournalTakenOver too: a row of ours would stand in the way of our successor's.
        """
        self._must_continue(rows)
        self.settle()
        self._store(rows)
        self.last_sequence += len(rows)

    def hold(self, rows: Sequence[JournalRow]) -> None:
        """Make the rows durable as `append` does, sooner: in the slot, from where `settle` brings them to SQLite.

        For rows whose orders wait. What is too much for the slot is appended at once; raises what `append` raises.
        """
        self._must_continue(rows)
        self.settle()
        if self._slot is None or not self._slot.put(pack(rows)):
            self._store(rows)
        else:
            self._held = rows
        self.last_sequence += len(rows)

    def settle(self) -> None:
        """Bring what the slot holds to SQLite; nothing to do without. Raises JournalFull: then it stays in the slot.

        Raises JournalTakenOver where a successor has taken it from there meanwhile.
        """
        if self._held:
            self.check_fence()
            self._store(self._held)
            self._held = ()

    def check_fence(self) -> None:
        """Raise JournalTakenOver when this process is not the session's any more."""
        if self.fence.is_passed():
            raise JournalTakenOver(f"{self.path}: the session was taken over. {self.fence.words()}.")

    def read(self, after_sequence: int = 0) -> Iterator[JournalRow]:
        """The rows after `after_sequence`, in order."""
        self.settle()
        return read_rows(self._connection, after_sequence, limit=-1)

    def standing_alerts(self) -> frozenset[str]:
        """The keys that were kept last, by whichever process of the session."""
        return frozenset((_fact(self._connection, "standing_alerts") or "").split())

    def keep_standing_alerts(self, keys: Iterable[str]) -> None:
        """Keep the keys (without spaces) of what a later process may have to tell the end of."""
        self.check_fence()
        with typed_errors(self.path):
            self._connection.execute(_STORE_FACT, ("standing_alerts", " ".join(sorted(keys))))

    def mark_shipped(self, sequence: int) -> None:
        """Note, from any thread, how far Postgres has the rows; stored with a later append or at the close."""
        self.shipped_sequence = sequence

    def close(self) -> None:
        """Fold the WAL into the file, give the reserve back and let go of the lock. Raises JournalFull.

        After a takeover the files are our successor's: they are only let go of.
        """
        try:
            if self.fence.is_passed():
                return
            self._give_reserve_back()
            self.settle()
            with typed_errors(self.path):
                self._store_shipped()
                if self.ends_well:
                    self._connection.execute(_STORE_FACT, ("closed_epoch", str(self.epoch)))
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            self._connection.close()
            self._lock.close()
            self.fence.close()
            if self._slot is not None:
                self._slot.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _must_continue(self, rows: Sequence[JournalRow]) -> None:
        self.check_fence()
        for expected, row in enumerate(rows, self.last_sequence + 1):
            if row.sequence != expected:
                raise JournalMismatch(f"{self.path}: row {row.sequence} does not follow row {expected - 1}")

    def _store(self, rows: Sequence[JournalRow]) -> None:
        try:
            self._insert(rows)
        except JournalFull:
            if self._reserve is None:
                raise
            self._give_reserve_back()
            self._insert(rows)

    def _insert(self, rows: Sequence[JournalRow]) -> None:
        store_shipped = self.shipped_sequence - self._stored_shipped >= SHIPPED_STEP
        try:
            if len(rows) == 1 and not store_shipped:  # one statement commits itself: saves 4 of 21 microseconds
                self._insert_all(rows)
                return
            with _transaction(self._connection):
                self._insert_all(rows)
                if store_shipped:
                    self._store_shipped()
        except sqlite3.Error as error:
            raise _typed(error, self.path) from error

    def _insert_all(self, rows: Sequence[JournalRow]) -> None:
        """Or none, where another has opened the journal since we looked at the fence: its rows have these numbers."""
        values = [(row.sequence, row.at_ms, row.event, row.commands, self.epoch) for row in rows]
        if self._connection.executemany(_INSERT, values).rowcount < len(rows):
            self.fence.shut(f"{self.path} has a higher epoch than ours, {self.epoch}")
            self.check_fence()

    def _store_shipped(self) -> None:
        shipped = self.shipped_sequence
        self._connection.execute(_STORE_FACT, ("shipped_sequence", str(shipped)))
        self._stored_shipped = shipped

    def _begin_epoch(self, above: int) -> None:
        """Fence off whoever was before us, and only then look at what it has written: it sends no order any more."""
        with typed_errors(self.path), _transaction(self._connection):
            newest = self._number("SELECT coalesce(max(epoch), 0) FROM epochs")
            self.was_killed = newest > int(_fact(self._connection, "closed_epoch") or 0)
            self.epoch = max(newest, above) + 1
            self.fence.raise_to(self.epoch)
            self.last_sequence = self._number("SELECT coalesce(max(sequence), 0) FROM rows")
            self._take_from_slot()
            self._connection.execute(
                "INSERT INTO epochs VALUES (?, ?, ?)", (self.epoch, os.getpid(), self.last_sequence)
            )

    def _take_from_slot(self) -> None:
        """The rows that a killed process held, and whose orders may have left.

        A slot that cannot be read is no reason not to open: as after a loss of power, the broker is asked.
        """
        try:
            held = list(rows_in_slot(self.path, self.last_sequence))
        except OSError as error:
            log.warning("what the slot holds is unknown: %s", error)
            if self.was_killed:  # one that closed its journal has left nothing there
                self.unread_slot = str(error)
            return
        self._insert_all(held)
        self.last_sequence += len(held)

    def _number(self, query: str) -> int:
        return int(self._connection.execute(query).fetchone()[0])

    def _begin_slot(self) -> None:
        try:
            self._slot = Slot(slot_path(self.path))
        except OSError as error:  # a full disk: SQLite decides then whether there is room
            log.warning("%s: no slot, rows go to SQLite before their orders: %s", self.path, error)

    def _set_reserve_aside(self, size_bytes: int) -> None:
        path = self.path.with_suffix(".reserve")
        try:
            if shutil.disk_usage(path.parent).free < 2 * size_bytes:
                return  # not the last of it: others write here too. `low_on_space` says so from the start
            path.write_bytes(bytes(size_bytes))
        except OSError:
            path.unlink(missing_ok=True)
        else:
            self._reserve = path

    def _give_reserve_back(self) -> None:
        if self._reserve is not None:
            try:
                self._reserve.unlink(missing_ok=True)
            except OSError as error:  # not full but failing or read-only: there is no room to be had
                log.warning("the journal's reserve cannot be given back: %s", error)
            self._reserve = None


def is_locked(folder: Path, session: str) -> bool:
    """Whether a live process is writing the session's journal."""
    lock_path = journal_path(folder, session).with_suffix(".lock")
    if not lock_path.exists():
        return False
    with lock_path.open() as lock:  # to read: the disk of a live session may have turned read-only
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)  # shared: who else looks just now is no writer
        except BlockingIOError:
            return True
    return False


def writer_pid(folder: Path, session: str) -> int | None:
    """The process that locked the session's journal last, by its own word; ask `is_locked` whether it lives."""
    try:
        return int(journal_path(folder, session).with_suffix(".lock").read_text())
    except (FileNotFoundError, ValueError):  # nobody ever, or one that has it locked and not written yet
        return None


def _prepare(connection: sqlite3.Connection, path: Path, session: str) -> None:
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version not in (0, SCHEMA_VERSION):
        raise JournalMismatch(f"{path}: schema version {version}, this program reads {SCHEMA_VERSION}")
    connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")  # an older file keeps its own
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
    connection.executescript(_SCHEMA)
    connection.execute("INSERT OR IGNORE INTO facts VALUES ('session', ?)", (session,))
    owner = _fact(connection, "session")
    if owner != session:
        raise JournalMismatch(f"{path}: belongs to session {owner}, not to {session}")


def _fact(connection: sqlite3.Connection, name: str) -> str | None:
    row = connection.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
    return None if row is None else str(row[0])


def _lock(lock_path: Path, path: Path) -> IO[str]:
    lock = lock_path.open("a+")
    for attempts_left in reversed(range(LOCK_ATTEMPTS)):
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError as error:
            if attempts_left:
                time.sleep(LOCK_PAUSE_SECONDS)
                continue
            lock.seek(0)
            holder = lock.read().strip()
            lock.close()
            raise JournalLocked(f"{path}: process {holder or 'unknown'} is writing it") from error
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    return lock


def _open_fence(path: Path) -> Fence:
    try:
        return Fence(path.with_suffix(".epoch"))
    except OSError as error:
        raise JournalFull(f"{path}: {error}.") from error


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")  # all of them write
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # SQLite has rolled back by itself after some errors, a full disk among them
            connection.execute("ROLLBACK")
        raise


@contextmanager
def typed_errors(path: Path) -> Iterator[None]:
    """Let out as ours, which name the file, the errors of SQLite and of a slot that cannot be read."""
    try:
        yield
    except sqlite3.Error as error:
        raise _typed(error, path) from error
    except OSError as error:
        raise JournalError(f"{path}: {error}.") from error


def _typed(error: sqlite3.Error, path: Path) -> JournalError:
    kind = JournalFull if error.sqlite_errorcode & _PRIMARY_CODE in _NO_ROOM else JournalError
    return kind(f"{path}: {error}.")
