"""What a session tells of its own process: that the one before it was killed, and that nobody watches it any more."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from core.records import Alert
from core.vocabulary import Severity
from db.journal import Journal
from runtime.host import Host
from runtime.ports import AlertSink

LOOK_SECONDS = 0.2
PARENT_SECONDS = 2.0

DEATH = "process"
ALONE = "supervisor"


@asynccontextmanager
async def supervision(host: Host, journal: Journal, lasting: AlertSink) -> AsyncIterator[None]:
    """Tell both edges of a predecessor's death, and the death of the process that started us."""
    parent = os.getppid()
    lasting.clear(host.clock.now_ms(), ALONE, f"Its successor is process {os.getpid()}, started by {parent}.")
    watching = [asyncio.create_task(until_orphaned(parent, lambda: _tell_alone(host, lasting, parent)))]
    if journal.was_killed:
        watching.append(asyncio.create_task(_tell_death(host, journal)))
    try:
        yield
    finally:
        for task in watching:
            task.cancel()
        await asyncio.gather(*watching, return_exceptions=True)


async def until_orphaned(parent: int, tell: Callable[[], None]) -> None:
    """Call `tell` once, when the process `parent` that started this one has ended."""
    while os.getppid() == parent:  # noqa: ASYNC110  the end of a parent is no event
        await asyncio.sleep(PARENT_SECONDS)
    tell()


async def _tell_death(host: Host, journal: Journal) -> None:
    """Its end is told once the broker has been read back; should we die before, our successor begins anew."""
    journal.ends_well, replayed = False, journal.last_sequence
    text = f"It was killed or has crashed. Process {os.getpid()} takes over; its stops stand at the broker meanwhile."
    host.alert(Severity.CRITICAL, DEATH, "The session's process died", text)
    try:
        while journal.last_sequence == replayed or not host.session.engine.is_reconciled():  # noqa: ASYNC110  any step may
            await asyncio.sleep(LOOK_SECONDS)
    finally:  # a simulated day may have ended between two looks
        if journal.last_sequence > replayed and host.session.engine.is_reconciled():
            journal.ends_well = True
            host.session.alerts.clear(host.clock.now_ms(), DEATH, "The broker has been read back; the session goes on.")


def _tell_alone(host: Host, lasting: AlertSink, parent: int) -> None:
    text = (
        f"Process {parent}, which started it, has ended. The session trades on and closes the day. Should it die too,"
        " it is started again only when the Prefect server has missed its signs of life for five minutes."
    )
    at_ms = host.clock.now_ms()
    lasting.send(Alert(at_ms, Severity.WARNING, ALONE, "Nobody watches the session's process", text))
