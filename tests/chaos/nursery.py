"""Processes without the 2 s that Python needs to import everything: forked from one that has done so already.

`python -m tests.chaos.nursery SOCKET` imports what a day's processes need and forks one for each request. They are
processes like any other, with streams and an environment of their own, and SIGKILL ends them as it ends any other.
"""

from __future__ import annotations

import gc
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOCKET_NAME = "CHAOS_NURSERY"
"""The variable that tells a child where to ask for one of its own."""

DESCRIPTORS_MAX = 1_024
MESSAGE_BYTES_MAX = 65_536

Programs = Mapping[str, Callable[[], None]]


class Nursery:
    """The process that forks: it has one thread, so that no fork finds a lock held."""

    def __init__(self, path: Path, programs: Programs) -> None:
        self._programs = programs
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen(16)
        self._links: dict[int, socket.socket] = {}
        self._ended, ended_end = os.pipe()
        os.set_blocking(ended_end, False)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        signal.set_wakeup_fd(ended_end)

    def serve(self) -> None:
        """Fork and reap until standard input closes, because whoever started us has ended; then end the children."""
        while True:
            ready, _, _ = select.select([0, self._ended, self._listener.fileno()], [], [])
            if 0 in ready:
                break
            if self._ended in ready:
                os.read(self._ended, 4_096)
                self._reap()
            if self._listener.fileno() in ready:
                self._bear(self._listener.accept()[0])
        for pid in self._links:
            os.kill(pid, signal.SIGKILL)

    def _reap(self) -> None:
        while self._links:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            with self._links.pop(pid) as link:
                _tell(link, os.waitstatus_to_exitcode(status))

    def _bear(self, link: socket.socket) -> None:
        message, streams, _, _ = socket.recv_fds(link, MESSAGE_BYTES_MAX, 3)
        pid = os.fork()
        if not pid:
            for inherited in (self._listener, link, *self._links.values()):
                inherited.detach()
            _become(self._programs, json.loads(message), streams)
        for stream in streams:
            os.close(stream)
        self._links[pid] = link
        _tell(link, pid)


def _tell(link: socket.socket, number: int) -> None:
    try:
        link.sendall(f"{number}\n".encode())
    except OSError:
        return  # who asked has died


def _become(programs: Programs, order: dict[str, object], streams: list[int]) -> None:
    """Be the program that was asked for; never returns."""
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
        os.closerange(3, DESCRIPTORS_MAX)
        os.environ.update(order["environment"])  # type: ignore[call-overload]  # as `bear` wrote it
        sys.argv = order["arguments"]  # type: ignore[assignment]  # as `bear` wrote it
        programs[sys.argv[0]]()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0
    except BaseException:  # noqa: BLE001  told as the interpreter tells it; above is only the nursery
        traceback.print_exc()
    finally:
        threading._shutdown()  # type: ignore[attr-defined]  # as the interpreter does at its end
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


class Child:
    """A process that the nursery bore for us."""

    def __init__(self, link: socket.socket) -> None:
        self.link = link
        self.pid = self._read()
        self._code: int | None = None

    def poll(self) -> int | None:
        """The exit code, negative for a signal; None while it lives."""
        if self._code is None and select.select([self.link], [], [], 0)[0]:
            return self.wait()
        return self._code

    def wait(self, timeout_seconds: float | None = None) -> int:
        """The exit code, when it has ended. Raises TimeoutError."""
        if self._code is None:
            self.link.settimeout(timeout_seconds)
            self._code = self._read()
            self.link.close()
        return self._code

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Send a signal, unless it has ended."""
        if self.poll() is None:
            with suppress(ProcessLookupError):  # it has ended a moment ago
                os.kill(self.pid, number)

    def _read(self) -> int:
        text = b""
        while not text.endswith(b"\n"):
            if not (byte := self.link.recv(1)):
                raise ConnectionError("the nursery has ended")
            text += byte
        return int(text)


def bear(path: str, arguments: Sequence[str], environment: Mapping[str, str], streams: Sequence[int]) -> Child:
    """Ask the nursery at `path` for a process. `arguments` begin with the program's name; `streams` are three."""
    link = socket.socket(socket.AF_UNIX)
    link.connect(path)
    order = json.dumps({"arguments": list(arguments), "environment": dict(environment)}).encode()
    socket.send_fds(link, [order], list(streams))
    return Child(link)


@contextmanager
def running_nursery(folder: Path) -> Iterator[str]:
    """A nursery, while inside; the path of its socket. It ends with us, however we end."""
    path = folder / "nursery.socket"
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.chaos.nursery", str(path)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        if not process.stdout.readline():
            raise RuntimeError(f"the nursery ended with {process.wait()}")
        yield str(path)
    finally:
        process.stdin.close()
        process.wait()
        process.stdout.close()


def main() -> None:
    """Import everything, say so, and serve."""
    from db import ship
    from runtime.calendar import trading_day
    from simulator.venue_setup import SYNTHETIC_DAY
    from tests.chaos import gateway_process, session_process

    trading_day(SYNTHETIC_DAY.isoformat())
    nursery = Nursery(
        Path(sys.argv[1]), {"session": session_process.main, "gateway": gateway_process.main, "shipper": ship.main}
    )
    gc.collect()
    gc.freeze()
    print("ready", flush=True)
    nursery.serve()


if __name__ == "__main__":
    main()
