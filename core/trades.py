"""One ticker's executions as lots, cost and round trips, taken in the order in which they happened."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from core.money import ZERO
from core.orders import Execution
from core.vocabulary import Side


class CostMethod(StrEnum):
    """Which shares of a position a closing execution is counted against. Flat to flat all methods agree."""

    FIFO = "fifo"
    AVERAGE = "average"


def part_of_ours(signed: int, foreign_shares: int, position: int) -> int:
    """Signed shares by which a foreign trade cuts our position: foreign shares of its direction go first."""
    if foreign_shares * signed < 0:
        signed -= max(signed, -foreign_shares) if signed < 0 else min(signed, -foreign_shares)
    if position * signed >= 0:
        return 0
    return max(signed, -position) if signed < 0 else min(signed, -position)


@dataclass(slots=True)
class Lot:
    """Shares of one execution that are still held; signed, dollars a share."""

    shares: int
    price: Decimal


@dataclass(frozen=True, slots=True)
class Part:
    """How many of an execution's shares belong to a round trip: one that turns a position belongs to two."""

    lineage: str
    shares: int
    whole: int
    closes: bool


@dataclass(slots=True)
class RoundTrip:
    """A position from flat to flat, or the open one. Values in dollars, shares without sign but `held`."""

    ticker: str
    side: Side
    opened_ms: int
    opened_by: str  # order_ref of the first execution
    held: int = 0  # signed; 0 when closed
    most_held: int = 0
    entry_shares: int = 0
    entry_value: Decimal = ZERO
    exit_shares: int = 0
    exit_value: Decimal = ZERO
    closed_ms: int | None = None
    closed_by: str = ""  # order_ref of the execution that made it flat
    parts: list[Part] = field(default_factory=list)

    @property
    def entry_price(self) -> Decimal:
        """Average of all entry fills."""
        return self.entry_value / self.entry_shares

    @property
    def exit_price(self) -> Decimal | None:
        """Average of all exit fills; None before the first."""
        return self.exit_value / self.exit_shares if self.exit_shares else None

    @property
    def gross_pnl(self) -> Decimal | None:
        """Exit value less entry value in the direction of the side, before commissions; None while open."""
        return None if self.closed_ms is None else (self.exit_value - self.entry_value) * self.side.sign


@dataclass(slots=True)
class TickerBook:
    """What a ticker's executions amount to, each applied once, oldest first."""

    ticker: str
    newest: Execution | None = None  # the last one applied
    position: int = 0  # signed shares
    cash: Decimal = ZERO  # received for sales less paid for purchases
    average_basis: Decimal = ZERO  # signed cost of the position by average cost
    lots: list[Lot] = field(default_factory=list)  # the position by FIFO, oldest first
    trips: list[RoundTrip] = field(default_factory=list)  # oldest first; the last may be open

    def apply(self, execution: Execution) -> None:
        """Take in the next execution: what closes first, then what opens."""
        self.newest = execution
        signed = execution.action.sign * execution.shares
        closing = 0
        if self.position * signed < 0:
            closing = max(signed, -self.position) if signed < 0 else min(signed, -self.position)
            self._close(execution, closing)
        if signed != closing:
            self._open(execution, signed - closing)

    def basis(self, method: CostMethod) -> Decimal:
        """What the position cost, signed, dollars."""
        if method is CostMethod.AVERAGE:
            return self.average_basis
        return sum((lot.shares * lot.price for lot in self.lots), ZERO)

    def realized(self, method: CostMethod) -> Decimal:
        """Gained or lost by what was closed, before commissions, dollars."""
        return self.cash + self.basis(method)

    @property
    def average_price(self) -> Decimal | None:
        """Average cost of the position in dollars a share; None when flat."""
        return self.average_basis / self.position if self.position else None

    @property
    def open_trip(self) -> RoundTrip | None:
        """The round trip of the position held now."""
        return self.trips[-1] if self.position else None

    def _open(self, execution: Execution, shares: int) -> None:
        if not self.position:
            side = Side.LONG if shares > 0 else Side.SHORT
            self.trips.append(RoundTrip(self.ticker, side, execution.time_ms, execution.order_ref))
        value = shares * execution.price
        self.lots.append(Lot(shares, execution.price))
        self.average_basis += value
        trip = self._move(execution, shares)
        trip.entry_shares += abs(shares)
        trip.entry_value += abs(value)
        trip.most_held = max(trip.most_held, abs(self.position))

    def _close(self, execution: Execution, shares: int) -> None:
        self._use_lots(shares)
        kept = self.position + shares
        self.average_basis = self.average_basis * kept / self.position if kept else ZERO
        trip = self._move(execution, shares)
        trip.exit_shares += abs(shares)
        trip.exit_value += abs(shares) * execution.price
        if not kept:
            trip.closed_ms, trip.closed_by = execution.time_ms, execution.order_ref

    def _use_lots(self, shares: int) -> None:
        """Take shares (signed against the lots) from the oldest lots."""
        while shares:
            lot = self.lots[0]
            if abs(lot.shares) > abs(shares):
                lot.shares += shares
                return
            shares += lot.shares
            del self.lots[0]

    def _move(self, execution: Execution, shares: int) -> RoundTrip:
        self.position += shares
        self.cash -= shares * execution.price
        trip = self.trips[-1]
        trip.held = self.position
        closes = execution.action is trip.side.exit_action
        trip.parts.append(Part(execution.lineage, abs(shares), execution.shares, closes))
        return trip
