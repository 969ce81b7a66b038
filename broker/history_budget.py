"""IB's pacing of small-bar history: one budget for all requests of an account (WIRE 8, CASES 39)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

IDENTICAL_MS: Final = 15_000
SAME_CONTRACT: Final = (5, 2_000)  # at most so many requests for one contract in so many ms
ALL: Final = (60, 600_000)
AHEAD_MS: Final = 60_000
"""A request further ahead than this was counted by a clock that was wrong: waiting for its time could take the day."""

Question = tuple[str, int, int]
"""Ticker, end (UTC epoch ms), duration in seconds: what makes two requests identical."""


@dataclass(frozen=True, slots=True)
class HistoryRequest:
    """A request, and when it was made (UTC epoch ms of the session's clock)."""

    ticker: str
    end_ms: int
    duration_seconds: int
    at_ms: int

    @property
    def question(self) -> Question:
        """The request without its time."""
        return self.ticker, self.end_ms, self.duration_seconds


class HistoryBudget(Protocol):
    """Where the requests of the account are counted; several processes may share one."""

    async def reserve(self, request: HistoryRequest) -> int:
        """Count the request and return its `at_ms`, or count nothing and return the later time to ask again at."""


class LocalHistoryBudget:
    """The budget of a process that has the account to itself."""

    def __init__(self) -> None:
        self._made: list[HistoryRequest] = []

    async def reserve(self, request: HistoryRequest) -> int:
        """See `HistoryBudget`."""
        self._made = [made for made in self._made if made.at_ms > request.at_ms - ALL[1]]
        allowed_ms = earliest_ms(self._made, request)
        if allowed_ms <= request.at_ms:
            self._made.append(request)
            return request.at_ms
        return allowed_ms


class BarsBudget:
    """New subscriptions of real-time bars: IB allows as many of them as of history requests, and counts them apart."""

    def __init__(self) -> None:
        self._made_ms: list[int] = []

    def reserve(self, now_ms: int) -> int:
        """Count a subscription and return `now_ms`, or count nothing and return the later time to ask again at."""
        allowed_ms = max(now_ms, _room_ms(self._made_ms, *ALL))
        if allowed_ms == now_ms:
            self._made_ms = [*self._made_ms[1 - ALL[0] :], now_ms]
        return allowed_ms


def earliest_ms(made: Sequence[HistoryRequest], request: HistoryRequest) -> int:
    """The first time from `request.at_ms` on at which no rule forbids the request; `made` in the order of time."""
    made = [one for one in made if one.at_ms <= request.at_ms + AHEAD_MS]
    identical = [one.at_ms + IDENTICAL_MS for one in made if one.question == request.question]
    return max(
        request.at_ms,
        *identical[-1:],
        _room_ms([one.at_ms for one in made if one.ticker == request.ticker], *SAME_CONTRACT),
        _room_ms([one.at_ms for one in made], *ALL),
    )


def _room_ms(times_ms: Sequence[int], most: int, window_ms: int) -> int:
    return times_ms[-most] + window_ms if len(times_ms) >= most else 0
