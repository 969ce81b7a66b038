"""Ctrl-C and SIGTERM: the first ends a session that trades in order, the second the process; then all is as before."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from config import Settings, load_settings
from core.events import Event, StopRequested
from db.journal import journal_path
from db.journal_reader import JournalReader
from runtime.planning import plan_for, session_folder
from runtime.signals import flattened_on_signals

SIGNALS = (signal.SIGINT, signal.SIGTERM)
PATIENCE_SECONDS = 30

# A session that flattens for ever: asked to stop, or cancelled, it goes on until the process ends.
STUBBORN = """
import asyncio, sys
from types import SimpleNamespace
from runtime.signals import flattened_on_signals

async def main():
    asked = lambda event: print(event.requested_by, flush=True)
    with flattened_on_signals(SimpleNamespace(take=asked, clock=SimpleNamespace(now_ms=lambda: 1))):
        print("ready", flush=True)
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                print("cancelled", flush=True)

asyncio.run(main())
"""

# One phase of a day, as long as a gateway that says nothing lets it wait.
PHASE = """
import asyncio, sys
from config import load_settings
from runtime import phases

asyncio.run(getattr(phases, sys.argv[1])(load_settings(), "2025-03-12"))
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
        with flattened_on_signals(host([])):
            assert all(signal.getsignal(number) is not prefects for number in SIGNALS)
        assert all(signal.getsignal(number) is prefects for number in SIGNALS)
    finally:
        for number, handler in zip(SIGNALS, kept, strict=True):
            signal.signal(number, handler)


async def test_after_a_stop_too() -> None:
    kept = [signal.getsignal(number) for number in SIGNALS]
    taken: list[Event] = []
    with flattened_on_signals(host(taken)):
        os.kill(os.getpid(), signal.SIGTERM)
        while not taken:
            await asyncio.sleep(0)
        assert taken == [StopRequested(1, "SIGTERM")]
        assert all(signal.getsignal(number) is signal.SIG_DFL for number in SIGNALS)
    assert [signal.getsignal(number) for number in SIGNALS] == kept


@pytest.mark.parametrize(("phase", "stops"), [("startup", 0), ("warm_up", 0), ("intraday", 1)])
def test_a_process_that_is_ended_before_it_trades_does_not_stop_the_day(phase: str, stops: int, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings = load_settings(
            {"ib_port": silent.getsockname()[1], "state_folder": tmp_path, "prediction_url": "http://127.0.0.1:9"},
            environment={},
            env_file=tmp_path / "no.env",
        )
        command = [sys.executable, "-c", PHASE, phase]
        with subprocess.Popen(command, env=dict(os.environ) | settings.to_environment()) as process:
            try:
                silent.settimeout(PATIENCE_SECONDS)
                link, _ = silent.accept()  # it asks the gateway now
                process.send_signal(signal.SIGTERM)
                if stops:
                    while not _stops(settings):
                        pass  # the journal has it before long
                    process.send_signal(signal.SIGTERM)
                assert process.wait(PATIENCE_SECONDS) == -signal.SIGTERM
                link.close()
            finally:
                process.kill()
    assert _stops(settings) == ["SIGTERM"] * stops


def _stops(settings: Settings) -> list[str]:
    """Who asked for a stop, as the journal has it."""
    plan = plan_for(settings, "2025-03-12")
    reader = JournalReader(journal_path(session_folder(settings, plan), plan.session))
    try:
        events = [json.loads(row.event) for row in reader.read(0, 1_000)]
    finally:
        reader.close()
    return [event["requested_by"] for event in events if event["type"] == StopRequested.__name__]
