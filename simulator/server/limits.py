"""TWS's own limits, all counted in simulated time: message rate, market-data lines, pacing of history requests."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable
from typing import Final

CLIENTS_MAX: Final = 32
"""TWS serves 32 API clients."""
CONNECTIONS_MAX: Final = 64
"""Sockets, those before startApi included: a flood of silent ones must not lock out real clients for long."""
MESSAGES_PER_SECOND: Final = 50
STRIKES_MAX: Final = 3
"""Seconds over the rate after which TWS disconnects."""
MARKET_DATA_LINES: Final = 100
"""Subscriptions of quotes and real-time bars, over all clients of the gateway."""
TICK_BY_TICK_MAX: Final = 5
"""Five per cent of the market-data lines."""
HELD_FRAMES_MAX: Final = 10_000
"""Frames kept for a client that waits; more than any client sends in a second."""

IDENTICAL_WINDOW_MS: Final = 15_000
BURST_WINDOW_MS: Final = 2_000
BURST_MAX: Final = 5
TOTAL_WINDOW_MS: Final = 600_000
TOTAL_MAX: Final = 60
SMALL_BAR_SECONDS_MAX: Final = 30
"""The pacing rules hold for bars of 30 seconds and less."""


class MessageRate:
    """Messages of one client in the last simulated second."""

    __slots__ = ("_times",)

    def __init__(self) -> None:
        self._times: deque[int] = deque()

    def has_room(self, now_ms: int) -> bool:
        """Whether one more message may come now."""
        while self._times and self._times[0] <= now_ms - 1000:
            self._times.popleft()
        return len(self._times) < MESSAGES_PER_SECOND

    def count(self, now_ms: int) -> None:
        """One more message came."""
        self._times.append(now_ms)


class HistoryPacing:
    """No identical request within 15 s, fewer than six of one contract and kind in 2 s, at most 60 in 10 min."""

    def __init__(self) -> None:
        self._all: deque[int] = deque()
        self._bursts: dict[Hashable, deque[int]] = {}
        self._identical: dict[Hashable, int] = {}
        self.violations = 0
        """How many requests broke a rule; a well-built client keeps this at 0 all day."""

    def violation(self, now_ms: int, request: Hashable, kind: Hashable) -> str:
        """The rule that this request breaks; empty when it may go on, and only then it is counted."""
        _forget(self._all, now_ms - TOTAL_WINDOW_MS)
        burst = self._bursts.setdefault(kind, deque())
        _forget(burst, now_ms - BURST_WINDOW_MS)
        broken = ""
        if now_ms - self._identical.get(request, -IDENTICAL_WINDOW_MS) < IDENTICAL_WINDOW_MS:
            broken = "identical request within 15 seconds"
        elif len(burst) >= BURST_MAX:
            broken = "six or more requests for the same contract, exchange and tick type within 2 seconds"
        elif len(self._all) >= TOTAL_MAX:
            broken = "more than 60 requests in 10 minutes"
        if broken:
            self.violations += 1
            return broken
        self._identical = {key: at for key, at in self._identical.items() if now_ms - at < IDENTICAL_WINDOW_MS}
        self._identical[request] = now_ms
        self._all.append(now_ms)
        burst.append(now_ms)
        return ""


def _forget(times: deque[int], until_ms: int) -> None:
    while times and times[0] <= until_ms:
        times.popleft()
