"""Ctrl-C and SIGTERM while there is something to close."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from core.events import StopRequested
from runtime.host import Host

NAMES = {signal.SIGINT: "Ctrl-C", signal.SIGTERM: "SIGTERM"}


@contextmanager
def flattened_on_signals(host: Host) -> Iterator[None]:
    """The first signal flattens and ends the session, a second one ends the process at once; orders stay.

    Whoever handled them before (Prefect, asyncio) does so again afterwards, and always while a session only prepares:
    a stop stays in the journal, and a process that is restarted before the bell must not cost the day.
    """
    before = {number: signal.getsignal(number) for number in NAMES}
    loop = asyncio.get_running_loop()

    def leave_to(number: signal.Signals, handler: Any) -> None:
        loop.remove_signal_handler(number)
        if handler is not None:  # None: not Python's, so not ours to put back
            signal.signal(number, handler)

    def stop(name: str) -> None:
        for number in before:
            leave_to(number, signal.SIG_DFL)  # Python's own handler would only cancel the run, which then drives on
        host.take(StopRequested(host.clock.now_ms(), name))

    try:
        for number, name in NAMES.items():
            loop.add_signal_handler(number, stop, name)
    except (RuntimeError, ValueError):  # not the main thread: whoever owns it handles signals
        yield
        return
    try:
        yield
    finally:
        for number, handler in before.items():
            leave_to(number, handler)
