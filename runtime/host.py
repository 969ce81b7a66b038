"""A session with its connection, its clock and its questions: what the two ways of driving a day have in common."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from broker.gateway import IbBroker
from core.events import Event
from core.params import SessionPlan
from core.records import Alert
from core.vocabulary import Phase, Severity
from runtime.chores import Chores
from runtime.clock import BrokerClock, SystemClock
from runtime.connector import Connector
from runtime.control import ControlAnswer, ControlRequest
from runtime.polling import Poller
from runtime.session import Session


@dataclass(slots=True)
class Host:
    """Everything that a drive needs. `failure` is an exception from a callback, to be raised by the drive.

    History has a queue of its own: however long it takes or has to wait, no other question waits for it.
    """

    session: Session
    broker: IbBroker
    clock: SystemClock | BrokerClock
    plan: SessionPlan
    connector: Connector
    chores: Chores
    history: Chores
    poller: Poller | None = None
    failure: BaseException | None = None
    nudge: asyncio.Event = field(default_factory=asyncio.Event)
    link_lost: asyncio.Event = field(default_factory=asyncio.Event)
    attempts: int = 0  # to reconnect, since the link was last healthy for a while
    connected_ms: int = 0  # the last reconnect (UTC epoch ms)
    on_time: Callable[[int, int], object] = lambda asked_ms, heard_ms: None  # real time: each answer of the broker
    done: Callable[[Host], bool] = field(default=lambda host: host.is_closed())

    def is_closed(self) -> bool:
        """True when the engine has verified that the session is flat with nothing working.

        After the close too: what is left by then has its overnight stop and its alert, and nobody trades any more.
        """
        return self.session.engine.state.phase is Phase.CLOSED or self.clock.now_ms() >= self.plan.close_ms

    def fail(self, failure: BaseException) -> None:
        """Keep the first failure of a callback and wake the drive, which raises it."""
        self.failure = self.failure or failure
        self.nudge.set()

    def alert(self, severity: Severity, key: str, title: str, text: str) -> None:
        """Tell a person something that the shell found out."""
        self.session.alerts.send(Alert(self.clock.now_ms(), severity, key, title, text))

    def take(self, *events: Event) -> None:
        """An event from a person or a signal: step at once and wake the drive, which ends by what goes wrong here.

        Whoever calls may be a callback whose exceptions are only logged: what the person asked for must not get lost.
        """
        try:
            self.session.take(events)
        except Exception as failure:
            self.fail(failure)
            raise
        self.nudge.set()

    def check(self) -> None:
        """Raise what a callback left behind."""
        if self.failure is not None:
            raise self.failure

    async def hear_time(self) -> None:
        """Set a simulated clock by the broker's; in deterministic time this is the barrier."""
        if isinstance(self.clock, BrokerClock):
            self.clock.hear(await self.broker.read_time_ms())

    def answer(self, request: ControlRequest) -> ControlAnswer:
        """Do what a person asks through the socket or the database, and say how the session stands."""
        event = request.event(self.clock.now_ms())
        if event is not None:
            self.take(event)
        engine = self.session.engine
        return ControlAnswer(
            accepted=True,
            at_ms=self.clock.now_ms(),
            phase=str(engine.state.phase),
            positions=engine.positions(),
            working_orders=engine.working_orders(),
            trades=engine.trades_closed,
            daily_pnl=str(engine.daily_pnl()),
            exited=engine.is_exited(request.tickers),
        )
