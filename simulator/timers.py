"""What is due at a simulated moment, in a deterministic order."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from enum import IntEnum


class Phase(IntEnum):
    """When within its second a timer runs, against the matching of that second."""

    BEFORE_MATCHING = 0
    AUCTION = 1
    AFTER_MATCHING = 2


class Timers:
    """Callbacks by moment, phase, then order of registration."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, int, Callable[[], None]]] = []
        self._registered = 0

    def at(self, moment_ms: int, callback: Callable[[], None], phase: Phase = Phase.BEFORE_MATCHING) -> None:
        """Run once when the clock reaches `moment_ms` (at the next second when it has passed)."""
        self._registered += 1
        heapq.heappush(self._heap, (moment_ms, int(phase), self._registered, callback))

    def next_ms(self) -> int | None:
        """The earliest moment that is due, None when nothing is."""
        return self._heap[0][0] if self._heap else None

    def run(self, now_ms: int, phase: Phase) -> None:
        """Run what is due up to now in this phase or an earlier one."""
        while self._heap and self._heap[0][0] <= now_ms:
            due = [entry for entry in self._heap if entry[0] <= now_ms and entry[1] <= phase]
            if not due:
                return
            first = min(due)
            self._heap.remove(first)
            heapq.heapify(self._heap)
            first[3]()
