"""The machine's clock against the broker's while a session runs; the preflight compares them at its start only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from broker.preflight import SKEW_MAX_MS
from core.records import Alert
from core.vocabulary import Severity
from runtime.alerts import LastingAlerts

KEY: Final = "clock"
WHOLE_SECOND_MS: Final = 1_000
"""The broker tells whole seconds: it may be so much later than it says."""
SETTLED_MS: Final = SKEW_MAX_MS // 2
"""The trouble is over below this, so that a clock at the limit is not told of at every heartbeat."""


class ClockWatch:
    """Tells people, on both edges, that session time is off the broker's. `now_ms` is session time (UTC epoch ms)."""

    def __init__(self, alerts: LastingAlerts, now_ms: Callable[[], int]) -> None:
        self._alerts = alerts
        self._now_ms = now_ms

    def compare(self, asked_ms: int, heard_ms: int) -> None:
        """Take the broker's time `heard_ms`, asked for at `asked_ms`. A slow answer alone is no skew."""
        now_ms = self._now_ms()
        ahead_ms = max(0, asked_ms - heard_ms - WHOLE_SECOND_MS)
        behind_ms = max(0, heard_ms - now_ms)
        off_ms = max(ahead_ms, behind_ms)
        if off_ms > SKEW_MAX_MS:
            word = "ahead of" if ahead_ms else "behind"
            text = (
                f"It is {off_ms / 1000:.1f} s {word} the broker's. Predictions count as too old or too new by it, and"
            )
            text += " closure begins by it. Set the clock; what the broker holds ends by the broker's."
            self._alerts.send(Alert(now_ms, Severity.CRITICAL, KEY, "The machine's clock is wrong", text))
        elif off_ms < SETTLED_MS:
            self._alerts.clear(now_ms, KEY, "The machine's clock agrees with the broker's again.")
