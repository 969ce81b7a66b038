"""Everything that the engine remembers: plain data, owned by the engine, changed nowhere else, known to the codec."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from core.bracket import LIVE_STAGES, Stage
from core.indicators import Atr, Resampler, Returns
from core.ledger import Ledger
from core.market import Bar, Instrument, Prediction, Quote
from core.orders import Execution, OpenOrder, OrderSpec
from core.records import Trade
from core.vocabulary import ExitReason, Leg, Link, OrderKind, OrderStatus, Phase, Side


@dataclass(slots=True)
class Order:
    """One of our orders. Shares and prices are those asked for last, corrected by what the broker echoes."""

    spec: OrderSpec  # as it was first sent
    leg: Leg
    bracket: int  # the number of the bracket that it serves; 0: the whole position
    shares: int  # total, filled included
    limit_price: Decimal | None
    stop_price: Decimal | None
    stage: Stage = Stage.SENT
    status: OrderStatus | None = None
    why_held: str = ""
    perm_id: int = 0
    filled: int = 0  # by executions, which are the truth
    reported_filled: int = 0  # by status messages, which may run ahead of the executions
    refusals: int = 0  # modifications refused in a row
    denied_ms: int = 0  # when an echo last answered one with another number of shares
    sent_ms: int = 0  # when the last instruction left
    touched_step: int = 0  # the step in which it was last sent, changed or heard of
    ended_ms: int = 0
    ending_ms: int | None = None  # since when its end has been on its way, by our cancel or the broker's word
    hangs: bool = False  # and has not come: it is given up, and may still fill

    @property
    def ref(self) -> str:
        """The order's reference."""
        return self.spec.order_ref

    @property
    def is_live(self) -> bool:
        """Whether it may still fill."""
        return self.stage in LIVE_STAGES

    @property
    def is_stop(self) -> bool:
        """Whether it protects a position."""
        return self.spec.kind is OrderKind.STOP

    @property
    def remaining(self) -> int:
        """Shares still to fill."""
        return self.shares - self.filled


@dataclass(slots=True)
class Legs:
    """The references of one group of exits; empty where there is none."""

    stop: str = ""
    target: str = ""
    timed_exit: str = ""

    def __iter__(self) -> Iterator[str]:
        return (ref for ref in (self.stop, self.target, self.timed_exit) if ref)


@dataclass(slots=True)
class Bracket:
    """An entry with its exits. `native` legs were sent with it, `emergency` ones later in their stead."""

    number: int
    side: Side
    entry: str  # reference; empty when it was adopted without one
    native: Legs
    atr: float  # of the decision
    stop_distance: Decimal  # dollars from the average entry, with the least distance already applied
    target_distance: Decimal
    stop_price: Decimal  # as wanted now
    target_price: Decimal
    capital_efficiency: float = 0.0
    emergency: Legs = field(default_factory=Legs)
    entered: int = 0
    exited: int = 0
    naked_since_ms: int | None = None  # working stops do not cover what it holds
    emergencies: int = 0

    @property
    def held(self) -> int:
        """Shares that this bracket still has to exit."""
        return self.entered - self.exited


class ExitStep(StrEnum):
    """Where the exit protocol stands (SEMANTICS 6)."""

    REPRICED = "repriced"  # targets are marketable
    FURTHER = "further"  # and again, further
    CLEARING = "clearing"  # every order is being cancelled
    READING = "reading"  # asking the broker what is left
    MARKET = "market"  # a market order for what the broker reported
    PAUSED = "paused"  # the broker refused the market order; a stop stands in
    OVERNIGHT = "overnight"  # past the deadline: a GTC stop holds what is left


@dataclass(slots=True)
class Exit:
    """One run of the exit protocol for a ticker. Only one exists at a time; `epoch` tells one from the next."""

    epoch: int
    reason: ExitReason
    started_ms: int
    step: ExitStep
    step_ms: int  # when the step began
    demanded_step: int = 0  # the engine's step of the read-back it waits for
    order: str = ""  # the market order or the overnight stop
    rounds: int = 0
    reentry: Prediction | None = None  # a reversal's signal, acted on once flat
    reentry_number: int = 0  # the bracket number promised to it by its decision
    whole_account: bool = False
    beside_hanging: bool = False  # a market order was sent while orders hung


@dataclass(slots=True)
class TradeNote:
    """What is known of a round trip beyond its executions; the ledger's round trips of a ticker have one each."""

    number: int
    exit_reason: ExitReason | None = None
    atr: float | None = None
    capital_efficiency: float | None = None
    adds: int = 0
    unprotected_ms: int = 0
    reported: Trade | None = None  # as it was recorded last


@dataclass(slots=True)
class Book:
    """Everything about one ticker."""

    ticker: str
    atr: Atr
    known: bool = True  # one of the session's tickers
    instrument: Instrument | None = None
    quote: Quote | None = None
    last_close: float | None = None
    mark: float | None = None  # what a share is valued at; None: at its average cost; infinite: unknown
    bar_end_ms: int = 0
    data_seen_ms: int | None = None
    data_problem: str = ""  # why the broker serves no quotes or no bars of it
    awaits_history: bool = True
    history_until_ms: int = 0  # up to when history has told what it knows
    held_since_ms: int = 0
    gap_asked_ms: int = 0  # when a gap in the live bars was last asked for
    held_bars: list[Bar] = field(default_factory=list)  # live bars that wait for the history before them
    minutes: Resampler | None = None  # for correlation-adjusted sizing only
    returns: Returns | None = None
    position: int = 0  # ours, signed
    trades: list[TradeNote] = field(default_factory=list)
    brackets: dict[int, Bracket] = field(default_factory=dict)
    orders: dict[str, Order] = field(default_factory=dict)  # live ones
    ended: dict[str, Order] = field(default_factory=dict)
    exit: Exit | None = None
    exposed_since_ms: int | None = None
    last_exit_ms: int = 0  # of the last fill of a leg: the broker reduces its siblings by itself
    last_fill_ms: int = 0  # of the last fill of any of our orders: the account's position may lag behind it
    behind: list[str] = field(default_factory=list)  # orders of which a status told of fills that have not come
    behind_since_ms: int | None = None
    cooldown_ms: dict[Side, int] = field(default_factory=dict)  # start, per side
    paused_until_ms: int = 0
    blocked: str = ""  # why no entry is taken for the rest of the day
    foreign_shares: int = 0
    foreign_orders: list[int] = field(default_factory=list)  # permIds
    account_shares: int | None = None  # pushed by the broker and not yet explained
    account_asked_ms: int = 0  # when it is to be asked for an explanation
    disagreed_step: int = 0  # the step in which the account's position first differed without a cause
    alarm_ms: int | None = None  # the pending wake-up
    due_ms: int | None = None  # the earliest time asked for in this step

    def find(self, ref: str) -> Order | None:
        """The order of that reference, live or ended."""
        return self.orders.get(ref) or self.ended.get(ref)

    def live(self, ref: str) -> Order | None:
        """The order of that reference if it may still fill."""
        return self.orders.get(ref)

    def look_again(self, at_ms: int) -> None:
        """Ask to be tended again at that time."""
        if self.due_ms is None or at_ms < self.due_ms:
            self.due_ms = at_ms

    @property
    def stop_outs_in_a_row(self) -> int:
        """The most trades in a row that ended by their stops today; it never falls, whatever ends otherwise later."""
        most = run = 0
        for note in self.trades:
            if note.exit_reason is not None:
                run = run + 1 if note.exit_reason is ExitReason.STOP else 0
                most = max(most, run)
        return most

    @property
    def is_idle(self) -> bool:
        """Flat, nothing of ours live, no exit under way."""
        return self.position == 0 and not self.orders and self.exit is None


@dataclass(slots=True)
class State:
    """The session."""

    session: str
    books: dict[str, Book]
    ledger: Ledger = field(default_factory=Ledger)
    phase: Phase = Phase.STARTING
    step: int = 0
    now_ms: int = 0
    link: Link = Link.LOST
    link_reason: str = ""
    reconciled: bool = False  # the broker was read back since the link came up
    ever_reconciled: bool = False
    read_step: int = 0  # the step in which the outstanding read-back was asked for; 0: none is
    read_asked_ms: int = 0  # when it was asked for
    read_done_step: int = 0  # the step in which the newest answered one was asked for
    read_again: bool = False
    early_executions: list[Execution] = field(default_factory=list)  # heard while the broker's side was not known
    suspended: str = ""  # by whom
    halted: str = ""  # why
    closing: str = ""  # why
    flattens_account: bool = False  # the next read-back tells which other tickers the account holds
    deadline_passed: bool = False
    closed: bool = False
    buying_power: Decimal | None = None
    next_number: int = 1
    next_decision: int = 1
    next_trade: int = 1
    next_exit: int = 1
    used_predictions: dict[str, int] = field(default_factory=dict)  # key -> timestamp_ms
    order_times_ms: list[int] = field(default_factory=list)  # of the last minute
    rejects_in_a_row: int = 0
    pnl_estimate: float = 0.0  # the daily P&L in floats, moved with every mark, made exact with every fill
    alerts: dict[str, int] = field(default_factory=dict)  # open ones: key -> since
    quiet_step: int = 0  # while closing: the step since which everything is over
    foreign_executions: dict[str, Execution] = field(default_factory=dict)  # the newest of each lineage, by lineage
    foreign_orders: dict[int, OpenOrder] = field(default_factory=dict)  # by permId

    def take_number(self) -> int:
        """A number for a bracket or a stand-alone group, never used twice in the session."""
        self.next_number += 1
        return self.next_number - 1
