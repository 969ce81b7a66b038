"""A day in running time: what comes outside a chunk of socket data is not left waiting, and the end is an end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from config import load_settings
from core.events import Event, SuspendRequested, Woke
from runtime.bootstrap import open_session
from runtime.clock import BrokerClock
from runtime.drive_by_clock import _keep_connected, drive_by_clock
from runtime.host import Host

PATIENCE_SECONDS = 30.0
"""Of a busy machine; the drive does not look again by itself before that."""


@pytest.fixture(autouse=True)
def _only_what_wakes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runtime.drive_by_clock.LOOK_SECONDS", 2 * PATIENCE_SECONDS)


async def some_turns() -> None:
    """Let the other tasks come to where they wait."""
    for _ in range(20):
        await asyncio.sleep(0)


class Asked:
    """A poller that is due once; something else comes in while it is asked."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self.due_ms: int | None = 0

    def is_due(self, now_ms: int) -> bool:
        self.due_ms = None
        return True

    async def events(self, now_ms: int) -> AsyncGenerator[Event]:
        await some_turns()
        self._host.session.inbox.put(Woke(now_ms, "meanwhile"))
        yield SuspendRequested(now_ms, "poll")


async def no_heartbeat() -> int:
    await asyncio.Event().wait()
    return 0


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[tuple[Any, list[Event]]]:
    """A session that is not connected, and what its engine is stepped through."""
    settings = load_settings({"tickers": ("SOXL",), "state_folder": folder}, environment={}, env_file=folder / "no.env")
    async with open_session(settings, "2025-03-12") as host:
        stepped: list[Event] = []
        session: Any = host.session
        step = session._step

        def recorded(events: Sequence[Event]) -> None:
            stepped.extend(events)
            step(events)

        session._step = recorded
        host.clock.hear(host.plan.open_ms)  # type: ignore[union-attr]  # the clock of mode sim
        free: Any = host
        free.broker = SimpleNamespace(read_time_ms=no_heartbeat)
        yield host, stepped


async def drive_until(host: Host, stepped: list[Event], *expected: type[Event]) -> None:
    """Drive until the engine has been stepped through as many events as expected."""
    host.done = lambda _: len(stepped) >= len(expected)
    async with asyncio.timeout(PATIENCE_SECONDS):
        await drive_by_clock(host)
    assert [type(event) for event in stepped] == list(expected)


async def test_what_comes_from_no_socket_is_stepped_through_soon(tmp_path: Path) -> None:
    async with opened(tmp_path) as (host, stepped):

        async def history() -> None:
            await some_turns()
            host.session.inbox.put(Woke(0, "history"))

        loading = asyncio.create_task(history())
        await drive_until(host, stepped, Woke)
        await loading


async def test_what_a_heartbeat_finds_out_is_too(tmp_path: Path) -> None:
    async with opened(tmp_path) as (host, stepped):

        async def silent_market() -> int:
            await some_turns()
            host.session.inbox.put(Woke(0, "heartbeat"))
            return int(host.plan.open_ms)

        host.broker.read_time_ms = silent_market
        await drive_until(host, stepped, Woke)


async def test_a_poll_is_decided_on_after_what_came_before_and_wakes_the_drive(tmp_path: Path) -> None:
    async with opened(tmp_path) as (host, stepped):
        host.poller = Asked(host)
        await drive_until(host, stepped, Woke, SuspendRequested)


class AskedAt(Asked):
    """One that is due at a time (UTC epoch ms)."""

    def __init__(self, host: Host, at_ms: int) -> None:
        super().__init__(host)
        self.due_ms = at_ms

    def is_due(self, now_ms: int) -> bool:
        return self.due_ms is not None and now_ms >= self.due_ms and super().is_due(now_ms)


async def test_a_poll_is_made_when_the_clock_has_leapt_over_its_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine that sleeps before the open wakes after it; its timers know nothing of that."""
    monkeypatch.setattr("runtime.drive_by_clock.LOOK_SECONDS", 0.0)
    async with opened(tmp_path) as (host, stepped):
        due_ms = host.plan.open_ms + 1_800_000
        host.poller = AskedAt(host, due_ms)  # type: ignore[assignment]  # what the drive needs of one

        async def wake() -> None:
            await some_turns()
            host.clock.hear(due_ms)  # type: ignore[union-attr]  # the clock of mode sim

        waking = asyncio.create_task(wake())
        await drive_until(host, stepped, Woke, SuspendRequested)
        await waking


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
async def test_a_link_that_breaks_as_the_day_ends_does_not_keep_the_drive_alive(turns: int) -> None:
    async def read_time_ms() -> int:
        return 0

    link_lost = asyncio.Event()
    host: Any = SimpleNamespace(
        link_lost=link_lost, broker=SimpleNamespace(read_time_ms=read_time_ms), clock=BrokerClock(0)
    )
    heartbeats = asyncio.create_task(_keep_connected(host, speed=1.0))
    await some_turns()
    link_lost.set()
    for _ in range(turns):
        await asyncio.sleep(0)
    heartbeats.cancel()
    done, _ = await asyncio.wait([heartbeats], timeout=3.0)  # less than a heartbeat, at which it would notice
    heartbeats.cancel()
    assert done
