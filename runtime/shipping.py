"""The session's journal on its way to Postgres, in a process of its own (db.ship). The session never waits."""

from __future__ import annotations

import asyncio
import json
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
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

KEY = "database"


@asynccontextmanager
async def shipping(journal: Journal, url: str, alerts: AlertSink, now_ms: Callable[[], int]) -> AsyncIterator[None]:
    """Ship while inside, and the rest at the end. An outage of the database is told once, and once when it is over."""
    whose = ("--journal", str(journal.path), "--session", journal.session, "--epoch", str(journal.epoch))
    process = await start_shipper(*whose)
    assert process.stdin is not None
    process.stdin.write(url.encode() + b"\n")
    telling = asyncio.create_task(_tell(process, alerts, now_ms))
    try:
        yield
    finally:
        process.stdin.close()
        try:
            async with asyncio.timeout(END_SECONDS):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
        await telling


async def start_shipper(*arguments: str) -> Process:
    """The process, with pipes for its lifeline and for what it tells."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "db.ship", *arguments),
        stdin=PIPE,
        stdout=PIPE,
        stderr=DEVNULL,
        start_new_session=True,  # a Ctrl-C at the terminal is the session's, which then ends this
    )


async def _tell(process: Process, alerts: AlertSink, now_ms: Callable[[], int]) -> None:
    assert process.stdout is not None
    async for line in process.stdout:
        said = json.loads(line)
        if said["healthy"]:
            alerts.clear(now_ms(), KEY, "Postgres takes rows again; nothing was lost.")
        else:
            text = f"{said['problem']}. Trading goes on; the local journal keeps every row until Postgres is back."
            alerts.send(Alert(now_ms(), Severity.WARNING, KEY, "Postgres does not take rows", text))


def ship_rest(folder: Path, session: str, url: str) -> None:
    """Bring to Postgres what an ended session left behind; a live one ships by itself. Locks nobody out.

    Raises TimeoutError with the database's problem when it does not take the rows in SHIP_SECONDS.
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
