"""Questions to the broker that the engine or a reconnect asks for: one after the other, beside the stream of events."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress

from broker.errors import BrokerUnavailable, HistoryBudgetSpent, RequestTimedOut
from runtime.ports import Clock

LOOK_SECONDS = 1.0
"""How often it is looked whether something is allowed by now: the session's clock can't be awaited."""

Chore = Callable[[], Awaitable[None]]

log = logging.getLogger(__name__)


class AskLater(Exception):
    """What a chore wanted is not to be had now; it is done again at `retry_at_ms` (UTC epoch ms)."""

    def __init__(self, words: str, retry_at_ms: int) -> None:
        super().__init__(words)
        self.retry_at_ms = retry_at_ms


class Chores:
    """A queue without duplicates. One at a time, so that their order, and a simulated day, is always the same."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waiting: dict[str, Chore] = {}
        self._later: dict[str, tuple[int, Chore]] = {}  # what is not to be asked before that time (UTC epoch ms)
        self._arrived = asyncio.Event()

    def add(self, name: str, chore: Chore) -> None:
        """Queue a chore, unless one of that name waits already."""
        if name not in self._later:
            self._waiting.setdefault(name, chore)
            self._arrived.set()

    async def drain(self) -> None:
        """Do everything that waits now, and is allowed by now.

        What a slow broker did not answer is asked again; what a lost connection leaves unanswered is dropped, for the
        reconnect asks everything anew.
        """
        self._arrived.clear()
        now_ms = self._clock.now_ms()
        for name in [name for name, (at_ms, _) in self._later.items() if at_ms <= now_ms]:
            self._waiting.setdefault(name, self._later.pop(name)[1])
        for name in list(self._waiting):
            chore = self._waiting.pop(name)
            try:
                await chore()
            except RequestTimedOut as slow:
                log.warning("%s is asked again: %s", name, slow)
                self.add(name, chore)
            except (HistoryBudgetSpent, AskLater) as later:
                log.warning("%s: %s", name, later)
                if name not in self._waiting:
                    self._later[name] = later.retry_at_ms, chore
            except BrokerUnavailable as lost:
                log.warning("%s was not answered: %s", name, lost)
            except asyncio.CancelledError:
                self.add(name, chore)  # the next drive finds it
                raise

    async def run(self) -> None:
        """Do chores as they arrive and as they are allowed, for ever."""
        while True:
            if not self._waiting:
                with suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_SECONDS if self._later else None):
                        await self._arrived.wait()
            await self.drain()
