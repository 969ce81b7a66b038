"""Runs one command on a leash: when the other end of standard input closes, for whatever reason, the command ends.

This file is started as a script, in a session of its own, one for each child of the stack. It imports nothing of ours.
The parent writes one JSON line (see `main`); then a further line means "stop", and the end of the pipe means that the
parent died, by kill -9 too. With `keep_descendants` the death of the parent ends the command alone and leaves what it
started alive: a trading session outlives its Prefect worker.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from io import FileIO
from typing import Any


def main() -> int:
    """Read `{command, environment, stop_signals, grace_seconds, keep_descendants}`, run it, return its exit code."""
    pipe = open(0, "rb", buffering=0)  # noqa: SIM115  unbuffered, for a thread that holds a buffer's lock aborts the exit
    order: dict[str, Any] = json.loads(pipe.readline())
    for name, value in order["environment"].items():
        os.putenv(name, value)  # for the child alone: what is secret never shows on a command line
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # a shell's background job inherits SIGINT ignored
    child = subprocess.Popen(order["command"], stdin=subprocess.DEVNULL, start_new_session=True)
    for quiet in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(quiet, signal.SIG_IGN)  # only the pipe decides
    threading.Thread(target=_hold, args=(child, order, pipe), daemon=True).start()
    code = child.wait()
    if not order["keep_descendants"]:
        _kill_group(child.pid)
    return code if code >= 0 else 128 - code


def _hold(child: subprocess.Popen[bytes], order: dict[str, Any], pipe: FileIO) -> None:
    """Wait for the word of the parent, or for its death; then end the child."""
    asked = bool(pipe.readline())
    if order["keep_descendants"] and not asked:
        child.kill()  # a polite end would end its descendants too
        return
    for name in order["stop_signals"]:
        child.send_signal(signal.Signals[name])
        try:
            child.wait(order["grace_seconds"])
        except subprocess.TimeoutExpired:
            continue
        break
    _kill_group(child.pid)


def _kill_group(group: int) -> None:
    try:
        os.killpg(group, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return  # nobody left (macOS says "not permitted" of a group of zombies)


if __name__ == "__main__":
    sys.exit(main())
