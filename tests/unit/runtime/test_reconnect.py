"""Coming back after a lost link: at once when it was healthy, with growing pauses when it dies again and again."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from broker.errors import BrokerUnavailable, Unavailability
from runtime.reconnect import HEALTHY_MS, PAUSE_MAX_SECONDS, reconnect


class Line:
    """What `reconnect` needs of a host: a clock to set, and connecting that fails as often as it is told."""

    def __init__(self) -> None:
        self.at_ms = 1_000_000
        self.connected = 0
        self.refusals = 0
        self.pumped = 0
        self.host: Any = SimpleNamespace(
            clock=SimpleNamespace(now_ms=lambda: self.at_ms),
            connector=SimpleNamespace(connect=self._connect, subscribe=lambda: None),
            session=SimpleNamespace(fire_timers=lambda: None, pump=self._pump),
            attempts=0,
            connected_ms=0,
        )

    def _pump(self) -> None:
        self.pumped += 1

    async def _connect(self) -> None:
        if self.refusals:
            self.refusals -= 1
            raise BrokerUnavailable(Unavailability.DOWN, "nothing listens")
        self.connected += 1


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that were made, each of them the longest that chance allows, and none of them waited for."""
    made: list[float] = []

    async def pause(seconds: float) -> None:
        made.append(seconds)

    monkeypatch.setattr("random.uniform", lambda _low, high: high)
    monkeypatch.setattr("asyncio.sleep", pause)
    return made


async def test_the_first_attempt_is_made_at_once_and_each_refusal_makes_the_pause_longer(pauses: list[float]) -> None:
    line = Line()
    line.refusals = 3
    await reconnect(line.host)
    assert line.connected == 1
    assert pauses == pytest.approx([0.2, 0.4, 0.8])
    assert line.pumped == 4  # a link that came up and went again is told before the pause


async def test_a_link_that_dies_soon_after_each_login_is_not_hammered(pauses: list[float]) -> None:
    line = Line()
    for _ in range(10):
        await reconnect(line.host)
        line.at_ms += 1_000
    assert line.connected == 10
    assert pauses == pytest.approx([0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8] + [PAUSE_MAX_SECONDS] * 2)


async def test_after_a_healthy_time_it_is_at_once_again(pauses: list[float]) -> None:
    line = Line()
    line.refusals = 5
    await reconnect(line.host)
    pauses.clear()
    line.at_ms += HEALTHY_MS
    await reconnect(line.host)
    assert pauses == []
    line.at_ms += HEALTHY_MS - 1
    await reconnect(line.host)
    assert len(pauses) == 1


@pytest.mark.usefixtures("pauses")
async def test_the_log_tells_why_and_in_how_long(caplog: pytest.LogCaptureFixture) -> None:
    line = Line()
    line.refusals = 1
    await reconnect(line.host)
    assert [record.getMessage() for record in caplog.records] == [
        "the gateway is tried again in 0.2 s: nothing listens"
    ]
