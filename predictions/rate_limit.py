"""The server's rate limit, as its answers tell it: `X-RateLimit-Limit`, `-Remaining`, `-Reset`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

EPOCH_FROM = 1_000_000_000
"""A reset above this is a moment in epoch seconds, below it a number of seconds from now; both are in use."""

LONGEST_SECONDS = 600.0
"""The longest wait that is believed. A reset in a unit of its own (milliseconds) would silence the source for ever; a
server that means a longer one says so again in ten minutes."""

ROUNDED_SECONDS = 0.001
"""What adding a wait to the time of day, and taking the time away again, may add."""


class RateLimit:
    """Knows until when the server wants to hear nothing more. `now_seconds` is epoch seconds."""

    def __init__(self, now_seconds: Callable[[], float]) -> None:
        self._now_seconds = now_seconds
        self._closed_until = 0.0

    @property
    def wait_seconds(self) -> float:
        """How long to ask nothing; 0 when asking is allowed, and when the clock was set back further than any wait."""
        wait = self._closed_until - self._now_seconds()
        return wait if 0 < wait <= LONGEST_SECONDS + ROUNDED_SECONDS else 0.0

    def observe(self, status: int, headers: Mapping[str, str]) -> None:
        """Take an answer's headers. Headers that say nothing readable limit nothing; the 429 itself still will."""
        reset = headers.get("X-RateLimit-Reset", "")
        if not _READABLE.fullmatch(reset) or (status != 429 and headers.get("X-RateLimit-Remaining") != "0"):
            return
        seconds = int(reset)
        now = self._now_seconds()
        wait = seconds - now if seconds > EPOCH_FROM else seconds
        self._closed_until = now + min(wait, LONGEST_SECONDS)


_READABLE = re.compile("[0-9]{1,15}")
