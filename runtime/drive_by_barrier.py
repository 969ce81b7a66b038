"""Driving a day in deterministic time: a second begins when the gateway says so and ends when we have done all."""

from __future__ import annotations

import logging

from broker.errors import BrokerUnavailable
from runtime.garbage import collect_due
from runtime.host import Host
from runtime.reconnect import reconnect

log = logging.getLogger(__name__)


async def drive_by_barrier(host: Host) -> None:
    """Run until `host.done`. Each second: reports and bars, timers, predictions, questions; always in this order.

    The inbox is emptied at the barrier only, so that no race between two sockets can change the order of events. What
    the engine asks when it is connected does not wait for a second to pass.
    """
    await _do_chores(host)
    while not host.done(host):
        host.check()
        try:
            await host.hear_time()
        except BrokerUnavailable as lost:
            log.warning("the link was lost: %s", lost)
            host.session.pump()  # the loss, at its own time
            await reconnect(host)
            await _do_chores(host)
            continue
        host.session.pump()
        host.session.fire_timers()
        now_ms = host.clock.now_ms()
        if host.poller is not None and host.poller.is_due(now_ms):
            host.session.take(await host.poller.poll(now_ms))
        await _do_chores(host)
        collect_due()
    host.check()


async def _do_chores(host: Host) -> None:
    await host.chores.drain()
    await host.history.drain()
