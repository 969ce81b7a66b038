"""Everything that the engine can ask of the shell, in the imperative. Journalled before any of them is carried out."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from core.fast_init import fast_init
from core.orders import OrderSpec
from core.records import Alert, Decision, Trade
from core.vocabulary import Phase


@dataclass(frozen=True, slots=True)
class Command:
    """Base of all commands."""


@fast_init
@dataclass(frozen=True, slots=True)
class PlaceBracket(Command):
    """Send parent and children together, the last with transmit; no explicit OCA group (ORDERS 1)."""

    entry: OrderSpec
    children: tuple[OrderSpec, ...]  # stop, target, timed exit if its time has not passed


@fast_init
@dataclass(frozen=True, slots=True)
class PlaceOrders(Command):
    """Send stand-alone orders (emergency group, market exit, repair), each transmitted."""

    orders: tuple[OrderSpec, ...]


@fast_init
@dataclass(frozen=True, slots=True)
class ModifyOrder(Command):
    """Change a live order in place, from its latest echo with `parentId` cleared (ORDERS 2). None: stays as it is."""

    order_ref: str
    shares: int  # total, filled included (ORDERS 9)
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None


@dataclass(frozen=True, slots=True)
class CancelOrder(Command):
    """Ask the broker to cancel; the order lives until the broker says otherwise.

    `perm_id` names one of two orders that share a reference; 0 is the usual case of one.
    """

    order_ref: str
    perm_id: int = 0


@dataclass(frozen=True, slots=True)
class CancelEverything(Command):
    """Global cancel, foreign orders too: only for a flatten of the whole account, confirmed by a person."""


@dataclass(frozen=True, slots=True)
class ReadBroker(Command):
    """Ask for a complete read-back; the answer is a `BrokerRead`."""

    reason: str


@dataclass(frozen=True, slots=True)
class ReadHistory(Command):
    """Ask for the bars that a ticker lacks; the answer is a `HistoryLoaded`, an empty one where there are none."""

    ticker: str


@fast_init
@dataclass(frozen=True, slots=True)
class WakeAt(Command):
    """Ask for `Woke(timer)` at this time; a later WakeAt of the same name replaces it."""

    timer: str
    at_ms: int


@fast_init
@dataclass(frozen=True, slots=True)
class RecordDecision(Command):
    """Store a decision."""

    decision: Decision


@dataclass(frozen=True, slots=True)
class RecordTrade(Command):
    """Store a round trip; sent again with the same number when a late commission or correction changes it."""

    trade: Trade


@dataclass(frozen=True, slots=True)
class ForgetTrade(Command):
    """A recorded round trip is none any more: the broker took fills back, or a late one joined it to another."""

    number: int


@dataclass(frozen=True, slots=True)
class RecordPhase(Command):
    """Store the session's new phase; a halt is remembered across restarts."""

    at_ms: int
    phase: Phase
    reason: str


@dataclass(frozen=True, slots=True)
class RaiseAlert(Command):
    """Tell a person."""

    alert: Alert


@dataclass(frozen=True, slots=True)
class ClearAlert(Command):
    """The condition behind an alert's key has ended; tells the person that it is over."""

    at_ms: int
    key: str
    text: str


Commands = tuple[Command, ...]
