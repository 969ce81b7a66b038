"""Faults of orders, fills, commissions and the market behind them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from simulator.faults.action import Action
from simulator.faults.events import Event
from simulator.faults.world import World
from simulator.model import CENT, Instrument, Order, OrderRequest, units


def _instrument(world: World, symbol: str, event: Event | None) -> Instrument:
    """The symbol of the script, else the one of the event, else the first there is."""
    seen = event.symbol if event is not None else ""
    return world.instrument(symbol or seen or world.venue.instruments()[0].symbol)


def _instruments(world: World, symbols: tuple[str, ...], event: Event | None) -> list[Instrument]:
    """The symbols of the script, else the one of the event, else all."""
    if not symbols and event is not None and event.symbol:
        return [world.instrument(event.symbol)]
    return world.instruments(symbols)


@dataclass(frozen=True, slots=True)
class Reject(Action):
    """The next orders are refused. `kind`: empty (any), parent, child, modify, or an order type."""

    name = "reject"
    code: int = 201
    text: str = "Order rejected - reason:The fault script says so"
    kind: str = ""
    count: int = 1

    def apply(self, world: World, event: Event | None) -> str:
        """From the next order on."""
        world.venue.faults.reject_next(self.code, self.text, self.kind, self.count)
        return f"{self.code} for the next {self.count} {self.kind or 'orders'}"


@dataclass(frozen=True, slots=True)
class Commissions(Action):
    """The next commission reports are late or missing (`never`), or another `amount` (dollars) is charged.

    -1 is no amount but IB's word for "not known yet": told at once, the true one follows `late_seconds` (or 30) later.
    """

    name = "commissions"
    late_seconds: int = 0
    never: bool = False
    amount: float | None = None
    count: int = 1

    def apply(self, world: World, event: Event | None) -> str:
        """From the next fill on."""
        amount = None if self.amount is None else units(self.amount)
        world.venue.faults.delay_commissions(None if self.never else self.late_seconds, self.count, amount)
        when = "never" if self.never else f"{self.late_seconds} s late"
        return f"{when}, amount {self.amount}, the next {self.count}"


@dataclass(frozen=True, slots=True)
class CorrectExecution(Action):
    """The latest execution turns out to have been at another price."""

    name = "correct_execution"
    by_cents: int = 1

    def apply(self, world: World, event: Event | None) -> str:
        """Correct it now."""
        found = world.venue.executions()
        if not found:
            raise ValueError("fault correct_execution: there is no execution yet")
        latest = found[-1][0]
        world.venue.faults.correct_execution(latest.price + self.by_cents * CENT, latest.exec_id)
        return f"{latest.exec_id} by {self.by_cents} cents"


@dataclass(frozen=True, slots=True)
class ManualTrade(Action):
    """Somebody trades the account by hand: so many shares (negative: sold), or all that is held (`close`)."""

    name = "manual_trade"
    symbol: str = ""
    shares: int = 0
    close: bool = False

    def apply(self, world: World, event: Event | None) -> str:
        """Trade now."""
        instrument = _instrument(world, self.symbol, event)
        held = next((row.quantity for row in world.venue.positions() if row.instrument is instrument), 0)
        shares = -held if self.close else self.shares
        if not shares:
            return f"{instrument.symbol}: nothing to trade"
        world.venue.faults.manual_trade(instrument, shares)
        return f"{shares} {instrument.symbol}"


@dataclass(frozen=True, slots=True)
class ManualOrder(Action):
    """Somebody types a limit order into TWS, `away_percent` of the price away from it, and leaves it there."""

    name = "manual_order"
    symbol: str = ""
    shares: int = 10
    away_percent: float = 10.0

    def apply(self, world: World, event: Event | None) -> str:
        """Place it now."""
        instrument = _instrument(world, self.symbol, event)
        quote = world.venue.quote(instrument)
        away = self.away_percent / 100
        side, price = ("BUY", quote.bid * (1 - away)) if self.shares > 0 else ("SELL", quote.ask * (1 + away))
        limit = int(price) // CENT * CENT
        shares = Decimal(abs(self.shares))
        request = OrderRequest(0, instrument, side, shares, "LMT", limit_price=limit, tif="GTC")
        order = world.venue.faults.manual_order(request)
        outcome = "refused" if order is None else f"permId {order.perm_id}"
        return f"{side} {shares} {instrument.symbol} at {limit / 10_000}: {outcome}"


@dataclass(frozen=True, slots=True)
class Halt(Action):
    """Trading of an instrument stops: quotes stand still, nothing fills."""

    name = "halt"
    symbol: str = ""
    seconds: int = 300

    def apply(self, world: World, event: Event | None) -> str:
        """Halt now."""
        instrument = _instrument(world, self.symbol, event)
        world.venue.halt(instrument, self.seconds)
        return f"{instrument.symbol} for {self.seconds} s"


@dataclass(frozen=True, slots=True)
class Shortable(Action):
    """How many shares can be borrowed, of some symbols or of all."""

    name = "shortable"
    symbols: tuple[str, ...] = ()
    shares: int = 0

    def apply(self, world: World, event: Event | None) -> str:
        """From now on."""
        for instrument in world.instruments(self.symbols):
            world.venue.faults.set_shortable(instrument, self.shares)
        return f"{list(self.symbols) or 'all'} {self.shares}"


@dataclass(frozen=True, slots=True)
class Overfill(Action):
    """The next fills in groups of ocaType 3 fill a sibling as well."""

    name = "overfill"
    count: int = 1

    def apply(self, world: World, event: Event | None) -> str:
        """From the next fill on."""
        world.venue.faults.overfill_next(self.count)
        return f"the next {self.count}"


@dataclass(frozen=True, slots=True)
class Doubt(Action):
    """Another variant of what is not known about IB; the switches are those of `--doubt`."""

    name = "doubt"
    set: Any = None

    def apply(self, world: World, event: Event | None) -> str:
        """From now on."""
        if not isinstance(self.set, dict):
            raise ValueError(f"fault doubt.set: {self.set!r}; allowed is a table of name: value")
        doubts = world.venue.doubts
        for name, value in self.set.items():
            doubts = doubts.with_setting(name, str(value).lower() if isinstance(value, bool) else str(value))
        world.venue.doubts = doubts
        return ", ".join(f"{name}={value}" for name, value in self.set.items())


@dataclass(frozen=True, slots=True)
class Fill(Action):
    """A working order fills now, at its own price: of the event, or the oldest that fits symbol, type and leg."""

    name = "fill"
    symbol: str = ""
    order_type: str = ""
    leg: str = ""
    shares: int | None = None

    def apply(self, world: World, event: Event | None) -> str:
        """Fill it now."""
        order = self._chosen(world, event)
        if order is None:
            return "no such order works"
        shares = min(self.shares or order.remaining, order.remaining)
        world.venue.faults.fill_order(order, shares)
        return f"{shares} of order {order.order_id} {order.instrument.symbol}"

    def _chosen(self, world: World, event: Event | None) -> Order | None:
        is_open = not (self.symbol or self.order_type or self.leg)
        for order in world.venue.open_orders(None):
            if is_open and event is not None and order.order_id != event.order_id:
                continue
            leg = "child" if order.parent is not None else "parent"
            symbol = self.symbol or (event.symbol if event is not None else "")
            if (
                symbol in ("", order.instrument.symbol)
                and self.order_type in ("", order.request.order_type)
                and self.leg in ("", leg)
            ):
                return order
        return None


@dataclass(frozen=True, slots=True)
class Shock(Action):
    """Prices jump by so many per cent, for the rest of the day."""

    name = "shock"
    symbols: tuple[str, ...] = ()
    percent: float = -5.0

    def apply(self, world: World, event: Event | None) -> str:
        """From the next second on."""
        for instrument in _instruments(world, self.symbols, event):
            world.venue.shock(instrument, self.percent)
        return f"{list(self.symbols)} {self.percent} %"


@dataclass(frozen=True, slots=True)
class Thin(Action):
    """The touch shows so few shares that orders fill in parts."""

    name = "thin"
    symbols: tuple[str, ...] = ()
    shares: int = 10
    seconds: int = 60

    def apply(self, world: World, event: Event | None) -> str:
        """From the next second on."""
        for instrument in _instruments(world, self.symbols, event):
            world.venue.thin(instrument, self.shares, self.seconds)
        return f"{list(self.symbols)} {self.shares} shares for {self.seconds} s"
