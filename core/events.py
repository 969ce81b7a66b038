"""Everything that can happen, in the past tense. The only things that `engine.step` accepts.

`at_ms` is the time of the session's clock (UTC epoch ms) at which the inbox took the event in; it never goes backwards.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from core.fast_init import fast_init
from core.market import Bar, Instrument, Prediction, Quote
from core.orders import Execution, OpenOrder, PositionRow
from core.vocabulary import ErrorKind, Link, OrderStatus


@dataclass(frozen=True, slots=True)
class Event:
    """Base of all events."""

    at_ms: int


# --- the market ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class InstrumentRead(Event):
    """The broker's contract details and market rule of a ticker arrived."""

    instrument: Instrument


@dataclass(frozen=True, slots=True)
class InstrumentMissing(Event):
    """The broker did not say what a ticker is; `problem` says why, in words."""

    ticker: str
    problem: str


@dataclass(frozen=True, slots=True)
class MarketDataRefused(Event):
    """The broker serves no quotes or no bars of one ticker; `problem` says why, in words. Empty: it serves both."""

    ticker: str
    problem: str


@dataclass(frozen=True, slots=True)
class HistoryLoaded(Event):
    """Closed bars from history, oldest first: warm-up, or the fill of a gap. Bars already known are passed over.

    `until_ms` is up to when they were asked for: what the answer lacks before that, nobody has. None: up to now.
    """

    ticker: str
    bars: tuple[Bar, ...]
    until_ms: int | None = None


@fast_init
@dataclass(frozen=True, slots=True)
class BarClosed(Event):
    """A live bar is complete."""

    bar: Bar


@fast_init
@dataclass(frozen=True, slots=True)
class QuoteChanged(Event):
    """The newest quote of a ticker. The inbox conflates: one at most before each other event of the batch."""

    quote: Quote


@fast_init
@dataclass(frozen=True, slots=True)
class MarketDataSeen(Event):
    """A message or 5-s bar of the ticker's subscription arrived (sent when its freshness would otherwise lapse)."""

    ticker: str


# --- predictions --------------------------------------------------------------------------------------------------


@fast_init
@dataclass(frozen=True, slots=True)
class PredictionReceived(Event):
    """A prediction that could be parsed."""

    prediction: Prediction


@dataclass(frozen=True, slots=True)
class PredictionUnreadable(Event):
    """An answer that could not be parsed; it ends as a decision with the reason `unreadable`."""

    asked_ticker: str
    problem: str


@dataclass(frozen=True, slots=True)
class PredictionSourceChanged(Event):
    """The prediction source went away (after N failed polls) or came back."""

    available: bool
    problem: str


# --- the broker ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LinkChanged(Event):
    """The connection changed its state; `reason` names the cause in words, with the code where there is one.

    `restored`: the gateway has found IB again (1101, 1102), whatever else may still be in the way.
    """

    link: Link
    reason: str
    restored: bool = False


@dataclass(frozen=True, slots=True)
class BrokerRead(Event):
    """A complete read-back: every open order of the account, executions since midnight, positions. Never partial."""

    orders: tuple[OpenOrder, ...]
    executions: tuple[Execution, ...]
    positions: tuple[PositionRow, ...]


@fast_init
@dataclass(frozen=True, slots=True)
class OrderReported(Event):
    """The broker's echo of a live order (openOrder with its status)."""

    order: OpenOrder


@fast_init
@dataclass(frozen=True, slots=True)
class OrderStatusReported(Event):
    """The broker's status of an order; may repeat, skip and arrive before or after the executions."""

    order_ref: str
    perm_id: int
    status: OrderStatus
    filled: int
    remaining: int
    why_held: str


@dataclass(frozen=True, slots=True)
class OrderErrorReported(Event):
    """The broker's error for an order, classified by broker/translate."""

    order_ref: str
    code: int
    kind: ErrorKind
    text: str


@fast_init
@dataclass(frozen=True, slots=True)
class ExecutionReported(Event):
    """A fill, or the correction of one, or a repetition."""

    execution: Execution


@fast_init
@dataclass(frozen=True, slots=True)
class CommissionReported(Event):
    """The commission of an execution in dollars; negative is a rebate. None: the broker sent no usable figure."""

    exec_id: str
    commission: Decimal | None
    realized_pnl: Decimal | None


@dataclass(frozen=True, slots=True)
class PositionReported(Event):
    """The account's position in a ticker, pushed by the broker."""

    position: PositionRow


@dataclass(frozen=True, slots=True)
class AccountRead(Event):
    """Account values in dollars; None where the broker has not said. `day_trades_remaining` -1 means unlimited."""

    buying_power: Decimal | None
    net_liquidation: Decimal | None
    day_trades_remaining: int | None


@dataclass(frozen=True, slots=True)
class ReplayDiffered(Event):
    """The replay of the journal came to other commands than the journal holds: settings or rules were changed since.

    What was done binds all the same: `halted` is the reason of a halt among them, empty without one, and `next_number`
    is beyond every number in their order references.
    """

    halted: str
    next_number: int


# --- time and people ----------------------------------------------------------------------------------------------


@fast_init
@dataclass(frozen=True, slots=True)
class Woke(Event):
    """A timer asked for by `WakeAt` fired."""

    timer: str


@dataclass(frozen=True, slots=True)
class FlattenRequested(Event):
    """A person, a flow or a signal asks for flat. Empty `tickers`: everything that the session owns."""

    requested_by: str
    tickers: tuple[str, ...] = ()
    whole_account: bool = False


@dataclass(frozen=True, slots=True)
class SuspendRequested(Event):
    """Stop entries until resumed; protection and exits go on."""

    requested_by: str


@dataclass(frozen=True, slots=True)
class ResumeRequested(Event):
    """Allow entries again; never undoes a halt."""

    requested_by: str


@dataclass(frozen=True, slots=True)
class StopRequested(Event):
    """Flatten, verify, and end the session early."""

    requested_by: str
