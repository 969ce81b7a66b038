"""What a live session does in Postgres besides shipping: it holds the lock, hears commands, and notes its settings.

All of it is optional for trading: while the database is away, the journal's lock and the local socket do the same here.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from config import Settings
from config.effective import effective
from core.params import SessionPlan
from db.commands import CommandKind, CommandListener, SessionCommand
from db.engine import PEER_LOST_SECONDS, DatabaseError
from db.journal import is_locked
from db.lock import LockState, SessionLock
from db.queries import session_state
from db.snapshots import record_settings
from runtime.control import ControlAnswer, ControlCommand, ControlRequest
from runtime.holder import SessionAlreadyRunning, read_holder

HOLD_SECONDS = 15.0
"""How often the lock is looked after: a lost database connection gives it up, and another machine could take it."""

DEAD_SECONDS = PEER_LOST_SECONDS + 5.0
"""How long a lock that another holds is asked for: Postgres gives up that of a dead process or machine by then."""

ASK_AGAIN_SECONDS = 0.2

RESUME_MAX_SECONDS = 300.0
"""A resume is somebody's judgement of the moment; one that the database held back longer is not carried out."""

log = logging.getLogger(__name__)


@asynccontextmanager
async def locked_in_postgres(plan: SessionPlan, folder: Path, url: str) -> AsyncIterator[SessionLock]:
    """Be the session of (account, date) for all machines that share the database, until its last row is shipped.

    Before its journal is opened under a higher epoch: that ends whoever is the session now.
    Raises SessionAlreadyRunning when another process holds the lock there, or the journal's here.
    """
    lives_here = partial(is_locked, folder, plan.session)
    if lives_here():
        raise SessionAlreadyRunning(plan.session, read_holder(folder))
    lock = SessionLock(url, plan.account, plan.date)
    try:
        if await _take(lock, lives_here) is LockState.TAKEN:
            raise SessionAlreadyRunning(plan.session, read_holder(folder) if lives_here() else None)
        yield lock
    finally:
        await asyncio.to_thread(lock.release)


@asynccontextmanager
async def present_in_postgres(
    lock: SessionLock,
    settings: Settings,
    plan: SessionPlan,
    epoch: int,
    url: str,
    answer: Callable[[ControlRequest], ControlAnswer],
    on_taken_over: Callable[[str], None],
    on_lock: Callable[[LockState], None],
) -> AsyncIterator[None]:
    """Look after the lock, hear commands, and note the settings.

    `on_taken_over` hears, in words, that a process of a higher epoch has opened this session; `on_lock`, at each look,
    how the lock stands for us.
    """
    newest_epoch = partial(_epoch_in_postgres, url, plan.session)
    holding = asyncio.create_task(_hold(lock, newest_epoch, epoch, on_taken_over, on_lock))
    loop = asyncio.get_running_loop()

    def hand_over(command: SessionCommand) -> None:
        loop.call_soon_threadsafe(_hear, listener, command, answer)

    listener = CommandListener(url, plan.session, hand_over)
    listener.start()
    noting = asyncio.create_task(asyncio.to_thread(_note_settings, settings, plan, epoch, url))
    try:
        yield
    finally:
        holding.cancel()
        await noting
        await asyncio.to_thread(listener.stop)


async def _take(lock: SessionLock, lives_here: Callable[[], bool]) -> LockState:
    """The lock as it stands once a dead predecessor cannot be its holder any more."""
    deadline = time.monotonic() + DEAD_SECONDS
    state = await asyncio.to_thread(lock.hold)
    while state is LockState.TAKEN and time.monotonic() < deadline and not lives_here():  # a death is no event
        await asyncio.sleep(ASK_AGAIN_SECONDS)
        state = await asyncio.to_thread(lock.hold)
    return state


async def _hold(
    lock: SessionLock,
    newest_epoch: Callable[[], int],
    epoch: int,
    on_taken_over: Callable[[str], None],
    on_lock: Callable[[LockState], None],
) -> None:
    while True:
        await asyncio.sleep(HOLD_SECONDS)
        newest = await asyncio.to_thread(newest_epoch)
        if newest > epoch:
            on_taken_over(f"Postgres has rows of epoch {newest}, this process has epoch {epoch}")
            return
        on_lock(await asyncio.to_thread(lock.hold))


def _epoch_in_postgres(url: str, session: str) -> int:
    """The epoch of whoever shipped last; 0 for nobody, or while the database is away."""
    try:
        known = session_state(url, session)
    except DatabaseError:
        return 0
    return known.epoch if known else 0


def _hear(
    listener: CommandListener, command: SessionCommand, answer: Callable[[ControlRequest], ControlAnswer]
) -> None:
    """Take a command in as if it had come through the socket; it is answered once it stands in the journal."""
    if command.kind is CommandKind.RESUME and command.age_seconds > RESUME_MAX_SECONDS:
        listener.mark_handled(
            command.id, f"not done: asked for {command.age_seconds:.0f} s ago; ask again if it still holds"
        )
        return
    request = ControlRequest(
        command=ControlCommand(command.kind),
        requested_by=command.requested_by,
        tickers=command.tickers,
        whole_account=command.whole_account,
    )
    said = answer(request)
    listener.mark_handled(command.id, said.problem or said.sentence())


def _note_settings(settings: Settings, plan: SessionPlan, epoch: int, url: str) -> None:
    try:
        record_settings(url, plan.session, epoch, {row.name: row.value for row in effective(settings, {})})
    except DatabaseError as error:
        log.warning("the settings of this start were not noted in Postgres: %s", error)
