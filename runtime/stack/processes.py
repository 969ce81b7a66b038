"""Child processes of the stack: each in a session of its own, on a leash that ends it when we die or ask."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

LEASH = Path(__file__).with_name("leash.py")
PROBE_SECONDS = 0.05
LOG_TAIL_CHARACTERS = 2_000
LOG_BYTES_MAX = 10_000_000


class StackError(RuntimeError):
    """A part of the local stack did not start; the text says which, why, and where its log is."""


@dataclass(frozen=True, slots=True)
class ChildCommand:
    """What to run and how to end it: `stop_signals` one after another, each with `grace_seconds`, then SIGKILL."""

    name: str
    arguments: Sequence[str]
    log_file: Path
    environment: Mapping[str, str]  # on top of ours
    stop_signals: tuple[str, ...] = ("SIGINT", "SIGTERM")
    grace_seconds: float = 5.0
    keep_descendants: bool = False  # when we die, end only the child itself


class ChildProcess:
    """A running child. Ends with us: its leash sees our end of the pipe close."""

    def __init__(self, command: ChildCommand, leash: asyncio.subprocess.Process, log_bytes_before: int) -> None:
        self._command = command
        self._leash = leash
        self._log_bytes_before = log_bytes_before

    @classmethod
    async def start(cls, command: ChildCommand) -> ChildProcess:
        """Start the command; its output is added to the log file."""
        _keep_short(command.log_file)
        before = command.log_file.stat().st_size if command.log_file.exists() else 0
        with command.log_file.open("ab") as log:
            leash = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", str(LEASH)),
                stdin=asyncio.subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        order = {
            "command": list(command.arguments),
            "environment": dict(command.environment),
            "stop_signals": command.stop_signals,
            "grace_seconds": command.grace_seconds,
            "keep_descendants": command.keep_descendants,
        }
        _pipe(leash).write(json.dumps(order).encode() + b"\n")
        return cls(command, leash, before)

    @property
    def running(self) -> bool:
        """Whether the command has not ended."""
        return self._leash.returncode is None

    @property
    def log_file(self) -> Path:
        """Where the command's output goes."""
        return self._command.log_file

    async def wait(self) -> int:
        """Wait until the command ends by itself; its exit code."""
        return await self._leash.wait()

    async def wait_until(self, ready: Callable[[], Awaitable[bool]], timeout_seconds: float) -> None:
        """Ask `ready` until it says yes. Raises StackError when the child ends before, or at the timeout."""
        deadline = time.monotonic() + timeout_seconds
        while not await ready():
            if not self.running:
                raise StackError(f"{self._command.name} ended with code {self._leash.returncode}: {self._log_tail()}")
            if time.monotonic() > deadline:
                raise StackError(f"{self._command.name} was not ready in {timeout_seconds:g} s: {self._log_tail()}")
            await asyncio.sleep(PROBE_SECONDS)

    async def stop(self) -> None:
        """End the command and wait until it has gone. May be called twice."""
        if self.running:
            pipe = _pipe(self._leash)
            pipe.write(b"stop\n")
            pipe.close()
        await self._leash.wait()

    def _log_tail(self) -> str:
        """The end of what this child said; what earlier ones said stands before it in the same file."""
        own = self.log_file.read_bytes()[self._log_bytes_before :]
        text = own.decode(errors="replace")[-LOG_TAIL_CHARACTERS:].strip()
        return f"see {self.log_file}" + (f", which ends:\n{text}" if text else "")


def free_port(preferred: int = 0) -> int:
    """A port of 127.0.0.1 on which nobody listens: the preferred one if it is free."""
    for port in (preferred, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise StackError("127.0.0.1 has no free port")


def _keep_short(log_file: Path) -> None:
    """Put a log that has grown long aside, as the one before."""
    log_file.parent.mkdir(parents=True, exist_ok=True)
    if log_file.exists() and log_file.stat().st_size > LOG_BYTES_MAX:
        log_file.replace(log_file.with_suffix(".before.log"))


def _pipe(leash: asyncio.subprocess.Process) -> asyncio.StreamWriter:
    if leash.stdin is None:
        raise StackError("a leash has no pipe")
    return leash.stdin
