"""Whether a moment lies in regular trading hours, from the venue's calendar."""

from __future__ import annotations

from datetime import timedelta

from simulator.clock import eastern, eastern_ms
from simulator.venue import Venue


class RegularHours:
    """Remembers the present day's regular session; the venue is asked once a day."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self._known_until_ms = 0
        self._start_ms = 0
        self._end_ms = 0

    def contains(self, at_ms: int) -> bool:
        """Whether `at_ms`, a moment of the present day, is inside regular hours."""
        if at_ms >= self._known_until_ms:
            _, _, _, self._start_ms, self._end_ms = self._venue.schedule(1)[0]
            self._known_until_ms = eastern_ms(eastern(at_ms).date() + timedelta(days=1))
        return self._start_ms <= at_ms < self._end_ms
