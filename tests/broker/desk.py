"""A broker connected to the simulated gateway over a real socket, in deterministic time, and what it told."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any, TypeVar

from broker.gateway import IbBroker
from core.commands import PlaceBracket
from core.events import Event
from core.orders import OrderSpec
from core.vocabulary import Action, Leg, OrderKind
from simulator.app import Gateway
from simulator.options import Options
from tests.support.gateways import gateway_of

ACCOUNT = "DU1234567"
E = TypeVar("E", bound=Event)


class HandClock:
    """A clock that shows what it was last set to."""

    def __init__(self, at_ms: int = 0) -> None:
        self.at_ms = at_ms

    def now_ms(self) -> int:
        return self.at_ms


class Desk:
    """A broker with its clock, its events and its failures."""

    def __init__(self, port: int, client_id: int = 7, account: str = ACCOUNT, *, deterministic: bool = True,
                 **settings: float) -> None:  # fmt: skip
        self.clock = HandClock()
        self.events: list[Event] = []
        self.failures: list[BaseException] = []
        self.batches = 0
        self.broker = IbBroker(
            "127.0.0.1",
            port,
            client_id,
            account,
            self.events.append,
            self.clock,
            self._batch,
            self.failures.append,
            deterministic=deterministic,
            **settings,
        )

    def _batch(self) -> None:
        self.batches += 1

    def of(self, kind: type[E]) -> list[E]:
        """The events of a kind, so far."""
        return [event for event in self.events if isinstance(event, kind)]

    def kinds(self) -> list[str]:
        """The names of all events so far."""
        return [type(event).__name__ for event in self.events]

    async def tick(self, seconds: int = 1) -> None:
        """Let simulated seconds pass."""
        for _ in range(seconds):
            self.clock.at_ms = await self.broker.read_time_ms()

    async def tick_until(self, kind: type[E], seconds: int = 60) -> E:
        """Let seconds pass until an event of this kind arrived; it."""
        for _ in range(seconds):
            if found := self.of(kind):
                return found[0]
            await self.tick()
        raise AssertionError(f"no {kind.__name__} within {seconds} s; heard {self.kinds()}")

    async def start(self, *tickers: str) -> None:
        """Connect, hear the time, read the contracts."""
        await self.broker.connect()
        await self.tick()
        await self.broker.read_instruments(tickers)


@asynccontextmanager
async def gateway(**options: object) -> AsyncIterator[Gateway]:
    """A simulated gateway in deterministic time on a free port."""
    settings: Any = {"port": 0, "deterministic": True, "start": "09:35", **options}
    async with gateway_of(Options(**settings)) as started:
        yield started


@asynccontextmanager
async def desk(*tickers: str, client_id: int = 7, **options: object) -> AsyncIterator[Desk]:
    """A connected desk at its own gateway."""
    async with gateway(**options) as started:
        made = Desk(started.port, client_id)
        await made.start(*tickers)
        yield made
        await made.broker.close()
        assert made.failures == []


@asynccontextmanager
async def beside_a_foreign_position() -> AsyncIterator[tuple[Desk, Gateway]]:
    """A connected desk of SOXL, and 30 GLD that somebody bought by hand; and the gateway."""
    async with gateway() as started:
        trader = Desk(started.port)
        await trader.start("SOXL")
        instrument = started.venue.find(symbol="GLD")
        assert instrument is not None
        started.venue.faults.manual_trade(instrument, 30)
        yield trader, started


def bracket(
    ticker: str, number: int, stop: str, target: str, shares: int = 10, exit_ms: int | None = None
) -> PlaceBracket:
    """A long bracket of the session `S`."""
    entry = order(ticker, number, Leg.ENTRY, Action.BUY, OrderKind.MARKET, shares)
    children = [
        order(ticker, number, Leg.STOP, Action.SELL, OrderKind.STOP, shares, stop=stop, parent=entry),
        order(ticker, number, Leg.TARGET, Action.SELL, OrderKind.LIMIT, shares, limit=target, parent=entry),
    ]
    if exit_ms is not None:
        timed = order(
            ticker, number, Leg.TIMED_EXIT, Action.SELL, OrderKind.MARKET, shares, parent=entry, after=exit_ms
        )
        children.append(timed)
    return PlaceBracket(entry, tuple(children))


def order(ticker: str, number: int, leg: Leg, action: Action, kind: OrderKind, shares: int, *, limit: str = "",
          stop: str = "", parent: OrderSpec | None = None, after: int | None = None) -> OrderSpec:  # fmt: skip
    """One order of the session `S`."""
    return OrderSpec(
        order_ref=f"S/{ticker}/{number}/{leg}",
        ticker=ticker,
        action=action,
        kind=kind,
        shares=shares,
        limit_price=Decimal(limit) if limit else None,
        stop_price=Decimal(stop) if stop else None,
        good_after_ms=after,
        parent_ref=parent.order_ref if parent else "",
    )
