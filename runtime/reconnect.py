"""Coming back after a lost link: for ever, with growing and jittered pauses, then the same steps as at the start."""

from __future__ import annotations

import logging

from tenacity import AsyncRetrying, before_sleep_log, retry_if_exception_type, wait_random_exponential

from broker.errors import BrokerUnavailable
from runtime.host import Host

PAUSE_MAX_SECONDS = 15.0
"""The longest pause between two attempts: a gateway restart takes minutes, and a position may be open."""

log = logging.getLogger(__name__)


async def reconnect(host: Host) -> None:
    """Connect, resubscribe and fill the gaps. Gives up never: positions may depend on it."""
    async for attempt in AsyncRetrying(
        retry=retry_if_exception_type(BrokerUnavailable),
        wait=wait_random_exponential(multiplier=0.2, max=PAUSE_MAX_SECONDS),
        before_sleep=before_sleep_log(log, logging.WARNING),
    ):
        with attempt:
            await host.connector.connect()
            host.session.fire_timers()  # what came due meanwhile, the alert among it, before the end is heard of
            host.session.pump()
            host.connector.subscribe()
