"""Runs a script: what is due by time, what an event has set off, and what ends what went before."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterable

from simulator.faults.action import Action
from simulator.faults.events import Event
from simulator.faults.script import Fault
from simulator.faults.world import World


class FaultRunner:
    """Owns the schedule. Actions run between the venue's doings, never inside its reports."""

    def __init__(self, world: World) -> None:
        self.world = world
        world.gate.run_due = self.run_due
        world.plan = self.plan
        self._due: list[tuple[int, int, Action, Event | None]] = []
        self._serial = itertools.count()

    def add(self, faults: Iterable[Fault]) -> None:
        """Put faults into the schedule; those that wait for events begin to watch."""
        for fault in faults:
            if fault.at_ms is not None:
                self.plan(fault.at_ms, fault.action)
            else:
                self._watch(fault)

    def plan(self, at_ms: int, action: Action, event: Event | None = None) -> None:
        """One action at a moment; a moment that has passed means now."""
        heapq.heappush(self._due, (at_ms, next(self._serial), action, event))

    def _watch(self, fault: Fault) -> None:
        def watcher(event: Event) -> bool:
            if fault.wants(event):
                if fault.before and event.kind != "fill":
                    self._apply(fault.action, event)
                else:
                    self.plan(self.world.now_ms + fault.after_seconds * 1000, fault.action, event)
            return not fault.is_spent

        self.world.gate.watchers.append(watcher)

    def run_due(self) -> None:
        """Run what is due at the present moment. In the order of times, then of the script."""
        while self._due and self._due[0][0] <= self.world.now_ms:
            _, _, action, event = heapq.heappop(self._due)
            self._apply(action, event)

    def next_ms(self) -> int | None:
        """When the next one is due."""
        return self._due[0][0] if self._due else None

    def _apply(self, action: Action, event: Event | None) -> None:
        cause = f" on {event.describes()}" if event is not None else ""
        try:
            detail = action.apply(self.world, event)
        except (ValueError, KeyError) as error:
            detail = f"could not be done: {error}"
        self.world.gate.log.write(self.world.now_ms, action.name, detail + cause)
        following = action.follow_up()
        if following is not None:
            seconds, ending = following
            self.plan(self.world.now_ms + seconds * 1000, ending)
