"""A part of the stack that stays away is told of: without it nothing that is scheduled begins."""

from __future__ import annotations

import time
from collections.abc import Callable

from core.records import Alert
from core.vocabulary import Severity
from runtime.ports import AlertSink

AWAY_SECONDS = 60.0
"""Longer than any part takes to come back by itself."""


class Absence:
    """Notes whether one part is there, and tells both edges of a long absence."""

    def __init__(self, part: str, log_file: str, alerts: AlertSink, now: Callable[[], float] = time.monotonic) -> None:
        self._part = part
        self._log_file = log_file
        self._alerts = alerts
        self._now = now
        self._since: float | None = None

    def note(self, is_there: bool) -> None:
        """Take in how it stands now."""
        at_ms = time.time_ns() // 1_000_000
        if is_there:
            if self._since is not None:
                self._alerts.clear(at_ms, self._part, f"{self._part} is there again.")
            self._since = None
            return
        if self._since is None:
            self._since = self._now()
        if self._now() - self._since >= AWAY_SECONDS:
            text = (
                f"{self._part} has been away for {AWAY_SECONDS:.0f} s; it is started again and again. Until it stays no"
                " trading day begins, no flatten, no reconciliation, and a session that dies is not started again. One"
                f" that lives trades on and closes the day. See {self._log_file}; `trader session` trades without it."
            )
            self._alerts.send(Alert(at_ms, Severity.CRITICAL, self._part, "A part of trader start stays away", text))
