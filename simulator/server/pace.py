"""How simulated time moves: with the wall clock, times a speed, or, deterministically, by its clients."""

from __future__ import annotations

import asyncio
import random
from typing import Final

from simulator.server.hub import Hub
from simulator.server.session import Session

SECOND_MS: Final = 1000
SECONDS_IN_A_ROW: Final = 60
"""Simulated seconds run before sockets get their turn again, when time is behind."""


class Seconds:
    """Runs whole simulated seconds: the venue, then what the desks (and the fault script) have to say at their end."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def run_to(self, to_ms: int) -> None:
        """Run up to `to_ms`."""
        venue = self._hub.venue
        while venue.clock.now_ms < to_ms:
            venue.advance(venue.clock.now_ms + SECOND_MS)
            self._hub.second_ended()


def _tell_why_time_stopped(task: asyncio.Task[None]) -> None:
    """Time that stands still without a word would look like a quiet market."""
    if not task.cancelled() and (error := task.exception()) is not None:
        task.get_loop().call_exception_handler({"message": "simulated time has stopped", "exception": error})


class Running:
    """Time moves by itself, `speed` simulated seconds in a second of the wall clock."""

    def __init__(self, hub: Hub, seconds: Seconds, speed: float) -> None:
        self.lag_seconds_max = 0.0
        """The most simulated seconds that time was behind the wall clock."""
        self._hub = hub
        self._seconds = seconds
        self._speed = speed
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Let time run."""
        self._task = asyncio.get_running_loop().create_task(self._run(), name="simulated time")
        self._task.add_done_callback(_tell_why_time_stopped)

    async def stop(self) -> None:
        """Stop time."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        origin_wall, origin_ms = loop.time(), self._hub.now_ms
        while True:
            due = origin_wall + (self._hub.now_ms + SECOND_MS - origin_ms) / SECOND_MS / self._speed
            await asyncio.sleep(max(0.0, due - loop.time()))
            behind = int((loop.time() - due) * self._speed)
            self.lag_seconds_max = max(self.lag_seconds_max, float(behind))
            self._seconds.run_to(self._hub.now_ms + SECOND_MS * min(1 + behind, SECONDS_IN_A_ROW))
            self._hub.flush()

    def asks_the_time(self, session: Session) -> bool:
        """Always answered at once."""
        return True

    def lost(self, session: Session) -> None:
        """Time does not care."""

    def plan_outage(self, seconds: int) -> None:
        """Time does not care: sockets are refused for so long, and it passes by itself."""

    def settled(self) -> None:
        """Time does not care."""


class Barrier:
    """Time stands still until every client of the barrier has asked for the time since the last tick.

    Then one simulated second runs, its messages go out, and the answers, last, carry the new time. A barrier client
    that is lost lets the market go on by a drawn number of seconds, if no other one is left to hold it.
    """

    def __init__(
        self, hub: Hub, seconds: Seconds, observers: frozenset[int], seed: int, outage_seconds: int | None
    ) -> None:
        self.lag_seconds_max = 0.0
        self._planned_outage_seconds: int | None = None
        self._nobody_holds = True
        """Whether the last member is gone and its outage has been paid for."""
        self._back_ms = 0
        """When the outage that is being paid for ends; 0: none is."""
        self._hub = hub
        self._seconds = seconds
        self._observers = observers
        self._random = random.Random(f"outage {seed}")
        self._outage_seconds = outage_seconds
        self._is_scheduled = False

    def start(self) -> None:
        """Nothing to start: clients move time."""

    async def stop(self) -> None:
        """Nothing to stop."""

    def _members(self) -> list[Session]:
        return [session for session in self._hub.clients() if session.client_id not in self._observers]

    def asks_the_time(self, session: Session) -> bool:
        """An observer gets its answer at once, a member with the tick."""
        if session.client_id in self._observers:
            return True
        session.waits = True
        return False

    def lost(self, session: Session) -> None:
        """The last member's loss costs time."""
        if session.client_id in self._observers or self._nobody_holds:
            return
        if self._members():
            self._planned_outage_seconds = None
            return
        self._nobody_holds = True
        drawn = self._random.randint(1, 60)
        usual = drawn if self._outage_seconds is None else self._outage_seconds
        length = usual if self._planned_outage_seconds is None else self._planned_outage_seconds
        self._planned_outage_seconds = None
        self._back_ms = self._hub.now_ms + length * SECOND_MS
        while self._hub.now_ms < self._back_ms:
            self._seconds.run_to(self._hub.now_ms + SECOND_MS)
        self._back_ms = 0

    def plan_outage(self, seconds: int) -> None:
        """A fault knows how long the coming outage lasts; used once. One that comes in an outage draws it out.

        While nobody is there to be lost there is none to come: whoever hangs up later has not met this fault.
        """
        if self._back_ms:
            self._back_ms = max(self._back_ms, self._hub.now_ms + seconds * SECOND_MS)
        elif self._members():
            self._planned_outage_seconds = seconds

    def settled(self) -> None:
        """Tick if everyone has had its say; further ticks wait for the loop, so that no client starves."""
        members = self._members()
        if members:
            self._nobody_holds = False
        if not members or self._is_scheduled or not all(session.waits for session in members):
            return
        self._tick(members)
        if all(session.waits for session in self._members()):
            self._is_scheduled = True
            asyncio.get_running_loop().call_soon(self._tick_again)

    def _tick_again(self) -> None:
        self._is_scheduled = False
        self.settled()
        self._hub.flush()

    def _tick(self, members: list[Session]) -> None:
        self._seconds.run_to(max(self._hub.venue.next_event_ms(), self._hub.now_ms + SECOND_MS))
        for session in members:
            if session.is_started:
                session.waits = False
                self._hub.send_time(session)
        self._hub.flush()
        for session in members:
            self._hub.release(session)
