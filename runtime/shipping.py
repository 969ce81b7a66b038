"""The session's journal on its way to Postgres, in a process of its own (db.ship). The session never waits."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from core.records import Alert
from core.vocabulary import Severity
from db.journal import Journal, is_locked, journal_path
from db.outbox import Shipper
from db.ship import JournalFile
from runtime.ports import AlertSink

END_SECONDS = 25.0
"""How long a session that has ended waits for its rows to be shipped; the next start ships what is left."""

SHIP_SECONDS = 60.0

AGAIN_SECONDS = 5.0
"""How long a shipper that died stays dead: what killed it, memory for example, shall not kill one a second."""

SETTLED_SECONDS = 10.0
"""How long a shipper lives until it counts as one that does: one that dies at each start is told of once."""

KEY, DIED = "database", "shipper"

log = logging.getLogger(__name__)


@asynccontextmanager
async def shipping(journal: Journal, url: str, alerts: AlertSink, now_ms: Callable[[], int]) -> AsyncIterator[None]:
    """Ship while inside, and the rest at the end. What stands in the way is told once, and once when it is over."""
    whose = ("--journal", str(journal.path), "--session", journal.session, "--epoch", str(journal.epoch))
    keeper = _Keeper(whose, url, alerts, now_ms)
    keeping = asyncio.create_task(keeper.keep(begun=await keeper.begin()))
    try:
        yield
    finally:
        keeper.let_go()
        _, late = await asyncio.wait({keeping}, timeout=END_SECONDS)
        if late:
            keeper.kill()
        await keeping


class _Keeper:
    """Keeps a shipper running: one that ends before the session does is told of and started again."""

    def __init__(self, whose: tuple[str, ...], url: str, alerts: AlertSink, now_ms: Callable[[], int]) -> None:
        self._whose = whose
        self._url = url
        self._alerts = alerts
        self._now_ms = now_ms
        self._ending = asyncio.Event()
        self._process: Process | None = None

    async def begin(self) -> bool:
        """Start the process and give it its lifeline; whether that was possible. The session does not depend on it."""
        try:
            self._process = await start_shipper(*self._whose)
        except OSError as problem:  # no memory or no files for a process, which may be why the one before died
            log.error("no shipper can be started: %s", problem)
            return False
        assert self._process.stdin is not None
        self._process.stdin.write(self._url.encode() + b"\n")
        return True

    async def keep(self, begun: bool) -> None:
        """Listen to it, and start another when it ends by itself, or could not begin."""
        while True:
            how = f"It ended with {await self._listen_to_its_end()}" if begun else "It could not be started"
            if self._ending.is_set():
                return
            text = f"{how}. Trading goes on, the local journal keeps every row; another is started."
            self._alerts.send(Alert(self._now_ms(), Severity.WARNING, DIED, "The shipper has died", text))
            while not (begun := await self._began_another()):
                if self._ending.is_set():
                    return  # what is left is shipped by the next start, or by the reconciliation

    async def _began_another(self) -> bool:
        """Whether a pause has passed, and another was started after it."""
        with suppress(TimeoutError):
            async with asyncio.timeout(AGAIN_SECONDS):
                await self._ending.wait()
        return not self._ending.is_set() and await self.begin()

    async def _listen_to_its_end(self) -> int:
        """Its exit code. Once it has lived for a while, the death of the one before is over: not with each attempt."""
        settled = asyncio.get_running_loop().call_later(SETTLED_SECONDS, self._tell_over)
        try:
            assert self._process is not None
            await self._listen(self._process)
            return await self._process.wait()
        finally:
            settled.cancel()

    def _tell_over(self) -> None:
        self._alerts.clear(self._now_ms(), DIED, "Another shipper has taken over; nothing was lost.")

    def let_go(self) -> None:
        """Close its lifeline: it ships the rest and ends."""
        self._ending.set()
        if self._process is not None:
            assert self._process.stdin is not None
            self._process.stdin.close()

    def kill(self) -> None:
        """It has not ended in time; the next start ships what is left."""
        if self._process is not None:
            self._process.kill()

    async def _listen(self, process: Process) -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            said = json.loads(line)
            if said["healthy"]:
                self._alerts.clear(self._now_ms(), KEY, "Postgres takes rows again; nothing was lost.")
            else:
                text = f"{said['problem']}. Trading goes on; the local journal keeps every row until Postgres is back."
                self._alerts.send(Alert(self._now_ms(), Severity.WARNING, KEY, "Postgres does not take rows", text))


async def start_shipper(*arguments: str) -> Process:
    """The process, with pipes for its lifeline and for what it tells."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "db.ship", *arguments),
        stdin=PIPE,
        stdout=PIPE,
        stderr=DEVNULL,
        start_new_session=True,  # a Ctrl-C at the terminal is the session's, which then ends this
    )


def ship_rest(folder: Path, session: str, url: str) -> None:
    """Bring to Postgres what an ended session left behind; a live one ships by itself. Locks nobody out.

    Raises TimeoutError with the database's problem when it does not take the rows in SHIP_SECONDS, or never will, and
    JournalError for a file that is no journal.
    """
    if not journal_path(folder, session).exists() or is_locked(folder, session):
        return
    shipper = Shipper(JournalFile.of_latest_writer(journal_path(folder, session), session), url)
    shipper.start()
    try:
        if not shipper.flush(SHIP_SECONDS):
            raise TimeoutError(f"the journal of {session} was not shipped: {shipper.state.problem}")
    finally:
        shipper.stop()
