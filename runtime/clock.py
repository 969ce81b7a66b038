"""The session's time. Live it is the machine's; in a simulation the broker's, so that a day can be fast or exact."""

from __future__ import annotations

import time

from config import ClockKind, Settings

SLOWED = 9, 10
"""How fast time goes on when the machine's clock was set back: timers must not stand still until it has caught up."""


class SystemClock:
    """The machine's UTC time. When the machine's clock is set back this one goes on, slower, until the two agree.

    `begun_ms` (UTC epoch ms): how far session time has come in the processes before; it goes on from there.
    """

    def __init__(self, begun_ms: int = 0) -> None:
        self._newest_ns = begun_ms * 1_000_000
        self._looked_ns = time.monotonic_ns()

    def now_ms(self) -> int:
        """UTC epoch ms."""
        looked_ns = time.monotonic_ns()
        slow, fast = SLOWED
        carried_ns = self._newest_ns + (looked_ns - self._looked_ns) * slow // fast
        self._newest_ns, self._looked_ns = max(carried_ns, time.time_ns()), looked_ns
        return self._newest_ns // 1_000_000


class BrokerClock:
    """The broker's time, as last heard, carried on at `speed` simulated seconds a second (0: it stands still)."""

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self._heard_ms = 0
        self._heard_at = time.monotonic()
        self._newest_ms = 0

    def hear(self, broker_ms: int) -> None:
        """Take the broker's answer to `reqCurrentTime` (whole seconds, as UTC epoch ms)."""
        self._heard_ms = broker_ms
        self._heard_at = time.monotonic()

    def now_ms(self) -> int:
        """UTC epoch ms of the simulated moment; never goes backwards, though the broker rounds to seconds."""
        carried = (time.monotonic() - self._heard_at) * 1000 * self._speed if self._speed else 0
        self._newest_ms = max(self._newest_ms, self._heard_ms + int(carried))
        return self._newest_ms


def make_clock(settings: Settings, begun_ms: int = 0) -> SystemClock | BrokerClock:
    """The clock that the settings ask for; `begun_ms` is the time of the newest event in the session's journal."""
    match settings.clock:
        case ClockKind.REAL:
            return SystemClock(begun_ms)
        case ClockKind.BROKER:
            return BrokerClock(settings.speed)
        case ClockKind.DETERMINISTIC:
            return BrokerClock(speed=0.0)
