"""Where a session process dies by SIGKILL: named points between an event and the end of what it caused.

Nothing of the product knows of this: the points are wrapped around its classes by the harness' own entry script.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import runtime.bootstrap
import runtime.reconcile
from broker.gateway import IbBroker
from broker.orders import Orders
from core.commands import CancelOrder, Command, ModifyOrder, PlaceBracket, PlaceOrders
from db.journal import JournalRow
from runtime.session import Session

ORDER_WORDS = ('"PlaceBracket"', '"PlaceOrders"', '"ModifyOrder"', '"CancelOrder"')
ORDER_COMMANDS = (PlaceBracket, PlaceOrders, ModifyOrder, CancelOrder)

POINTS = (
    "before_journal",  # the engine has decided on orders, nothing is written
    "after_journal",  # the decision is durable, nothing is sent
    "mid_send",  # a part of the bytes has left
    "after_send",  # all bytes have left, nothing else is done
    "before_fill",  # an execution has come, it is not in the journal
    "before_read_back",  # the answer of the read-back has come, it is not in the journal
    "row",  # behind any row of the journal
    "tick",  # at any second
    "recovered",  # the journal is replayed, the broker not yet asked
    "closing",  # behind an order of the closure
    "comparing",  # in the reconciliation, before anything is stored
)

SLEEPING_POINTS = ("before_journal", "after_journal", "mid_send", "after_send", "before_fill", "row", "tick")
"""Points at which a process may be stopped instead, for the fence to be tried when it wakes."""

_end_signal = signal.SIGKILL


@dataclass(frozen=True, slots=True)
class Kill:
    """Die at the `nth` passing of `point`; in the middle of a write after `fraction` of its bytes.

    `sleeps`: only stop there, as a suspended machine does, and go on when woken.
    """

    point: str
    nth: int = 1
    fraction: float = 0.5
    sleeps: bool = False


def die() -> None:
    """As by the kernel's memory killer, or a power cut of this process alone."""
    if _end_signal is signal.SIGSTOP:
        print('{"what": "asleep"}', flush=True)
    os.kill(os.getpid(), _end_signal)


class Countdown:
    """Counts passings of one point."""

    def __init__(self, nth: int) -> None:
        self._left = nth

    def passes(self) -> bool:
        """Whether this passing is the one."""
        self._left -= 1
        return self._left == 0


def install(kill: Kill) -> None:
    """Put the trap in place."""
    global _end_signal
    _end_signal = signal.SIGSTOP if kill.sleeps else signal.SIGKILL
    if kill.point not in POINTS:
        raise ValueError(f"kill point {kill.point!r}: allowed are {', '.join(POINTS)}")
    countdown = Countdown(kill.nth)
    if kill.point in ("before_journal", "after_journal", "before_fill", "before_read_back", "row"):
        _trap_journal(kill.point, countdown)
    elif kill.point == "mid_send":
        _trap_write(countdown, kill.fraction)
    elif kill.point in ("after_send", "closing"):
        _trap_send(kill.point, countdown)
    elif kill.point == "tick":
        _trap_tick(countdown)
    elif kill.point == "recovered":
        _trap(runtime.bootstrap, "recover", countdown, after=True)
    else:
        _trap(runtime.reconcile, "store", countdown, after=False)


def _trap(module: Any, name: str, countdown: Countdown, *, after: bool) -> None:
    original: Callable[..., Any] = getattr(module, name)

    def trapped(*arguments: Any, **named: Any) -> Any:
        if not after and countdown.passes():
            die()
        answer = original(*arguments, **named)
        if after and countdown.passes():
            die()
        return answer

    setattr(module, name, trapped)


def _trap_journal(point: str, countdown: Countdown) -> None:
    original = Session._journalled
    events = {"before_fill": '"ExecutionReported"', "before_read_back": '"BrokerRead"'}

    def wanted(rows: list[JournalRow]) -> bool:
        if point == "row":
            return True
        if point in events:
            return any(events[point] in row.event for row in rows)
        return any(word in row.commands for row in rows for word in ORDER_WORDS)

    def trapped(self: Session, rows: list[JournalRow]) -> bool:
        hit = wanted(rows) and countdown.passes()
        if hit and point.startswith("before"):
            die()
        answer = original(self, rows)
        if hit:
            die()
        return answer

    Session._journalled = trapped  # type: ignore[method-assign]  # the trap


def _trap_send(point: str, countdown: Countdown) -> None:
    original = Session._carry_out

    def trapped(self: Session, commands: list[Command]) -> None:
        has_orders = any(isinstance(command, ORDER_COMMANDS) for command in commands)
        if has_orders and (point != "closing" or self.engine.state.closing) and countdown.passes():
            assert self.broker is not None
            self.broker.send(tuple(commands))
            die()
        original(self, commands)

    Session._carry_out = trapped  # type: ignore[method-assign,assignment]  # the trap


def _trap_write(countdown: Countdown, fraction: float) -> None:
    original = Orders.on_connected

    def trapped(self: Orders, client: Any, encoder: Any, write: Callable[[bytes], None]) -> None:
        def cut(frames: bytes) -> None:
            if not countdown.passes():
                write(frames)
                return
            write(frames[: int(len(frames) * fraction)])
            die()

        original(self, client, encoder, cut)

    Orders.on_connected = trapped  # type: ignore[method-assign]  # the trap


def _trap_tick(countdown: Countdown) -> None:
    original = IbBroker.read_time_ms

    async def trapped(self: IbBroker) -> int:
        answer = await original(self)
        if countdown.passes():
            die()
        return answer

    IbBroker.read_time_ms = trapped  # type: ignore[method-assign]  # the trap
