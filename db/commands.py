"""Commands to a live session through Postgres: a row, a NOTIFY, and a slow poll for when the NOTIFY was missed.

The session hears of a command at least once: again after a restart, until it has marked it handled.
"""

from __future__ import annotations

import logging
import select as sockets
import socket
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from uuid import uuid4

import psycopg
from sqlalchemy import Connection, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from db.engine import DatabaseError, open_database
from db.models import CommandRecord

CHANNEL = "trader_commands"
POLL_SECONDS = 5.0
BACKOFF_MIN_SECONDS = 0.2
BACKOFF_MAX_SECONDS = 10.0
STOP_SECONDS = 5.0

log = logging.getLogger(__name__)


class CommandKind(StrEnum):
    """What can be asked of a session."""

    FLATTEN = "flatten"
    SUSPEND = "suspend"
    RESUME = "resume"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class SessionCommand:
    """A command as the session hears it. `tickers` and `whole_account` belong to flatten only."""

    id: int
    kind: CommandKind
    requested_by: str
    age_seconds: float  # since it was asked, by the database's clock
    tickers: tuple[str, ...]
    whole_account: bool


def send_command(
    url: str,
    kind: CommandKind,
    *,
    session: str,
    requested_by: str,
    tickers: Sequence[str] = (),
    whole_account: bool = False,
    request_key: str | None = None,
) -> int:
    """Ask something of a session; the number under which `command_answer` tells what became of it.

    The same `request_key` is the same request: sent again, it is neither stored nor carried out again.
    """
    row = {
        "request_key": request_key or uuid4().hex,
        "session": session,
        "kind": kind,
        "tickers": list(tickers),
        "whole_account": whole_account,
        "requested_by": requested_by,
    }
    statement = insert(CommandRecord).values(row)
    same = statement.on_conflict_do_update(index_elements=["request_key"], set_={"request_key": row["request_key"]})
    with open_database(url).begin() as connection:
        number = connection.execute(same.returning(CommandRecord.id)).scalar_one()
        connection.execute(text("SELECT pg_notify(:channel, :session)"), {"channel": CHANNEL, "session": session})
    return number


def command_answer(url: str, number: int) -> str | None:
    """What the session answered; None while it has not."""
    query = select(CommandRecord.answer).where(CommandRecord.id == number, CommandRecord.handled_at.is_not(None))
    with open_database(url).connect() as connection:
        return connection.execute(query).scalar_one_or_none()


class CommandListener:
    """Listens for a session's commands on a thread of its own and survives the database's absence.

    `on_command` is called on that thread, once for each command; it hands the command over and must not raise. Answer
    with `mark_handled` when the command has been taken into the journal.
    """

    def __init__(
        self, url: str, session: str, on_command: Callable[[SessionCommand], None], poll_seconds: float = POLL_SECONDS
    ) -> None:
        self._database = open_database(url).execution_options(isolation_level="AUTOCOMMIT")
        self._session = session
        self._on_command = on_command
        self._poll_seconds = poll_seconds
        self._told: set[int] = set()
        self._answers: deque[tuple[int, str]] = deque()
        self._ending = threading.Event()
        self._bell, self._ring = socket.socketpair()
        for end in (self._bell, self._ring):
            end.setblocking(False)
        self._thread = threading.Thread(target=self._run, name="commands", daemon=True)

    def start(self) -> None:
        """Begin to listen, whether or not the database is there yet."""
        self._thread.start()

    def mark_handled(self, number: int, answer: str) -> None:
        """Say, from any thread, what became of a command. Stored as soon as the database is there."""
        self._answers.append((number, answer))
        self._wake()

    def stop(self) -> None:
        """End the thread; commands not yet handled wait for the next listener."""
        self._ending.set()
        self._wake()
        self._thread.join(STOP_SECONDS)
        if not self._thread.is_alive():  # else a call hangs in a hung database: it is left behind
            self._bell.close()
            self._ring.close()

    def _wake(self) -> None:
        with suppress(BlockingIOError):  # a bell that is full of rings will be heard
            self._ring.send(b"!")

    # --- on the listener's thread ------------------------------------------------------------------------------------

    def _run(self) -> None:
        backoff_seconds = BACKOFF_MIN_SECONDS
        while not self._ending.is_set():
            try:
                with self._database.connect() as connection:
                    connection.execute(text(f"LISTEN {CHANNEL}"))
                    backoff_seconds = BACKOFF_MIN_SECONDS
                    self._listen(connection)
            except (DatabaseError, psycopg.Error) as error:
                log.warning("commands cannot reach session %s through Postgres: %s", self._session, error)
                self._ending.wait(backoff_seconds)
                backoff_seconds = min(2 * backoff_seconds, BACKOFF_MAX_SECONDS)

    def _listen(self, connection: Connection) -> None:
        wire = connection.connection.driver_connection
        assert isinstance(wire, psycopg.Connection)
        while not self._ending.is_set():
            self._store_answers(connection)
            self._tell_new(connection)
            if not list(wire.notifies(timeout=0)):  # one may have come along with an answer: then look again at once
                sockets.select([wire.fileno(), self._bell.fileno()], [], [], self._poll_seconds)
            with suppress(BlockingIOError):
                self._bell.recv(4096)
        self._store_answers(connection)

    def _tell_new(self, connection: Connection) -> None:
        age = func.extract("epoch", func.clock_timestamp() - CommandRecord.requested_at)
        pending = (
            select(CommandRecord, age.label("age_seconds"))
            .where(CommandRecord.session == self._session, CommandRecord.handled_at.is_(None))
            .order_by(CommandRecord.id)
        )
        for row in connection.execute(pending).all():
            if row.id in self._told:
                continue
            self._told.add(row.id)
            kind, age_seconds = CommandKind(row.kind), float(row.age_seconds)
            self._on_command(
                SessionCommand(row.id, kind, row.requested_by, age_seconds, tuple(row.tickers), row.whole_account)
            )

    def _store_answers(self, connection: Connection) -> None:
        while self._answers:
            number, answer = self._answers[0]
            open_one = update(CommandRecord).where(CommandRecord.id == number, CommandRecord.handled_at.is_(None))
            connection.execute(open_one.values(handled_at=func.now(), answer=answer))
            self._answers.popleft()
