"""Clocks never go backwards, and a deterministic one moves only when the broker says so."""

import asyncio
from pathlib import Path

import pytest

from config import load_settings
from core.events import Woke
from runtime.bootstrap import open_session
from runtime.clock import BrokerClock, SystemClock
from runtime.planning import plan_for


def test_the_deterministic_clock_stands_still_between_the_brokers_answers() -> None:
    clock = BrokerClock(speed=0)
    clock.hear(1_000)
    assert [clock.now_ms(), clock.now_ms()] == [1_000, 1_000]
    clock.hear(2_000)
    assert clock.now_ms() == 2_000


def test_a_simulated_clock_never_goes_backwards_when_the_broker_rounds_down() -> None:
    clock = BrokerClock(speed=1_000_000)
    clock.hear(5_000)
    ahead = clock.now_ms()
    clock.hear(5_000)
    assert clock.now_ms() >= ahead


def test_the_system_clock_never_goes_backwards() -> None:
    clock = SystemClock()
    seen = [clock.now_ms() for _ in range(1_000)]
    assert seen == sorted(seen)


def test_the_system_clock_goes_on_slower_when_the_machine_is_set_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Timers and the pacing of orders must not stand still for the half minute by which it was wrong."""
    wall_ns, passed_ns = 1_000_000_000_000, 0
    monkeypatch.setattr("time.time_ns", lambda: wall_ns + passed_ns)
    monkeypatch.setattr("time.monotonic_ns", lambda: passed_ns)
    clock = SystemClock()
    before_ms = clock.now_ms()
    wall_ns -= 30_000_000_000
    seen = []
    for _ in range(400):
        passed_ns += 1_000_000_000
        seen.append(clock.now_ms() - before_ms)
    assert seen[:3] == [900, 1_800, 2_700]
    assert seen[-1] == 370_000  # they agree again
    assert seen == sorted(seen)


async def test_session_time_goes_on_after_a_restart_though_the_clock_was_set_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The engine's time never goes back: timers by a clock behind it would fire late by all that it was set back."""
    settings = load_settings(
        {"mode": "paper", "account": "DU1234567", "state_folder": tmp_path}, {}, tmp_path / "no.env"
    )
    wall_ns = plan_for(settings, "2025-03-12").open_ms * 1_000_000
    monkeypatch.setattr("time.time_ns", lambda: wall_ns)
    async with open_session(settings, "2025-03-12") as host:
        host.take(Woke(0, "before the crash"))
        before_ms = host.session.engine.state.now_ms
    wall_ns -= 30_000_000_000
    async with open_session(settings, "2025-03-12") as host:
        assert host.clock.now_ms() >= before_ms
        async with asyncio.timeout(30):
            while host.clock.now_ms() <= before_ms:
                await asyncio.sleep(0)


async def test_a_time_after_the_close_is_no_beginning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that was wrong by hours for a moment must not keep the next process from closing what is open."""
    settings = load_settings(
        {"mode": "paper", "account": "DU1234567", "state_folder": tmp_path}, {}, tmp_path / "no.env"
    )
    plan = plan_for(settings, "2025-03-12")
    wall_ns = plan.close_ms * 1_000_000
    monkeypatch.setattr("time.time_ns", lambda: wall_ns)
    monkeypatch.setattr("time.monotonic_ns", lambda: 0)
    async with open_session(settings, "2025-03-12") as host:
        host.take(Woke(0, "by a wrong clock"))
    wall_ns = plan.open_ms * 1_000_000
    async with open_session(settings, "2025-03-12") as host:
        assert host.clock.now_ms() == plan.open_ms
        assert not host.is_closed()
