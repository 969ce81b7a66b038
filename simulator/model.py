"""What passes between the venue (market, exchange, account) and the wire: plain values, no behaviour.

Prices and money are integers of 1/10,000 dollar everywhere in the simulator (`Price`, `Money`), so that sums are
exact.  Quantities are whole shares.  Moments are UTC epoch milliseconds (`..._ms`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple, TypeAlias

Price: TypeAlias = int
"""1/10,000 dollar per share."""
Money: TypeAlias = int
"""1/10,000 dollar."""

UNITS_PER_DOLLAR = 10_000
CENT: Price = 100

LIVE_STATUSES = frozenset({"PendingSubmit", "PreSubmitted", "Submitted", "PendingCancel"})
DONE_STATUSES = frozenset({"Filled", "Cancelled", "Inactive"})


def dollars(value: int) -> float:
    """The nearest float of an amount in 1/10,000 dollar; its repr is the shortest decimal text (`196.52`)."""
    return value / UNITS_PER_DOLLAR


def units(value: float | Decimal | str) -> int:
    """An amount in dollars as 1/10,000 dollar; fractions of a unit are rounded half to even."""
    return int((Decimal(str(value)) * UNITS_PER_DOLLAR).to_integral_value())


@dataclass(frozen=True, slots=True, eq=False)
class Instrument:
    """A stock or ETF; one object per contract, compared by identity.

    `min_tick` is the smallest increment anywhere; at a price the market rule's holds.
    """

    con_id: int
    symbol: str
    primary_exchange: str
    long_name: str
    stock_type: str  # "COMMON" or "ETF"
    market_rule_id: int = 26
    min_tick: Price = CENT
    sec_type: str = "STK"
    exchange: str = "SMART"
    currency: str = "USD"
    market_name: str = "NMS"
    trading_class: str = "NMS"
    industry: str = ""
    category: str = ""
    subcategory: str = ""
    isin: str = ""
    initial_margin_rate: Decimal = Decimal("0.25")
    maintenance_margin_rate: Decimal = Decimal("0.25")

    @property
    def local_symbol(self) -> str:
        """IB's local symbol of a US stock is its ticker."""
        return self.symbol


class Quote(NamedTuple):
    """The touch. A price of 0 means that side is empty."""

    bid: Price
    ask: Price
    bid_size: int
    ask_size: int


# Bits of `changed` in VenueListener.on_quote.
BID, ASK, BID_SIZE, ASK_SIZE = 1, 2, 4, 8


class Trade(NamedTuple):
    """What traded in one second: `price` is the last one, `size` all shares of that second. `time_ms` = its start."""

    time_ms: int
    price: Price
    size: int
    open: Price
    high: Price
    low: Price
    trade_count: int


class Bar(NamedTuple):
    """A bar named by its start. Without a trade: volume 0, trade_count 0 and every price the last one.

    `end_ms` is the moment at which it is complete (exclusive); `wap` is the volume-weighted average price.
    """

    start_ms: int
    end_ms: int
    open: Price
    high: Price
    low: Price
    close: Price
    volume: int
    wap: Price
    trade_count: int


class DayFigures(NamedTuple):
    """The running figures of the trading day (all hours; 0: none yet) and the regular close before."""

    open: Price
    high: Price
    low: Price
    volume: int
    previous_close: Price


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """placeOrder as read from the wire: a new order, or a modification when (client, order_id) is live.

    `None` = unset. Prices in 1/10,000 dollar, except that fractions of that unit arrive rounded to the nearest and
    with `price_off_grid` set (they conform to no increment: error 110).  `extras` holds whatever else the client
    sent and wants echoed; the venue never reads it.
    """

    order_id: int
    instrument: Instrument
    action: str  # BUY, SELL (SSHORT is taken as SELL)
    quantity: Decimal
    order_type: str
    limit_price: Price | None = None
    aux_price: Price | None = None
    tif: str = ""
    oca_group: str = ""
    oca_type: int = 0
    account: str = ""
    order_ref: str = ""
    transmit: bool = True
    parent_id: int = 0
    outside_rth: bool = False
    good_after_ms: int | None = None
    good_till_ms: int | None = None
    trail_stop_price: Price | None = None
    trailing_percent: float | None = None
    trigger_method: int = 0
    all_or_none: bool = False
    what_if: bool = False
    price_off_grid: bool = False
    extras: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Margins:
    """The numbers of a whatIf answer, in Money."""

    initial_before: Money
    maintenance_before: Money
    equity_before: Money
    initial_after: Money
    maintenance_after: Money
    equity_after: Money
    commission: Money
    warning: str = ""


@dataclass(slots=True, eq=False)
class Order:
    """An order as the venue holds it. Listeners read it during the call and keep nothing of it: it changes.

    `request` is the latest accepted one; `oca_group`, `oca_type`, `tif`, `quantity` are the effective values to
    echo (they may differ from the request).  `order_id` is 0 for an order made by hand in TWS.
    """

    perm_id: int
    client_id: int
    order_id: int
    request: OrderRequest
    instrument: Instrument
    quantity: int  # total, filled ones included
    oca_group: str
    oca_type: int
    tif: str
    status: str = "PendingSubmit"
    why_held: str = ""
    filled: int = 0
    filled_value: Money = 0
    last_fill_price: Price = 0
    stop_price: Price | None = None  # the present trigger price (a trailing one moves)
    triggered: bool = False
    commission: Money | None = None  # None until reported
    margins: Margins | None = None  # set on whatIf answers only
    warning: str = ""
    placed_ms: int = 0
    completed_ms: int | None = None
    completed_status: str = ""
    # Inner state of the exchange; of no interest on the wire.
    transmitted: bool = False
    parent: Order | None = None
    awaits_parent: bool = False  # a child whose parent has not filled enough for it to work
    explicit_group: str = ""  # a child's own group, not echoed yet
    expires_ms: int | None = None
    resting: bool = False  # it has stood in the book: fills come at its own limit
    refusal: tuple[int, str] | None = None  # planned by a fault script
    trigger_hits: int = 0

    @property
    def remaining(self) -> int:
        """Shares that can still fill; 0 once the order is done by a fill."""
        return max(0, self.quantity - self.filled)

    @property
    def average_price(self) -> float:
        """Average fill price in dollars, 0.0 before the first fill."""
        return round(self.filled_value / self.filled / UNITS_PER_DOLLAR, 8) if self.filled else 0.0

    @property
    def side(self) -> int:
        """+1 for a buy, -1 for a sell."""
        return 1 if self.request.action == "BUY" else -1

    @property
    def is_live(self) -> bool:
        """Not yet filled, cancelled or refused."""
        return self.status in LIVE_STATUSES


@dataclass(frozen=True, slots=True)
class Execution:
    """One fill. A correction has the same `exec_id` but for the digits after the last dot."""

    exec_id: str
    time_ms: int
    instrument: Instrument
    account: str
    exchange: str
    side: str  # BOT or SLD
    shares: int
    price: Price
    perm_id: int
    client_id: int
    order_id: int
    cumulative_shares: int
    average_price: float  # dollars
    order_ref: str
    last_liquidity: int  # 1 added, 2 removed


@dataclass(frozen=True, slots=True)
class CommissionReport:
    """Commission of one execution. `realized_pnl` (net of commissions) is None on an opening fill (unset)."""

    exec_id: str
    commission: Money
    currency: str
    realized_pnl: Money | None


@dataclass(frozen=True, slots=True)
class PositionRow:
    """A position as reported. `average_cost` is in dollars and includes commissions, as at IB; 0.0 when flat."""

    account: str
    instrument: Instrument
    quantity: int
    average_cost: float
    market_price: Price
    market_value: Money
    unrealized_pnl: Money
    realized_pnl: Money


@dataclass(frozen=True, slots=True)
class BaseCurrency:
    """What an account is kept in, and how much of it a dollar costs."""

    name: str = "USD"
    per_dollar: float = 1.0


@dataclass(frozen=True, slots=True)
class AccountValue:
    """One row of reqAccountUpdates / reqAccountSummary. `value` is text: amounts have two decimals."""

    key: str
    value: str
    currency: str  # "" for values that are not money


@dataclass(frozen=True, slots=True)
class PnL:
    """reqPnL: the day's, unrealised and realised profit, in Money."""

    daily: Money
    unrealized: Money
    realized: Money


@dataclass(frozen=True, slots=True)
class PnLSingle:
    """reqPnLSingle of one instrument."""

    position: int
    daily: Money
    unrealized: Money
    realized: Money
    value: Money


@dataclass(frozen=True, slots=True)
class ExecutionFilter:
    """reqExecutions' filter: an empty or zero field matches all."""

    client_id: int = 0
    account: str = ""
    since_ms: int = 0
    symbol: str = ""
    sec_type: str = ""
    exchange: str = ""
    side: str = ""


EVERY_EXECUTION = ExecutionFilter()
