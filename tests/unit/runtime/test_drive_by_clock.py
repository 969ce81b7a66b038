"""A day in running time: what comes outside a chunk of socket data is not left waiting, and the end is an end."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from runtime.drive_by_clock import _keep_connected


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
async def test_a_link_that_breaks_as_the_day_ends_does_not_keep_the_drive_alive(turns: int) -> None:
    async def read_time_ms() -> int:
        return 0

    link_lost = asyncio.Event()
    host: Any = SimpleNamespace(link_lost=link_lost, broker=SimpleNamespace(read_time_ms=read_time_ms), clock=None)
    heartbeats = asyncio.create_task(_keep_connected(host, speed=1.0))
    await asyncio.sleep(0.02)
    link_lost.set()
    for _ in range(turns):
        await asyncio.sleep(0)
    heartbeats.cancel()
    done, _ = await asyncio.wait([heartbeats], timeout=0.3)
    heartbeats.cancel()
    assert done
