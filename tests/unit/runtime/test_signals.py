"""Ctrl-C and SIGTERM: the first ends the session in order, the second the process, and afterwards all is as before."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

from core.events import Event, StopRequested
from runtime.bootstrap import _stop_on_signals

SIGNALS = (signal.SIGINT, signal.SIGTERM)
PATIENCE_SECONDS = 30

# A session that flattens for ever: asked to stop, or cancelled, it goes on until the process ends.
STUBBORN = """
import asyncio, sys
from types import SimpleNamespace
from runtime.bootstrap import _stop_on_signals

async def main():
    asked = lambda event: print(event.requested_by, flush=True)
    _stop_on_signals(SimpleNamespace(take=asked, clock=SimpleNamespace(now_ms=lambda: 1)))
    print("ready", flush=True)
    while True:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            print("cancelled", flush=True)

asyncio.run(main())
"""


def host(taken: list[Event]) -> Any:
    return SimpleNamespace(take=taken.append, clock=SimpleNamespace(now_ms=lambda: 1))


def test_the_second_signal_ends_the_process_at_once() -> None:
    for number, name in zip(SIGNALS, ("Ctrl-C", "SIGTERM"), strict=True):
        with subprocess.Popen([sys.executable, "-c", STUBBORN], stdout=subprocess.PIPE, text=True) as session:
            try:
                assert session.stdout is not None
                assert session.stdout.readline() == "ready\n"
                session.send_signal(number)
                assert session.stdout.readline() == f"{name}\n"
                session.send_signal(signal.SIGINT)
                said, _ = session.communicate(timeout=PATIENCE_SECONDS)
            finally:
                session.kill()
        assert said == ""
        assert session.returncode == -signal.SIGINT


async def test_afterwards_signals_go_where_they_went_before() -> None:
    def prefects(number: int, frame: object) -> None:
        """Stands for a handler that was there first."""

    kept = [signal.signal(number, prefects) for number in SIGNALS]
    try:
        restore = _stop_on_signals(host([]))
        assert all(signal.getsignal(number) is not prefects for number in SIGNALS)
        restore()
        assert all(signal.getsignal(number) is prefects for number in SIGNALS)
    finally:
        for number, handler in zip(SIGNALS, kept, strict=True):
            signal.signal(number, handler)


async def test_after_a_stop_too() -> None:
    kept = [signal.getsignal(number) for number in SIGNALS]
    taken: list[Event] = []
    restore = _stop_on_signals(host(taken))
    os.kill(os.getpid(), signal.SIGTERM)
    while not taken:
        await asyncio.sleep(0)
    assert taken == [StopRequested(1, "SIGTERM")]
    assert all(signal.getsignal(number) is signal.SIG_DFL for number in SIGNALS)
    restore()
    assert [signal.getsignal(number) for number in SIGNALS] == kept
