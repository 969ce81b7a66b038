"""Driving a day in running time: everything as it comes, timers when they are due."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress

from broker.errors import BrokerUnavailable
from runtime.clock import BrokerClock
from runtime.garbage import collect_due
from runtime.host import Host
from runtime.reconnect import reconnect

HEARTBEAT_SECONDS = 5.0
"""Three unanswered heartbeats make the 15 s after which a silent link counts as lost (CASES 10)."""

LOOK_SECONDS = 1.0
"""How long the drive waits at most, should nothing wake it."""


async def drive_by_clock(host: Host, speed: float = 1.0) -> None:
    """Run until `host.done`. `speed` is the simulated seconds per second, 1 live."""
    async with asyncio.TaskGroup() as group:
        beside = [
            group.create_task(host.chores.run()),
            group.create_task(host.history.run()),
            group.create_task(_keep_connected(host, speed)),
            group.create_task(_poll(host, speed)),
        ]
        while not host.done(host):
            host.check()
            host.nudge.clear()
            host.session.fire_timers()
            host.session.pump()  # what came from elsewhere than a chunk of socket data: a heartbeat, history, a refusal
            collect_due()
            if not host.done(host):  # a timer, or what was pumped, may have been the last
                await _wait(host, speed)
        for task in beside:
            task.cancel()
    host.check()


async def _wait(host: Host, speed: float) -> None:
    due_ms = host.session.timers.next_due_ms()
    seconds = LOOK_SECONDS if due_ms is None else max(0.0, (due_ms - host.clock.now_ms()) / 1000 / speed)
    try:
        async with asyncio.timeout(min(seconds, LOOK_SECONDS)):
            await host.nudge.wait()
    except TimeoutError:
        return


async def _keep_connected(host: Host, speed: float) -> None:
    while True:
        host.link_lost.clear()
        asked_ms = host.clock.now_ms()
        try:
            heard_ms = await host.broker.read_time_ms()
        except BrokerUnavailable:
            await reconnect(host)
            continue
        if isinstance(host.clock, BrokerClock):
            host.clock.hear(heard_ms)
        else:
            host.on_time(asked_ms, heard_ms)
        with suppress(TimeoutError):  # the next heartbeat is due; a link that is seen to break is mended at once
            async with asyncio.timeout(HEARTBEAT_SECONDS / speed):  # wait_for can swallow the end of the drive
                await host.link_lost.wait()


async def _poll(host: Host, speed: float) -> None:
    poller = host.poller
    while poller is not None and poller.due_ms is not None:
        now_ms = host.clock.now_ms()
        if poller.is_due(now_ms):
            async with aclosing(poller.events(now_ms)) as events:
                async for event in events:
                    host.session.inbox.put(event)  # behind what came before: it is known when this is decided on
                    host.session.pump()
        if poller.due_ms is not None:
            seconds = max(0.0, (poller.due_ms - host.clock.now_ms()) / 1000 / speed)
            await asyncio.sleep(min(seconds, LOOK_SECONDS))  # the clock may be set, or the machine sleep, meanwhile
