"""One life of a session in a process of its own: the nursery's program `session DATE PLAN_JSON`, or started cold.

The plan says which phases to run, where to die, and at which seconds to tell the harness something and wait for its
word. Settings come from the environment. Lines of JSON on standard output: `reconciled`, `moment`, `day over`,
`report`.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
import time
from collections.abc import Sequence
from typing import Any

from broker.gateway import IbBroker
from config import load_settings
from core.events import Event, QuoteChanged
from runtime import phases, shipping
from runtime.flatten import flatten
from runtime.reconcile import reconcile
from runtime.session import Session
from tests.chaos.kill_points import Kill, install
from tests.chaos.nursery import SOCKET_NAME, Child, bear

STEPS = {step.__name__: step for step in (phases.startup, phases.warm_up, phases.intraday, flatten, reconcile)}
PHASES = tuple(STEPS)
HEARTBEAT_SECONDS = 3.0
CONNECT_SECONDS = 4.0
"""Shorter than the product's: a day must not wait 9 real seconds for each silent link. Long for a busy machine."""


def tell(what: str, **facts: object) -> None:
    """One line for the harness."""
    print(json.dumps({"what": what, **facts}), flush=True)


def tell_of_recovery(born: float) -> None:
    """Say when the broker has been read back for the first time in each connection."""
    original = Session._step
    waits_for_quotes = False

    def watched(self: Session, events: Sequence[Event]) -> None:
        nonlocal waits_for_quotes
        before = self.engine.is_reconciled()
        original(self, events)
        if not before and self.engine.is_reconciled():
            tell("reconciled", at_ms=self.clock.now_ms(), real_seconds=round(time.monotonic() - born, 3))
            waits_for_quotes = True
        elif waits_for_quotes and any(isinstance(event, QuoteChanged) for event in events):
            waits_for_quotes = False
            tell("trading", at_ms=self.clock.now_ms())

    Session._step = watched  # type: ignore[method-assign]  # only looks


def stop_at(moments: dict[int, str]) -> None:
    """At these ticks say the word and wait for an answer: the harness does something to the world meanwhile."""
    original = IbBroker.read_time_ms
    ticks = 0

    async def watched(self: IbBroker) -> int:
        nonlocal ticks
        answer = await original(self)
        ticks += 1
        if ticks in moments:
            tell("moment", word=moments[ticks])
            sys.stdin.readline()
        return answer

    IbBroker.read_time_ms = watched  # type: ignore[method-assign]  # only waits


class ShipperChild:
    """A shipper from the nursery, as far as a session knows of the process."""

    class Lifeline:
        """Its standard input."""

        def __init__(self, descriptor: int) -> None:
            self._descriptor = descriptor

        def write(self, text: bytes) -> None:
            """Into the pipe, which is empty."""
            os.write(self._descriptor, text)

        def close(self) -> None:
            """Let it end."""
            os.close(self._descriptor)

    def __init__(self, child: Child, lifeline: int, stdout: asyncio.StreamReader) -> None:
        self._child = child
        self.stdin = self.Lifeline(lifeline)
        self.stdout = stdout

    async def wait(self) -> None:
        """Until it has ended."""
        await asyncio.get_running_loop().sock_recv(self._child.link, 64)

    def kill(self) -> None:
        """End it."""
        self._child.kill()


async def bear_shipper(*arguments: str) -> ShipperChild:
    """What the product does by starting Python anew."""
    (their_stdin, lifeline), (read_end, their_stdout) = os.pipe(), os.pipe()
    child = bear(os.environ[SOCKET_NAME], ["shipper", *arguments], {}, (their_stdin, their_stdout, 2))
    os.close(their_stdin)
    os.close(their_stdout)
    child.link.setblocking(False)
    stdout = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(stdout), os.fdopen(read_end)
    )
    return ShipperChild(child, lifeline, stdout)


async def live(date: str, plan: dict[str, Any]) -> None:
    """Run the phases of the plan, in order."""
    settings = load_settings()
    for name in plan["phases"]:
        if name == "reconcile":
            tell("day over")
            sys.stdin.readline()
        report = await STEPS[name](settings, date)
        tell("report", phase=name, ok=report.ok, summary=report.summary)


def main() -> None:
    """Read the plan, set the traps, live."""
    born = time.monotonic()
    date, plan = sys.argv[1], json.loads(sys.argv[2])
    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("runtime.alerts").setLevel(logging.INFO)  # both edges
    assert IbBroker.__init__.__kwdefaults__ is not None
    IbBroker.__init__.__kwdefaults__.update(heartbeat_seconds=HEARTBEAT_SECONDS, connect_seconds=CONNECT_SECONDS)
    if SOCKET_NAME in os.environ:
        shipping.start_shipper = bear_shipper  # type: ignore[assignment]  # warm, too
    tell_of_recovery(born)
    if plan.get("moments"):
        stop_at({int(tick): word for tick, word in plan["moments"].items()})
    if plan.get("kill"):
        install(Kill(**plan["kill"]))
    asyncio.run(live(date, plan))


if __name__ == "__main__":
    main()
