"""One live session per (account, date) on this machine: an exclusive file lock, and a note of who holds it.

The operating system releases the lock when its process dies, however it dies: a lock that can be had is the proof that
the former holder is gone.
"""

from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path
from types import TracebackType
from typing import IO

from pydantic import BaseModel


class SessionAlreadyRunning(RuntimeError):
    """Another live process holds this session; nothing was touched."""

    def __init__(self, session: str, holder: Holder | None) -> None:
        who = f"process {holder.pid}" if holder else "another process"
        super().__init__(f"session {session} is already running in {who}: nothing was touched")
        self.session = session
        self.holder = holder


class Holder(BaseModel, frozen=True):
    """Who holds a session: its process, its control socket and its fencing epoch."""

    pid: int
    socket: str
    epoch: int


class SessionLock:
    """Hold it for the life of the process that runs the session. `epoch` counts the holders, from 1."""

    def __init__(self, folder: Path, session: str, socket: Path) -> None:
        self._note_path = folder / "holder.json"
        self._lock_path = folder / "session.lock"
        self._session = session
        self._socket = socket
        self._file: IO[str] | None = None
        self.epoch = 0

    def __enter__(self) -> SessionLock:
        self._lock_path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._lock_path.open("a+", encoding="utf-8")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.close()
            raise SessionAlreadyRunning(self._session, read_holder(self._note_path.parent)) from None
        former = read_holder(self._note_path.parent)
        self.epoch = former.epoch + 1 if former else 1
        note = Holder(pid=os.getpid(), socket=str(self._socket), epoch=self.epoch)
        fresh = self._note_path.with_suffix(".new")
        fresh.write_text(note.model_dump_json(), encoding="utf-8")
        fresh.replace(self._note_path)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        assert self._file is not None
        self._file.close()

    def is_fenced(self) -> bool:
        """True when a later holder has taken over: then this process must send nothing more."""
        holder = read_holder(self._note_path.parent)
        return holder is None or holder.epoch != self.epoch


def read_holder(folder: Path) -> Holder | None:
    """The latest holder of the session in `folder`, alive or not; None when it never ran here."""
    try:
        return Holder.model_validate(json.loads((folder / "holder.json").read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None


def is_held(folder: Path) -> bool:
    """True while a live process holds the session."""
    path = folder / "session.lock"
    if not path.exists():
        return False
    with path.open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
