"""The one queue before the engine. Quotes are conflated here, everything else keeps its place."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import replace

from core.events import Event, QuoteChanged

CAPACITY = 100_000
"""Events waiting at once. A burst of a whole read-back is some hundreds; more means that the engine has stopped."""


class InboxFullError(RuntimeError):
    """The engine no longer keeps up; the session must stop rather than drop an event."""


class Inbox:
    """Events in the order of their arrival; of the quotes only the newest of each ticker, delivered before the others.

    A quote alone wakes nobody: rules read quotes, but only predictions, bars, reports and timers ask for a decision.
    `wake` is called for all else, wherever it comes from: what waits must not wait for the next socket data.
    """

    def __init__(self) -> None:
        self._events: deque[Event] = deque()
        self._quotes: dict[str, QuoteChanged] = {}
        self.wake: Callable[[], None] = lambda: None

    def put(self, event: Event) -> None:
        """Take an event in. Raises InboxFullError at CAPACITY."""
        if type(event) is QuoteChanged:
            self._quotes[event.quote.ticker] = event
            return
        if len(self._events) >= CAPACITY:
            raise InboxFullError(f"{CAPACITY} events wait: the engine has stopped taking them")
        self._events.append(event)
        self.wake()

    def drain(self, now_ms: int) -> list[Event]:
        """Remove and return what waits, stamped with the time of taking; empty while only quotes wait."""
        if not self._events:
            return []
        waiting = [*self.take_quotes(), *self._events]
        self._events.clear()
        return [event if event.at_ms == now_ms else replace(event, at_ms=now_ms) for event in waiting]

    def take_quotes(self) -> list[Event]:
        """Remove and return the newest quote of each ticker that changed since the last delivery."""
        quotes: list[Event] = list(self._quotes.values())
        self._quotes.clear()
        return quotes
