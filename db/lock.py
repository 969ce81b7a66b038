"""One live session per account and day, among all machines that share a database: a Postgres advisory lock.

Postgres lets go of it when its connection ends, so it proves life only as long as `hold` says so. While the database is
away nobody can hold it; the file lock of the journal still stands between the processes of one machine.
"""

from __future__ import annotations

import hashlib
from enum import StrEnum

from sqlalchemy import Connection, text

from db.engine import DatabaseError, open_database


class LockState(StrEnum):
    """How the lock stands for us."""

    HELD = "held"
    TAKEN = "taken"  # by another process
    UNREACHABLE = "unreachable"  # nobody can say


class SessionLock:
    """The lock of (account, date), with a connection of its own. Its calls wait for the database."""

    def __init__(self, url: str, account: str, date: str) -> None:
        self._database = open_database(url).execution_options(isolation_level="AUTOCOMMIT")
        self._key = lock_key(account, date)
        self._connection: Connection | None = None

    def hold(self) -> LockState:
        """Take the lock, or make sure that it is still ours; call it again from time to time."""
        try:
            if self._connection is not None and self._still_there(self._connection):
                return LockState.HELD
            connection = self._database.connect()
            if connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": self._key}):
                self._connection = connection
                return LockState.HELD
            connection.close()
        except DatabaseError:
            return LockState.UNREACHABLE
        return LockState.TAKEN

    def release(self) -> None:
        """Let go of the lock, if we have it."""
        if self._connection is not None:
            self._connection.invalidate()  # ends the connection, which cannot fail and frees the lock
            self._connection.close()
            self._connection = None

    def _still_there(self, connection: Connection) -> bool:
        try:
            connection.execute(text("SELECT 1"))
        except DatabaseError:
            self.release()
            return False
        return True


def is_free(url: str, account: str, date: str) -> bool:
    """Whether nobody holds the lock now; takes nothing. Raises DatabaseError when the database is away."""
    holders = text(
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1 AND granted"
        " AND (classid::bigint << 32) | objid::bigint = :key"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    with open_database(url).connect() as connection:
        return not connection.scalar(holders, {"key": lock_key(account, date)})


def lock_key(account: str, date: str) -> int:
    """The number under which Postgres knows the lock: signed, 64 bits."""
    digest = hashlib.sha256(f"trader session {account} {date}".encode()).digest()
    return int.from_bytes(digest[:8], signed=True)
