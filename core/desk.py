"""What every handler works with: the parameters, the state, and the only ways in which an order or an alert leaves."""

from __future__ import annotations

import math
from decimal import Decimal

from core.bracket import LIVE_STAGES, Heard, Stage, after
from core.commands import (
    CancelOrder,
    ClearAlert,
    Command,
    ModifyOrder,
    PlaceBracket,
    PlaceOrders,
    RaiseAlert,
    ReadBroker,
    RecordPhase,
    WakeAt,
)
from core.indicators import Atr, Resampler, Returns
from core.orders import ON_ACCOUNT, OrderSpec, parse_order_ref
from core.params import Params, SessionPlan, TickerParams
from core.records import Alert
from core.state import Book, Order, State
from core.vocabulary import Leg, Link, Phase, Severity

ANSWER_MS = 5_000
"""An instruction without any answer for so long is UNKNOWN."""

READ_MS = 20_000
"""A read-back without an answer for so long is asked for again: not before the broker's side has given it up. An answer
does not say which question it is to, and the second of two could be taken for one to a later question."""

RECANCEL_MS = 30_000
"""How often the cancel of an order that hangs is repeated: as often as a refused order or change is tried again."""

LOSS_MARGIN = 1.0
"""Dollars by which the estimate of the P&L in floats must be away from the limit; nearer, the exact sum is made."""

MINUTE_MS = 60_000


class Desk:
    """Carries one step: handlers change `state` and leave commands in `out`."""

    def __init__(self, params: Params, plan: SessionPlan, state: State | None) -> None:
        self.params = params
        self.plan = plan
        self.by_ticker: dict[str, TickerParams] = {ticker.ticker: ticker for ticker in params.tickers}
        self.state = state if state is not None else self._fresh_state()
        self.out: list[Command] = []
        limit = params.risk.max_daily_loss
        self.loss_floor = LOSS_MARGIN - float(limit) if limit is not None else -math.inf
        """Dollars: above it the estimate of the day's P&L is surely above the limit."""

    def _fresh_state(self) -> State:
        books = {ticker: self.new_book(ticker, known=True) for ticker in self.by_ticker}
        return State(session=self.plan.session, books=books)

    def new_book(self, ticker: str, *, known: bool) -> Book:
        """An empty book; one that is not known holds what the broker reported of a ticker outside the session."""
        book = Book(ticker, Atr(self.params.atr_length, self.params.atr_kind), known)
        if self.params.correlation_sizing:
            book.minutes, book.returns = Resampler(60), Returns()
        return book

    def book(self, ticker: str) -> Book:
        """The ticker's book, opened where there is none yet."""
        if ticker not in self.state.books:
            self.state.books[ticker] = self.new_book(ticker, known=False)
        return self.state.books[ticker]

    @property
    def account_session(self) -> str:
        """The first part of references to orders that close other people's shares, on a person's demand."""
        return f"{self.state.session}{ON_ACCOUNT}"

    # --- orders ---------------------------------------------------------------------------------------------------

    @property
    def can_send(self) -> bool:
        """Whether instructions reach the broker and its side is known."""
        return self.state.reconciled and self.state.link is not Link.LOST

    def enroll(self, book: Book, spec: OrderSpec, leg: Leg, bracket: int) -> Order:
        """Remember an order that is being sent."""
        now_ms, step = self.state.now_ms, self.state.step
        order = Order(
            spec, leg, bracket, spec.shares, spec.limit_price, spec.stop_price, sent_ms=now_ms, touched_step=step
        )
        book.orders[spec.order_ref] = order
        book.look_again(now_ms + ANSWER_MS)
        self.state.order_times_ms.append(now_ms)
        return order

    def place_bracket(self, book: Book, number: int, entry: OrderSpec, children: dict[Leg, OrderSpec]) -> None:
        """Send an entry with its legs."""
        self.enroll(book, entry, Leg.ENTRY, number)
        for leg, child in children.items():
            self.enroll(book, child, leg, number)
        self.out.append(PlaceBracket(entry, tuple(children.values())))

    def place(self, book: Book, specs: dict[Leg, OrderSpec], bracket: int) -> None:
        """Send stand-alone orders."""
        for leg, spec in specs.items():
            self.enroll(book, spec, leg, bracket)
        self.out.append(PlaceOrders(tuple(specs.values())))

    def modify(
        self, book: Book, order: Order, shares: int, limit_price: Decimal | None, stop_price: Decimal | None
    ) -> None:
        """Change a live order in place; prices that stay as they are, are not sent."""
        new_limit = limit_price if limit_price != order.limit_price else None
        new_stop = stop_price if stop_price != order.stop_price else None
        self.out.append(ModifyOrder(order.ref, shares, new_limit, new_stop))
        order.shares, order.limit_price, order.stop_price = shares, limit_price, stop_price
        order.ending_ms = None
        self.hear(book, order, Heard.CHANGE_SENT)
        self._touch(book, order)

    def cancel(self, book: Book, order: Order) -> None:
        """Ask for a cancel, unless one is in flight or the order's fate has to be read back first.

        An order that hangs has been asked before: again after a while.
        """
        if order.stage in (Stage.CANCELLING, Stage.UNKNOWN):
            return
        if order.hangs and self.state.now_ms < order.sent_ms + RECANCEL_MS:
            book.look_again(order.sent_ms + RECANCEL_MS)
            return
        order.ending_ms = self.state.now_ms if order.ending_ms is None else order.ending_ms
        self.out.append(CancelOrder(order.ref))
        self.hear(book, order, Heard.CANCEL_SENT)
        self._touch(book, order)

    def hear(self, book: Book, order: Order, heard: Heard) -> None:
        """Move an order along the transition table."""
        was = order.stage
        now = order.stage = after(was, heard)
        if now is was:
            return  # a message that tells nothing new does not put off a read-back
        if heard not in (Heard.SILENCE, Heard.LINK_LOST, Heard.READ_LIVE):  # a picture is older than the next question
            order.touched_step = self.state.step
        if now not in LIVE_STAGES and was in LIVE_STAGES:
            order.ended_ms = self.state.now_ms
            book.ended[order.ref] = book.orders.pop(order.ref)
        elif now in LIVE_STAGES and was not in LIVE_STAGES:
            book.orders[order.ref] = book.ended.pop(order.ref)

    def _touch(self, book: Book, order: Order) -> None:
        order.touched_step, order.sent_ms = self.state.step, self.state.now_ms
        book.look_again(self.state.now_ms + ANSWER_MS)

    def is_ours(self, ref: str) -> bool:
        """Whether a reference is one of this session's."""
        parsed = parse_order_ref(ref)
        return parsed is not None and parsed.session == self.state.session

    # --- questions and timers ---------------------------------------------------------------------------------------

    def read_broker(self, reason: str) -> int:
        """Ask for a read-back that sees everything done up to now; the engine's step it will answer for.

        One read-back is outstanding at most: a second demand is sent when the first has been answered.
        """
        state = self.state
        if state.link is Link.LOST:
            return state.step
        if state.read_step == 0:
            state.read_step, state.read_asked_ms = state.step, state.now_ms
            self.out.append(ReadBroker(reason))
            self.wake("read", state.now_ms + READ_MS)
        elif state.read_step < state.step:
            state.read_again = True
        return state.step

    def wake(self, timer: str, at_ms: int) -> None:
        """Ask for `Woke(timer)`."""
        self.out.append(WakeAt(timer, at_ms))

    def orders_in_last_minute(self) -> int:
        """How many orders were sent in the last 60 s."""
        since_ms = self.state.now_ms - MINUTE_MS
        recent = [at_ms for at_ms in self.state.order_times_ms if at_ms > since_ms]
        self.state.order_times_ms = recent
        return len(recent)

    # --- people -----------------------------------------------------------------------------------------------------

    def alert(self, severity: Severity, key: str, title: str, text: str) -> None:
        """Tell a person, once per key until it is cleared."""
        if key not in self.state.alerts:
            self.state.alerts[key] = self.state.now_ms
            self.out.append(RaiseAlert(Alert(self.state.now_ms, severity, key, title, text)))

    def clear(self, key: str, text: str) -> None:
        """Say that an alert's cause is over, if it was raised."""
        if self.state.alerts.pop(key, None) is not None:
            self.out.append(ClearAlert(self.state.now_ms, key, text))

    def settle_phase(self) -> None:
        """Give the session the phase that its facts call for; a change is recorded."""
        phase, reason = self._phase()
        if phase is not self.state.phase:
            self.state.phase = phase
            self.out.append(RecordPhase(self.state.now_ms, phase, reason))

    def _phase(self) -> tuple[Phase, str]:
        state = self.state
        if state.closed:
            return Phase.CLOSED, "flat and nothing working, verified at the broker"
        if state.closing:
            return Phase.CLOSING, state.closing
        if state.halted:
            return Phase.HALTED, state.halted
        if state.suspended:
            return Phase.SUSPENDED, f"suspended by {state.suspended}"
        if not state.ever_reconciled or state.now_ms < self.plan.open_ms:
            return Phase.STARTING, "before the open, or the broker is not yet read back"
        return Phase.TRADING, "broker read back, market open"
