"""What the probe sends and sees: one share at a time, everything that the broker says kept in a list."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import ROUND_HALF_EVEN, Decimal

from broker.errors import BrokerError
from broker.gateway import IbBroker
from broker.times import Clock
from broker.translate import TERMINAL
from core.commands import CancelOrder, PlaceBracket, PlaceOrders
from core.events import (
    BrokerRead,
    Event,
    ExecutionReported,
    OrderErrorReported,
    OrderReported,
    OrderStatusReported,
    QuoteChanged,
)
from core.orders import OpenOrder, OrderSpec, order_ref
from core.vocabulary import Action, ErrorKind, Leg, OrderKind, OrderStatus, TimeInForce

PassTime = Callable[[IbBroker, int], Awaitable[None]]
"""Lets seconds of the broker's time pass: by sleeping, or by asking for the time where that moves it."""

CENT = Decimal("0.01")


class ProbeFailed(BrokerError):
    """The probe could not finish or clean up; the text says what is left at the broker."""


class ProbeDesk:
    """Places and watches orders of one share of one ticker."""

    def __init__(
        self, broker: IbBroker, events: list[Event], clock: Clock, pass_time: PassTime, session: str, ticker: str
    ) -> None:
        self.broker = broker
        self.events = events
        self.ticker = ticker
        self._clock = clock
        self._pass_time = pass_time
        self._session = session
        self._number = 0

    def now_ms(self) -> int:
        """UTC epoch ms of the session's clock."""
        return self._clock.now_ms()

    async def wait(self, seconds: int) -> None:
        """Let the broker have its say."""
        await self._pass_time(self.broker, seconds)

    async def price(self) -> Decimal:
        """The middle of the quote. Raises ProbeFailed when none comes within 15 s."""
        for _ in range(15):
            for event in reversed(self.events):
                if isinstance(event, QuoteChanged) and event.quote.bid and event.quote.ask:
                    middle = Decimal(repr(event.quote.bid + event.quote.ask)) / 2
                    return middle.quantize(CENT, ROUND_HALF_EVEN)
            await self.wait(1)
        raise ProbeFailed(f"no quote of {self.ticker} within 15 s: is the market open, and its data subscribed?")

    def spec(self, leg: Leg, action: Action, kind: OrderKind, *, price: Decimal | None = None, parent: str = "",
             group: str = "", group_type: int = 0, time_in_force: TimeInForce = TimeInForce.DAY,
             after_seconds: int | None = None) -> OrderSpec:  # fmt: skip
        """An order of one share under the present number; `price` is the limit or the stop, as the kind wants it."""
        return OrderSpec(
            order_ref=order_ref(self._session, self.ticker, self._number, leg),
            ticker=self.ticker,
            action=action,
            kind=kind,
            shares=1,
            limit_price=price if kind is OrderKind.LIMIT else None,
            stop_price=price if kind is OrderKind.STOP else None,
            time_in_force=time_in_force,
            good_after_ms=None if after_seconds is None else self._clock.now_ms() + after_seconds * 1000,
            parent_ref=parent,
            oca_group=group,
            oca_type=group_type,
        )

    def next_number(self) -> int:
        """Begin a new set of references."""
        self._number += 1
        return self._number

    async def place(self, *specs: OrderSpec, seconds: int = 3) -> None:
        """Send stand-alone orders and let them settle."""
        self.broker.send((PlaceOrders(specs),))
        await self.wait(seconds)

    async def place_bracket(self, entry: OrderSpec, *children: OrderSpec, seconds: int = 3) -> None:
        """Send a bracket and let it settle."""
        self.broker.send((PlaceBracket(entry, children),))
        await self.wait(seconds)

    def echo(self, spec: OrderSpec) -> OpenOrder | None:
        """The newest echo of an order."""
        echoes = [event.order for event in self.events if isinstance(event, OrderReported)]
        return next((one for one in reversed(echoes) if one.order_ref == spec.order_ref), None)

    def status(self, spec: OrderSpec) -> OrderStatus | None:
        """The newest status of an order."""
        told = [event for event in self.events if isinstance(event, OrderStatusReported)]
        return next((event.status for event in reversed(told) if event.order_ref == spec.order_ref), None)

    def is_live(self, spec: OrderSpec) -> bool:
        """Whether the broker has told of the order and not of its end."""
        status = self.status(spec)
        return status is not None and status not in TERMINAL

    def has_filled(self, spec: OrderSpec) -> bool:
        """Whether the order's share was bought or sold."""
        fills = (event.execution for event in self.events if isinstance(event, ExecutionReported))
        return any(fill.order_ref == spec.order_ref for fill in fills)

    def errors(self, *specs: OrderSpec) -> list[OrderErrorReported]:
        """The errors of these orders, but for mere warnings and the confirmation of a cancel."""
        refs = {spec.order_ref for spec in specs}
        harmless = (ErrorKind.WARNING, ErrorKind.CANCELLED)
        told = [event for event in self.events if isinstance(event, OrderErrorReported)]
        return [event for event in told if event.order_ref in refs and event.kind not in harmless]

    async def clean_up(self) -> None:
        """Cancel what works and sell what was bought. Raises ProbeFailed when something is left."""
        for _ in range(3):
            orders, net = await self._ours()
            if not orders and not net:
                return
            self.broker.send(tuple(CancelOrder(one.order_ref) for one in orders))
            await self.wait(3)
            _, net = await self._ours()
            if net:
                self.next_number()
                action = Action.SELL if net > 0 else Action.BUY
                await self.place(replace(self.spec(Leg.EXIT, action, OrderKind.MARKET), shares=abs(net)))
        orders, net = await self._ours()
        if orders or net:
            raise ProbeFailed(f"left at the broker: {[one.order_ref for one in orders]}, {net:+d} {self.ticker}")

    async def _ours(self) -> tuple[list[OpenOrder], int]:
        await self.broker.read_back()
        picture = next(event for event in reversed(self.events) if isinstance(event, BrokerRead))
        orders = [one for one in picture.orders if one.order_ref.startswith(f"{self._session}/")]
        fills = [fill for fill in picture.executions if fill.order_ref.startswith(f"{self._session}/")]
        return orders, sum(fill.action.sign * fill.shares for fill in fills)


@asynccontextmanager
async def open_desk(*, host: str, port: int, client_id: int, account: str, ticker: str, clock: Clock,
                    pass_time: PassTime, session: str, deterministic: bool) -> AsyncIterator[ProbeDesk]:  # fmt: skip
    """Connect, read time and contract, subscribe; disconnect at the end. Raises BrokerUnavailable, or a failure."""
    events: list[Event] = []
    failures: list[BaseException] = []
    broker = IbBroker(
        host, port, client_id, account, events.append, clock, lambda: None, failures.append, deterministic
    )
    try:
        await broker.connect()
        await pass_time(broker, 1)
        await broker.read_instruments((ticker,))
        broker.subscribe((ticker,))
        yield ProbeDesk(broker, events, clock, pass_time, session, ticker)
    finally:
        await broker.close()
    if failures:
        raise failures[0]
