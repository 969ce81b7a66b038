"""A person's word to the live session of a day: through its local socket."""

from __future__ import annotations

from pathlib import Path

from config import Settings
from db.journal import is_locked
from runtime.control import ControlAnswer, ControlCommand, ControlRequest, ask_session
from runtime.holder import read_holder
from runtime.planning import plan_for, session_folder


async def command_session(settings: Settings, word: str, date: str, requested_by: str) -> ControlAnswer:
    """Pass `word` (a ControlCommand) on. Raises SessionUnreachable when the session lives but does not answer."""
    plan = plan_for(settings, date)
    folder = session_folder(settings, plan)
    holder = read_holder(folder)
    if holder is None or not is_locked(folder, plan.session):
        return ControlAnswer(accepted=False, problem=f"no session of {date} is running for account {plan.account}")
    request = ControlRequest(command=ControlCommand(word), requested_by=requested_by)
    return await ask_session(Path(holder.socket), request)
