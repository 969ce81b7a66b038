"""Questions to the broker that the engine or a reconnect asks for: one after the other, beside the stream of events."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable

from broker.errors import BrokerUnavailable, HistoryBudgetSpent, RequestTimedOut

Chore = Callable[[], Awaitable[None]]

log = logging.getLogger(__name__)


class Chores:
    """A queue without duplicates. One at a time, so that their order, and a simulated day, is always the same."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[str, Chore]] = deque()
        self._later: dict[str, tuple[int, Chore]] = {}  # what pacing rules forbid before that time
        self._arrived = asyncio.Event()

    def add(self, name: str, chore: Chore) -> None:
        """Queue a chore, unless one of that name waits already."""
        if name not in self._later and all(name != waiting for waiting, _ in self._waiting):
            self._waiting.append((name, chore))
            self._arrived.set()

    async def drain(self, now_ms: int = 0) -> None:
        """Do everything that waits, and what was to wait until now (UTC epoch ms of the session's clock).

        What a slow broker did not answer is asked again; what a lost connection leaves unanswered is dropped, for the
        reconnect asks everything anew.
        """
        self._arrived.clear()
        for name in [name for name, (at_ms, _) in self._later.items() if at_ms <= now_ms]:
            self.add(name, self._later.pop(name)[1])
        for _ in range(len(self._waiting)):
            name, chore = self._waiting.popleft()
            try:
                await chore()
            except RequestTimedOut as slow:
                log.warning("%s is asked again: %s", name, slow)
                self.add(name, chore)
            except HistoryBudgetSpent as spent:
                log.warning("%s: %s", name, spent)
                self._later[name] = spent.retry_at_ms, chore
            except BrokerUnavailable as lost:
                log.warning("%s was not answered: %s", name, lost)

    async def run(self) -> None:
        """Do chores as they arrive, for ever."""
        while True:
            await self._arrived.wait()
            await self.drain()
