"""Notices to people: always into the log and Postgres, and to whatever services the settings name (through apprise)."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING

from core.records import Alert
from core.vocabulary import Severity
from db.journal import Journal, JournalError

if TYPE_CHECKING:
    import apprise

WAITING_MAX = 1_000
"""Notices waiting for a slow service; past that the oldest are still in the log and in Postgres."""

LEVELS = {Severity.INFO: logging.INFO, Severity.WARNING: logging.WARNING, Severity.CRITICAL: logging.CRITICAL}

log = logging.getLogger(__name__)


class Alerts:
    """Sends from its own thread, one notice per key until it is cleared, so that no service can hold the session up."""

    def __init__(self, urls: tuple[str, ...], session: str) -> None:
        self._urls = urls
        self._session = session
        self._raised: set[str] = set()
        self._waiting: queue.Queue[tuple[Severity, str, str] | None] = queue.Queue(WAITING_MAX)
        self._thread = threading.Thread(target=self._deliver, name="alerts", daemon=True)
        self._thread.start()

    def take_over(self, keys: Iterable[str]) -> None:
        """What an earlier process has told of counts as told: its end is told too, by whoever sees it."""
        self._raised.update(keys)

    def send(self, alert: Alert) -> None:
        """Queue a notice, unless one of its key stands."""
        if alert.key in self._raised:
            return
        self._raised.add(alert.key)
        self._queue(alert.severity, alert.title, alert.text)

    def clear(self, at_ms: int, key: str, text: str) -> None:
        """Queue the notice that a condition is over, if it was told; the next time it is told again."""
        if key in self._raised:
            self._raised.discard(key)
            self._queue(Severity.INFO, f"over: {key}", text)

    def close(self, timeout_seconds: float = 10.0) -> None:
        """Deliver what waits and stop."""
        self._waiting.put(None)
        self._thread.join(timeout_seconds)

    def _queue(self, severity: Severity, title: str, text: str) -> None:
        log.log(LEVELS[severity], "%s: %s", title, text)
        try:
            self._waiting.put_nowait((severity, title, text))
        except queue.Full:
            log.error("the notice '%s' was not sent: %d others wait for delivery", title, WAITING_MAX)

    def _deliver(self) -> None:
        if not self._urls:
            while self._waiting.get() is not None:
                pass
            return
        import apprise  # here, because it takes 0.3 s and most sessions name no service

        services, unusable = services_of(self._urls)
        for number in unusable:
            log.error("address %d of TRADER_ALERT_URLS is none that apprise knows: nothing is sent there", number)
        kinds = {
            Severity.INFO: apprise.NotifyType.INFO,
            Severity.WARNING: apprise.NotifyType.WARNING,
            Severity.CRITICAL: apprise.NotifyType.FAILURE,
        }
        while (notice := self._waiting.get()) is not None:
            severity, title, text = notice
            if not services.notify(title=f"[{self._session}] {title}", body=text, notify_type=kinds[severity]):
                log.error("no notification service took the notice '%s'", title)


def services_of(urls: Iterable[str]) -> tuple[apprise.Apprise, tuple[int, ...]]:
    """What apprise makes of the addresses, and the places (from 1) of those that it does not know."""
    import apprise

    services, noisy = apprise.Apprise(), logging.getLogger("apprise")
    was_disabled, noisy.disabled = noisy.disabled, True  # it logs what it cannot read in full, tokens included
    try:
        unusable = tuple(number for number, url in enumerate(urls, 1) if not services.add(url))
    finally:
        noisy.disabled = was_disabled
    return services, unusable


class LastingAlerts:
    """Notices of the shell whose end a later process of the session tells when this one is killed before.

    The engine's own are part of its state, which the journal's rows bring back; these stand beside the rows.
    """

    def __init__(self, alerts: Alerts, journal: Journal) -> None:
        self._alerts = alerts
        self._journal = journal
        self._standing = set(journal.standing_alerts())
        alerts.take_over(self._standing)

    def send(self, alert: Alert) -> None:
        """As `Alerts.send`."""
        self._alerts.send(alert)
        self._keep(self._standing | {alert.key})

    def clear(self, at_ms: int, key: str, text: str) -> None:
        """As `Alerts.clear`."""
        self._alerts.clear(at_ms, key, text)
        self._keep(self._standing - {key})

    def _keep(self, standing: set[str]) -> None:
        if standing == self._standing:
            return
        self._standing = standing
        try:
            self._journal.keep_standing_alerts(standing)
        except JournalError as problem:  # full, or another's by now: the notice has gone out all the same
            log.error("the end of a notice may stay untold after a restart: %s", problem)
