"""Orders as the core wants them, orders and executions as the broker reports them. Prices are Decimal dollars."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from core.fast_init import fast_init
from core.vocabulary import Action, Leg, OrderKind, OrderStatus, TimeInForce


@fast_init
@dataclass(frozen=True, slots=True)
class OrderSpec:
    """One order to send. Every field is explicit, so that no preset of TWS decides (ORDERS 13)."""

    order_ref: str  # <session>/<ticker>/<n>/<leg>, unique for ever
    ticker: str
    action: Action
    kind: OrderKind
    shares: int
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    time_in_force: TimeInForce = TimeInForce.DAY
    good_after_ms: int | None = None  # UTC epoch ms; the order sleeps until then
    parent_ref: str = ""
    oca_group: str = ""
    oca_type: int = 0


@fast_init
@dataclass(frozen=True, slots=True)
class OpenOrder:
    """A live order as the broker lists it; `order_ref` is empty for an order that is not ours."""

    order_ref: str
    order_id: int
    client_id: int
    perm_id: int
    ticker: str
    action: Action
    kind: str  # IB's order type, which for foreign orders may be any
    shares: int  # total, filled included
    status: OrderStatus
    filled: int = 0
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    oca_group: str = ""
    oca_type: int = 0
    parent_id: int = 0
    why_held: str = ""  # of its newest status, where the broker has said


@fast_init
@dataclass(frozen=True, slots=True)
class Execution:
    """One fill as reported by the broker. A correction has the same `exec_id` but for the digits after the last dot."""

    exec_id: str
    order_ref: str  # empty: not ours
    order_id: int
    client_id: int
    perm_id: int
    ticker: str
    action: Action
    shares: int
    price: Decimal
    time_ms: int  # the broker's time, UTC epoch ms
    exchange: str = ""

    @property
    def lineage(self) -> str:
        """What an execution and its corrections have in common: the id up to its last dot."""
        return lineage_of(self.exec_id)


def lineage_of(exec_id: str) -> str:
    """The id up to its last dot; the whole of it where there is no dot."""
    return exec_id.rpartition(".")[0] or exec_id


def revision_of(exec_id: str) -> tuple[int, str]:
    """What puts the corrections of an execution in order, oldest first: the digits after the last dot."""
    digits = exec_id.rpartition(".")[2] if "." in exec_id else ""
    return (int(digits) if digits.isdecimal() else 0, digits)


@dataclass(frozen=True, slots=True)
class PositionRow:
    """The account's position in one ticker: signed shares, average cost in dollars a share."""

    ticker: str
    shares: int
    average_cost: Decimal


REMEMBERED_REFS = 4_096
"""Some orders of a day: every echo, status and fill of one is asked whose it is."""


def order_ref(session: str, ticker: str, number: int, leg: Leg) -> str:
    """Build the reference of an order; (session, number, leg) is never used twice."""
    return f"{session}/{ticker}/{number}/{leg}"


ON_ACCOUNT = "+account"
"""Follows the session in references to orders that close other people's shares, on a person's demand."""


@dataclass(frozen=True, slots=True)
class OrderRef:
    """An order's reference, taken apart."""

    session: str
    ticker: str
    number: int
    leg: str


@lru_cache(REMEMBERED_REFS)
def parse_order_ref(text: str) -> OrderRef | None:
    """Take a reference apart; None when it is not of our form (a foreign order)."""
    parts = text.split("/")
    if len(parts) != 4 or not (parts[2].isascii() and parts[2].isdigit()):  # "²" is a digit, and no number to int()
        return None
    return OrderRef(parts[0], parts[1], int(parts[2]), parts[3])
