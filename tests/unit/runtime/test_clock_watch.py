"""A machine's clock that goes wrong during a session is told of, and that it is right again."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from config import Settings, load_settings
from runtime.bootstrap import open_session
from runtime.drive_by_clock import drive_by_clock
from runtime.planning import plan_for

DATE = "2025-03-12"
WRONG, OVER = "The machine's clock is wrong", "over: clock"


def settings_in(folder: Path) -> Settings:
    return load_settings({"mode": "paper", "account": "DU1234567", "state_folder": folder}, {}, folder / "no.env")


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> SimpleNamespace:
    """The machine's clock (UTC epoch ms), at the open."""
    machine = SimpleNamespace(now_ms=plan_for(settings_in(tmp_path), DATE).open_ms)
    monkeypatch.setattr("time.time_ns", lambda: machine.now_ms * 1_000_000)
    monkeypatch.setattr("time.monotonic_ns", lambda: 0)  # session time would go on by it
    return machine


@pytest.mark.parametrize(
    ("ahead_ms", "is_told"), [(3_000, False), (3_001, True), (-2_000, False), (-2_001, True), (3_600_000, True)]
)
async def test_a_clock_off_the_brokers_by_more_than_two_seconds_is_told(
    ahead_ms: int, is_told: bool, tmp_path: Path, machine: SimpleNamespace, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    async with open_session(settings_in(tmp_path), DATE) as host:
        for _ in range(2):
            host.on_time(machine.now_ms, machine.now_ms - ahead_ms)
        assert caplog.text.count(WRONG) == is_told
        host.on_time(machine.now_ms, machine.now_ms - 1_500)
        assert caplog.text.count(OVER) == is_told


async def test_a_slow_answer_is_no_skew(
    tmp_path: Path, machine: SimpleNamespace, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_session(settings_in(tmp_path), DATE) as host:
        asked_ms = machine.now_ms
        machine.now_ms += 12_000
        host.on_time(asked_ms, asked_ms)
        host.on_time(asked_ms, asked_ms + 12_000)
    assert WRONG not in caplog.text


async def test_another_process_tells_that_the_clock_is_right_again(
    tmp_path: Path, machine: SimpleNamespace, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    async with open_session(settings_in(tmp_path), DATE) as host:
        host.on_time(machine.now_ms, machine.now_ms + 60_000)
    async with open_session(settings_in(tmp_path), DATE) as host:
        host.on_time(machine.now_ms, machine.now_ms)
    assert caplog.text.count(OVER) == 1


async def test_each_heartbeat_compares(
    tmp_path: Path, machine: SimpleNamespace, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_session(settings_in(tmp_path), DATE) as host:

        async def read_time_ms() -> int:
            return int(machine.now_ms) + 60_000

        free: Any = host
        free.broker = SimpleNamespace(read_time_ms=read_time_ms)
        host.done = lambda _: WRONG in caplog.text
        async with asyncio.timeout(30):
            await drive_by_clock(host)
