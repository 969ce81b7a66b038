"""One queue for everything that we write: IB's 50 messages a second, exits before entries before data.

Each class of message may fill the second only up to a limit of its own, so that a burst of data requests always leaves
room for orders, and entries for exits. The limits stay below 50 because the server counts by the time of arrival.
"""

from __future__ import annotations

import heapq
import itertools
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from broker.times import Clock

WINDOW_MS: Final = 1000


class Priority(IntEnum):
    """Who goes first."""

    EXIT = 0  # protection, exits, modifications, cancels
    ENTRY = 1
    DATA = 2


LIMITS: Final = {Priority.EXIT: 48, Priority.ENTRY: 44, Priority.DATA: 40}
"""Messages in any second up to which a class may still write."""


@dataclass(frozen=True, slots=True, order=True)
class _Waiting:
    priority: Priority
    number: int
    messages: int = field(compare=False)
    write: Callable[[], None] = field(compare=False)
    dropped: Callable[[], None] = field(compare=False)


class MessageQueue:
    """Writes at once while the second has room, else in order of priority as room comes.

    `on_blocked` is called whenever something has to wait: the owner calls `pump` again when the clock has moved on.
    `check_fence` is called before anything is written, and raises when that would be another process' business by now.
    """

    def __init__(
        self, clock: Clock, on_blocked: Callable[[], None], check_fence: Callable[[], None] = lambda: None
    ) -> None:
        self._clock = clock
        self._on_blocked = on_blocked
        self._check_fence = check_fence
        self._waiting: list[_Waiting] = []
        self._numbers = itertools.count()
        self._written: deque[tuple[int, int]] = deque()  # (at_ms, messages)
        self._in_window = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def put(
        self, priority: Priority, messages: int, write: Callable[[], None], dropped: Callable[[], None] = lambda: None
    ) -> None:
        """Call `write`, which sends `messages` in one piece, now or later; `dropped` instead if the link goes first.

        Raises ValueError when the piece could never be sent.
        """
        if messages > LIMITS[priority]:
            raise ValueError(f"{messages} messages in one piece: at most {LIMITS[priority]} go out in a second")
        if not self._waiting and self._has_room(priority, messages):
            self._check_fence()
            self.count(messages)
            write()
            return
        heapq.heappush(self._waiting, _Waiting(priority, next(self._numbers), messages, write, dropped))
        self.pump()

    def withdraw(self, write: Callable[[], None]) -> None:
        """Never call this `write`, should it still wait: nobody wants it any more."""
        self._waiting = [item for item in self._waiting if item.write is not write]
        heapq.heapify(self._waiting)

    def pump(self) -> None:
        """Write what there is room for."""
        self._check_fence()
        while self._waiting and self._has_room(self._waiting[0].priority, self._waiting[0].messages):
            item = heapq.heappop(self._waiting)
            self.count(item.messages)
            item.write()
        if self._waiting:
            self._on_blocked()

    def count(self, messages: int) -> None:
        """Count messages that were written past the queue."""
        self._written.append((self._clock.now_ms(), messages))
        self._in_window += messages

    def clear(self) -> None:
        """The link is gone: nothing that waits was or will be written."""
        waiting, self._waiting = sorted(self._waiting), []
        self._written.clear()
        self._in_window = 0
        for item in waiting:
            item.dropped()

    def _has_room(self, priority: Priority, messages: int) -> bool:
        now_ms = self._clock.now_ms()
        while self._written and now_ms - self._written[0][0] >= WINDOW_MS:
            self._in_window -= self._written.popleft()[1]
        return self._in_window + messages <= LIMITS[priority]
