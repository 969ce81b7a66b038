"""Who runs a session. The journal's file lock decides (it dies with its process); this note says how to reach it."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ValidationError

NOTE = "holder.json"


class SessionAlreadyRunning(RuntimeError):
    """Another live process holds this session; nothing was touched."""

    def __init__(self, session: str, holder: Holder | None) -> None:
        who = f"process {holder.pid}" if holder else "another process"
        super().__init__(f"session {session} is already running in {who}: nothing was touched")
        self.session = session
        self.holder = holder


class Holder(BaseModel, frozen=True):
    """The latest process that opened a session: its pid, its control socket and its fencing epoch."""

    pid: int
    socket: str
    epoch: int


def write_holder(folder: Path, holder: Holder) -> None:
    """Note the holder, all or nothing."""
    fresh = folder / f"{NOTE}.new"
    fresh.write_text(holder.model_dump_json(), encoding="utf-8")
    fresh.replace(folder / NOTE)


def read_holder(folder: Path) -> Holder | None:
    """The latest holder of the session in `folder`, alive or not; None when it never ran here, or power was lost."""
    try:
        return Holder.model_validate_json((folder / NOTE).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValidationError):  # the note is not forced to disk: the lock decides, and needs none
        return None
