"""Named timers on the session's clock. They are asked for by `WakeAt` and fire as `Woke`."""

from __future__ import annotations


class Timers:
    """At most one pending time for each name; asking again replaces it."""

    def __init__(self) -> None:
        self._due_ms: dict[str, int] = {}

    def set(self, timer: str, at_ms: int) -> None:
        """Ask for `timer` at `at_ms` (UTC epoch ms)."""
        self._due_ms[timer] = at_ms

    def forget(self, timer: str) -> None:
        """Drop a timer that has fired; used when a journal is replayed."""
        self._due_ms.pop(timer, None)

    def next_due_ms(self) -> int | None:
        """The earliest pending time, or None."""
        return min(self._due_ms.values(), default=None)

    def take_due(self, now_ms: int) -> list[str]:
        """Remove and return the timers that are due, in the order of their times, then names."""
        due = sorted((at_ms, timer) for timer, at_ms in self._due_ms.items() if at_ms <= now_ms)
        for _, timer in due:
            del self._due_ms[timer]
        return [timer for _, timer in due]
