"""A word to the live session of a day, from a person or from another process: through its local socket."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from config import Settings
from db.journal import is_locked
from runtime.control import (
    ControlAnswer,
    ControlCommand,
    ControlRequest,
    SessionUnreachable,
    SocketClosed,
    ask_session,
)
from runtime.holder import read_holder
from runtime.planning import plan_for, session_folder

ASK_AGAIN_SECONDS = 0.5
UNANSWERED_MAX = 4
"""Unanswered calls (5 s each) after which a process that holds the lock counts as hung, and is killed and replaced."""

CLOSED_SECONDS = 45.0
"""How long its socket may be closed: one that starts replays its journal, one that ends ships its last rows (25 s)."""


async def command_session(settings: Settings, word: str, date: str, requested_by: str) -> ControlAnswer:
    """Pass `word` (a ControlCommand) on. Raises SessionUnreachable when the session lives but does not answer."""
    plan = plan_for(settings, date)
    folder = session_folder(settings, plan)
    if not is_locked(folder, plan.session):
        return ControlAnswer(accepted=False, problem=f"no session of {date} is running for account {plan.account}")
    holder = read_holder(folder)
    if holder is None:
        raise SocketClosed(f"no holder is noted in {folder} yet: the session is starting")
    request = ControlRequest(command=ControlCommand(word), requested_by=requested_by)
    return await ask_session(Path(holder.socket), request)


async def ask_patiently(folder: Path, request: ControlRequest) -> ControlAnswer | None:
    """The session's answer; None when it has ended. Raises SessionUnreachable when it counts as hung."""
    deadline, silent = time.monotonic() + CLOSED_SECONDS, 0
    while is_locked(folder, folder.name):
        try:
            holder = read_holder(folder)
            if holder is None:
                raise SocketClosed(f"no holder is noted in {folder}")
            return await ask_session(Path(holder.socket), request)
        except SessionUnreachable as unreachable:
            silent += not isinstance(unreachable, SocketClosed)
            if silent == UNANSWERED_MAX or time.monotonic() > deadline:
                raise
        await asyncio.sleep(ASK_AGAIN_SECONDS)
    return None
