"""What all parts of the exchange work on: the clock, the touch of each instrument, the orders, the account."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from random import Random

from simulator.account.account import Account
from simulator.clock import SimulatedClock
from simulator.doubts import Doubts
from simulator.exchange.orders import OrderTable
from simulator.exchange.reports import Reports
from simulator.market.hours import TradingHours
from simulator.model import CommissionReport, Execution, Instrument, Money, Order, Price, Quote, Trade
from simulator.timers import Timers

NO_QUOTE = Quote(0, 0, 0, 0)


@dataclass(slots=True)
class Touch:
    """An instrument's present quote and what our own fills have left of its sizes."""

    quote: Quote = NO_QUOTE
    bid_left: int = 0
    ask_left: int = 0
    last: Trade | None = None
    halted: bool = False
    shortable: int = 10_000_000

    def renew(self, quote: Quote) -> None:
        """A fresh quote brings fresh sizes."""
        self.quote = quote
        self.bid_left = quote.bid_size
        self.ask_left = quote.ask_size

    def mark(self) -> Price:
        """The last trade, before the first one the middle of the quote; 0 when there is neither."""
        if self.last is not None:
            return self.last.price
        return (self.quote.bid + self.quote.ask) // 2 if self.quote.bid and self.quote.ask else 0


@dataclass(slots=True)
class PlannedReject:
    """A fault: refuse the next `count` orders that match."""

    code: int
    text: str
    kind: str
    count: int


@dataclass(slots=True)
class PlannedCommission:
    """A fault: the next `count` reports come late or never, or other amounts are charged than the plan's."""

    delay_seconds: int | None
    count: int
    amount: Money | None


@dataclass(slots=True)
class Floor:
    """Shared state; the functions of the exchange's modules work on it."""

    clock: SimulatedClock
    hours: TradingHours
    doubts: Doubts
    reports: Reports
    orders: OrderTable
    timers: Timers
    account: Account
    touches: dict[int, Touch]
    random: Random
    awakened: deque[Order] = field(default_factory=deque)
    executions: list[Execution] = field(default_factory=list)
    filled_orders: list[Order] = field(default_factory=list)  # beside `executions`: whose fill each one is
    commissions: dict[str, CommissionReport] = field(default_factory=dict)  # as last told
    planned_rejects: list[PlannedReject] = field(default_factory=list)
    planned_commissions: list[PlannedCommission] = field(default_factory=list)
    planned_overfills: int = 0
    in_matching: bool = False  # the second that has just ended is being matched
    exec_prefix: str = "0000e0d5"
    exec_base: int = 0

    def touch(self, instrument: Instrument) -> Touch:
        """The touch of one instrument."""
        return self.touches[instrument.con_id]

    def is_open(self, outside_rth: bool) -> bool:
        """Whether an order is at the exchange: now or, while a second is matched, in that second."""
        now_ms = self.clock.now_ms
        return self.hours.matches(now_ms, outside_rth) if self.in_matching else self.hours.is_open(now_ms, outside_rth)

    def booked_commission(self, number: int) -> CommissionReport:
        """What the books say of the execution at this place of `executions`: exactly what is to be told."""
        execution, ledger = self.executions[number], self.account.ledger
        charged, realized = ledger.fills[number].commission, ledger.realized_by_fill[number]
        return CommissionReport(execution.exec_id, charged, execution.instrument.currency, realized)

    def exec_id(self, number: int, revision: int = 1) -> str:
        """IB's form; the digits after the last dot count corrections."""
        return f"{self.exec_prefix}.{(self.exec_base + number) & 0xFFFFFFFF:08x}.01.{revision:02d}"
