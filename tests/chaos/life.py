"""One life of a session on a faulty day: what it is to do, what became of it, and its process."""

from __future__ import annotations

import json
import os
import select
import signal
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from io import FileIO
from pathlib import Path
from typing import Any

from sqlalchemy import text

from config import Settings
from db.engine import open_database
from tests.chaos.kill_points import Kill
from tests.chaos.nursery import SOCKET_NAME, bear


@dataclass(slots=True)
class Life:
    """From a process' start to its end. Times are of the market, UTC epoch ms."""

    phases: tuple[str, ...]
    kill: Kill | None
    moments: dict[int, str]
    reconciled_ms: list[int] = field(default_factory=list)
    ended_ms: int = 0
    was_killed: bool = False

    def spans(self, begin_ms: int, end_ms: int) -> bool:
        """Whether the session was up and reconciled before, and still alive after."""
        return bool(self.reconciled_ms) and self.reconciled_ms[0] < begin_ms and end_ms < self.ended_ms


class SessionChild:
    """A running session process, at the end of two pipes."""

    def __init__(self, nursery: str, date: str, life: Life, settings: Settings, log_path: Path) -> None:
        self.log_path = log_path
        plan = {
            "phases": life.phases,
            "kill": asdict(life.kill) if life.kill else None,
            "moments": life.moments,
        }
        (their_stdin, to_session), (from_session, their_stdout) = os.pipe(), os.pipe()
        self._answers, self._telling = FileIO(to_session, "w"), FileIO(from_session)
        environment = settings.to_environment() | {SOCKET_NAME: nursery}
        with log_path.open("wb") as log:
            arguments = ["session", date, json.dumps(plan)]
            self._process = bear(nursery, arguments, environment, (their_stdin, their_stdout, log.fileno()))
        os.close(their_stdin)
        os.close(their_stdout)

    def listen(self, until: float) -> Iterator[dict[str, Any]]:
        """What the session tells, until it ends or `until` (monotonic seconds) has come."""
        pending = b""
        while time.monotonic() < until:
            if not select.select([self._telling], [], [], 1.0)[0]:
                continue
            if not (chunk := self._telling.read(65_536)):
                return
            *lines, pending = (pending + chunk).split(b"\n")
            yield from map(json.loads, lines)

    def tell(self, word: str) -> None:
        """Answer a moment that it has told."""
        self._answers.write(f"{word}\n".encode())

    def wake(self) -> None:
        """Let a stopped process go on."""
        self._process.kill(signal.SIGCONT)

    def end(self) -> None:
        """Make sure that it has ended."""
        self._process.kill()
        self._process.wait()
        self._answers.close()
        self._telling.close()

    def code(self) -> int:
        """Its exit code; negative for a signal."""
        return self._process.wait()


def cut_off_sessions(url: str) -> None:
    """End the connections that hold the advisory locks of sessions, as the loss of a machine would."""
    with open_database(url).connect() as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND pid <> pg_backend_pid()"
            )
        )
