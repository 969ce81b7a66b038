"""A circuit breaker: after some failed polls in a row only a single probe asks whether the source is back."""

from __future__ import annotations


class Circuit:
    """Counts polls without any answer. Open: the source is taken for gone, and asked with one request a poll."""

    def __init__(self, opens_after_polls: int) -> None:
        self._opens_after_polls = opens_after_polls
        self._failed_polls = 0

    @property
    def is_open(self) -> bool:
        """True while the source counts as gone."""
        return self._failed_polls >= self._opens_after_polls

    def record(self, *, answered: bool) -> None:
        """Take the outcome of a poll."""
        self._failed_polls = 0 if answered else self._failed_polls + 1
