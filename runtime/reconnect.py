"""Coming back after a lost link: for ever, with growing and jittered pauses, then the same steps as at the start."""

from __future__ import annotations

import logging

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_random_exponential

from broker.errors import BrokerUnavailable, Unavailability
from runtime.host import Host

PAUSE_MAX_SECONDS = 15.0
"""The longest pause between two attempts: a gateway restart takes minutes, and a position may be open."""

HEALTHY_MS = 30_000
"""A link that dies sooner, for example on the first messages after each login, does not begin the pauses anew."""
ATTEMPTS_MAX = 10
"""More of them make no longer pause."""

log = logging.getLogger(__name__)


async def reconnect(host: Host) -> None:
    """Connect, resubscribe and fill the gaps. Gives up never: positions may depend on it."""
    is_healthy = host.clock.now_ms() - host.connected_ms >= HEALTHY_MS
    before = 0 if is_healthy else min(host.attempts - 1, ATTEMPTS_MAX)
    async for attempt in AsyncRetrying(
        retry=retry_if_exception_type(BrokerUnavailable),
        wait=wait_random_exponential(multiplier=0.2 * 2**before, max=PAUSE_MAX_SECONDS),
        before_sleep=say_again,
    ):
        with attempt:
            number = attempt.retry_state.attempt_number
            if number == 1 and not is_healthy:  # the attempt before has failed after all, and is followed by its pause
                raise BrokerUnavailable(Unavailability.LOST, "the link was lost soon after it came up")
            host.attempts = before + number
            try:
                await host.connector.connect()
            except BrokerUnavailable:
                _hear(host)  # it may have been up for a while: that it is lost again is told before the pause
                raise
            host.connected_ms = host.clock.now_ms()
            _hear(host)
            host.connector.subscribe()


def say_again(state: RetryCallState) -> None:
    """Tell the log why the gateway is asked again, and in how long."""
    problem = state.outcome.exception() if state.outcome is not None else None
    pause_seconds = state.next_action.sleep if state.next_action is not None else 0.0
    log.warning("the gateway is tried again in %.1f s: %s", pause_seconds, problem)


def _hear(host: Host) -> None:
    host.session.fire_timers()  # what came due meanwhile, the alert among it, before the end is heard of
    host.session.pump()
