"""What a fault can reach: the server, its desks, the gate, the clock, and the venue's own hooks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Protocol

from simulator.faults.gate import FaultGate
from simulator.model import Instrument
from simulator.server.history_desk import HistoryDesk
from simulator.server.hub import Hub
from simulator.server.market_desk import MarketDesk
from simulator.server.session import Session
from simulator.venue import Venue

if TYPE_CHECKING:
    from simulator.faults.action import Action


class Predictions(Protocol):
    """The prediction service, as far as faults reach it."""

    def fail_next(self, status: int, count: int = 1) -> None:
        """Answer the next requests with this HTTP status."""


@dataclass(slots=True)
class World:
    """Handed to every action."""

    hub: Hub
    gate: FaultGate
    markets: MarketDesk
    history: HistoryDesk
    chance: Random
    predictions: Predictions | None = None
    plan: Callable[[int, Action], None] = field(default=lambda at_ms, action: None)
    """Does an action at a moment; set by the runner."""

    @property
    def venue(self) -> Venue:
        """Market, exchange and account."""
        return self.hub.venue

    @property
    def now_ms(self) -> int:
        """The simulated moment."""
        return self.hub.now_ms

    @property
    def lag_seconds_max(self) -> float:
        """The most simulated seconds that time has been behind the wall clock; 0 in deterministic time."""
        return 0.0 if self.hub.pace is None else self.hub.pace.lag_seconds_max

    def sessions(self, clients: tuple[int, ...]) -> list[Session]:
        """The started sessions of these client ids; none given: all."""
        return [session for session in self.hub.clients() if not clients or session.client_id in clients]

    def instrument(self, symbol: str) -> Instrument:
        """The instrument of a symbol. Raises ValueError naming those there are."""
        found = self.venue.find(symbol=symbol)
        if found is None:
            known = ", ".join(each.symbol for each in self.venue.instruments())
            raise ValueError(f"symbol {symbol!r}: allowed are {known}")
        return found

    def instruments(self, symbols: tuple[str, ...]) -> list[Instrument]:
        """The instruments of these symbols; none given: all."""
        return [self.instrument(symbol) for symbol in symbols] if symbols else list(self.venue.instruments())

    def outage(self, seconds: int | None) -> None:
        """In deterministic time the coming loss of the last client costs this long; None: as drawn."""
        pace = self.hub.pace
        if seconds is not None and pace is not None:
            pace.plan_outage(seconds)
