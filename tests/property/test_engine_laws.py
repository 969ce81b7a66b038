"""The laws of the engine, held against random days with a model of the broker, under every variant of its doubts.

`TRADER_LAW_EXAMPLES` (default 220, of 50 steps each: more than 10,000 steps) makes a longer run; hypothesis prints the
seed and the shortest sequence that breaks a law.
"""

from __future__ import annotations

import os
from dataclasses import replace
from decimal import Decimal

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from core import commands as c
from core import events as e
from core.bracket import LIVE_STAGES, Stage
from core.codec import decode, encode
from core.engine import Engine
from core.market import Bar, Instrument, Prediction, Quote
from core.orders import PositionRow
from core.params import Params, TickerParams
from core.protection import is_working
from core.state import State
from core.vocabulary import Action, ErrorKind, Leg, Link, OrderStatus, Phase
from tests.support.laws import DOUBTS, must_be_covered, replayed
from tests.support.model_broker import Doubts, ModelBroker
from tests.support.playbook import OPEN_MS, PLAN

TICKERS = ("SOXL", "CVNA")
BASE = Decimal("75.00")
PARAMS = Params(tickers=tuple(TickerParams(ticker, cooldown_minutes=1) for ticker in TICKERS))
MOVES = st.decimals(min_value=Decimal("-0.40"), max_value=Decimal("0.40"), places=2)
LEGS = [Leg.ENTRY, Leg.STOP, Leg.TARGET, Leg.TIMED_EXIT, Leg.EMERGENCY_STOP, Leg.EMERGENCY_TARGET, Leg.EXIT, Leg.REPAIR]


class TradingDay(RuleBasedStateMachine):
    """One session, from the open to a verified close."""

    @initialize(doubts=DOUBTS)
    def begin(self, doubts: Doubts) -> None:
        self.engine = Engine(PARAMS, PLAN)
        self.broker = ModelBroker(doubts)
        self.now_ms = OPEN_MS + 60_000
        self.timers: dict[str, int] = {}
        self.journal: list[tuple[e.Event, c.Commands]] = []
        self.told: list[e.Event] = []
        self.halted = False
        self.refs: set[str] = set()
        self.broker.prices = dict.fromkeys(TICKERS, BASE)
        self.feed(e.LinkChanged(0, Link.CONNECTED, "test"))
        self.describe()
        self.listen()

    def describe(self) -> None:
        for ticker in TICKERS:
            self.feed(e.InstrumentRead(0, Instrument(ticker, 1)))
        self.warm()

    # --- machinery --------------------------------------------------------------------------------------------------

    def feed(self, event: e.Event) -> None:
        event = replace(event, at_ms=self.now_ms)
        commands = self.engine.step(event)
        self.journal.append((event, commands))
        for command in commands:
            if isinstance(command, c.WakeAt):
                self.timers[command.timer] = command.at_ms
            self.must_be_allowed(command)
        self.broker.now_ms = self.now_ms
        self.broker.take(commands)

    def must_be_allowed(self, command: c.Command) -> None:
        """No order leaves before the broker's side is known, none twice, no entry while one is in flight."""
        if isinstance(command, c.PlaceBracket | c.PlaceOrders | c.ModifyOrder | c.CancelOrder):
            assert self.engine.state.reconciled
            assert self.engine.state.link is not Link.LOST
        if isinstance(command, c.CancelOrder):
            self.must_stay_covered(command.order_ref)
        specs = []
        if isinstance(command, c.PlaceBracket):
            specs = [command.entry, *command.children]
            assert self.engine.state.phase is Phase.TRADING
            others = [
                order
                for order in self.broker.working(command.entry.ticker)
                if order.leg == Leg.ENTRY and order.spec.order_ref != command.entry.order_ref
            ]
            assert not others, "two entries of one ticker in flight"
        elif isinstance(command, c.PlaceOrders):
            specs = list(command.orders)
        for spec in specs:
            assert spec.order_ref not in self.refs, "a reference was used twice"
            assert spec.shares > 0
            self.refs.add(spec.order_ref)

    def must_stay_covered(self, ref: str) -> None:
        """Outside an exit no stop that works is cancelled, unless another one covers the position."""
        book = self.engine.state.books[ref.split("/")[1]]
        order = book.find(ref)
        if book.exit is not None or not book.position or not order.is_stop or not is_working(book, order):
            return
        others = [
            other
            for other in book.orders.values()
            if other.is_stop and is_working(book, other) and other.stage is not Stage.CANCELLING
        ]
        assert sum(other.remaining for other in others) >= abs(book.position), "a working stop was cancelled"

    def listen(self, count: int = 10_000) -> None:
        while self.broker.outbox and count:
            event = self.broker.outbox.popleft()
            self.told.append(event)
            self.feed(event)
            count -= 1

    def pass_time(self, to_ms: int) -> None:
        while due := [(at_ms, name) for name, at_ms in self.timers.items() if at_ms <= to_ms]:
            at_ms, name = min(due)
            del self.timers[name]
            self.now_ms = max(self.now_ms, at_ms)
            self.feed(e.Woke(0, name))
            if self.attentive:
                self.listen()
        self.now_ms = to_ms

    attentive = False

    def warm(self) -> None:
        start_ms = (self.now_ms - 200_000) // 10_000 * 10_000
        base = float(BASE)
        for ticker in TICKERS:
            bars = tuple(
                Bar(ticker, at_ms, base, base + 0.025, base - 0.025, base, 100)
                for at_ms in range(start_ms, self.now_ms - 9_999, 10_000)
            )
            self.feed(e.HistoryLoaded(0, ticker, bars))

    def quote(self, ticker: str) -> None:
        price = float(self.broker.prices[ticker])
        self.feed(e.QuoteChanged(0, Quote(ticker, price - 0.01, price, price)))

    # --- what happens -----------------------------------------------------------------------------------------------

    @rule(
        ticker=st.sampled_from(TICKERS), signal=st.sampled_from(["BUY", "SELL"]), confidence=st.sampled_from([0.5, 0.7])
    )
    def predict(self, ticker: str, signal: str, confidence: float) -> None:
        self.warm()
        self.quote(ticker)
        self.feed(e.PredictionReceived(0, Prediction(ticker, signal, confidence, 75.0, self.now_ms, ticker)))

    @rule(ticker=st.sampled_from(TICKERS), signal=st.sampled_from(["BUY", "SELL"]), seconds=st.integers(0, 70))
    def trade(self, ticker: str, signal: str, seconds: int) -> None:
        """An undisturbed entry or reversal, so that days are full of positions."""
        self.hear_all()
        self.pass_time(self.now_ms + seconds * 1000)
        self.hear_all()
        self.predict(ticker, signal, 0.7)
        self.hear_all()

    @rule(count=st.integers(1, 6))
    def hear(self, count: int) -> None:
        self.listen(count)

    @rule()
    def hear_all(self) -> None:
        self.listen()

    @precondition(lambda self: len(self.broker.outbox) > 1)
    @rule(index=st.integers(1, 5))
    def hear_out_of_order(self, index: int) -> None:
        """Statuses, echoes, executions and commissions overtake each other; a read-back is overtaken by nothing."""
        index = min(index, len(self.broker.outbox) - 1)
        ahead = list(self.broker.outbox)[: index + 1]
        if not any(isinstance(event, e.BrokerRead) for event in ahead) and isinstance(
            ahead[-1], e.ExecutionReported | e.CommissionReported
        ):
            event = self.broker.outbox[index]
            del self.broker.outbox[index]
            self.told.append(event)
            self.feed(event)

    @precondition(lambda self: self.told)
    @rule(index=st.integers(0, 1_000))
    def hear_again(self, index: int) -> None:
        """Executions, commissions and statuses are repeated."""
        event = self.told[-1 - index % min(len(self.told), 30)]
        if isinstance(event, e.ExecutionReported | e.CommissionReported):
            self.feed(event)

    @rule(ticker=st.sampled_from(TICKERS), move=MOVES)
    def market_moves(self, ticker: str, move: Decimal) -> None:
        self.broker.now_ms = self.now_ms
        self.broker.price(ticker, BASE + move)

    @rule(ticker=st.sampled_from(TICKERS), pick=st.integers(0, 10), part=st.integers(1, 150))
    def order_fills(self, ticker: str, pick: int, part: int) -> None:
        """Any order that works fills, in part or whole."""
        able = [order for order in self.broker.working(ticker) if order.armed]
        if able:
            order = able[pick % len(able)]
            self.broker.now_ms = self.now_ms
            self.broker.fill(order.spec.order_ref, part, self.broker.prices[ticker])

    @precondition(lambda self: self.broker.doubts.siblings_may_fill)
    @rule(ticker=st.sampled_from(TICKERS), pick=st.integers(0, 10), part=st.integers(1, 150))
    def group_is_late(self, ticker: str, pick: int, part: int) -> None:
        """A leg fills although its sibling has just filled: the group's cancel came too late."""
        ended = [
            order
            for order in self.broker.orders.values()
            if order.spec.ticker == ticker
            and order.status is OrderStatus.CANCELLED
            and order.armed
            and order.remaining > 0
        ]
        if ended and self.broker.connected and not self.broker.mute:
            order = ended[pick % len(ended)]
            self.broker.now_ms = self.now_ms
            order.filled += (part := min(part, order.remaining))
            self.broker.trade(ticker, order.spec.action, part, self.broker.prices[ticker], order.spec.order_ref)

    @rule(ticker=st.sampled_from(TICKERS), pick=st.integers(0, 10))
    def broker_cancels(self, ticker: str, pick: int) -> None:
        able = self.broker.working(ticker)
        if able:
            self.broker._end(able[pick % len(able)], OrderStatus.CANCELLED)

    @rule(leg=st.sampled_from(LEGS), refused=st.booleans())
    def broker_refuses(self, leg: Leg, refused: bool) -> None:
        self.broker.refuse = {leg: (201, ErrorKind.REJECTED)} if refused else {}

    @rule(waits=st.booleans())
    def market_orders_wait(self, waits: bool) -> None:
        self.broker.fills_market_orders = not waits

    @rule()
    def broker_mute(self) -> None:
        self.broker.mute = not self.broker.mute

    @rule(seconds=st.sampled_from([0.1, 1, 2, 5, 10, 40]))
    def time_passes(self, seconds: float) -> None:
        self.pass_time(self.now_ms + round(seconds * 1000))

    @precondition(lambda self: self.broker.connected)
    @rule()
    def link_lost(self) -> None:
        self.broker.connected = False
        self.broker.outbox.clear()
        self.feed(e.LinkChanged(0, Link.LOST, "test"))

    @precondition(lambda self: self.engine.state.link is not Link.CONNECTED)
    @rule()
    def link_back(self) -> None:
        self.broker.connected = True
        self.feed(e.LinkChanged(0, Link.CONNECTED, "test"))

    @precondition(lambda self: self.engine.state.link is Link.CONNECTED)
    @rule()
    def link_degraded(self) -> None:
        self.feed(e.LinkChanged(0, Link.DEGRADED, "test"))

    @rule(from_state=st.booleans())
    def restart(self, from_state: bool) -> None:
        """The process dies; what was sent and not yet answered is unknown. The journal brings back the same state."""
        before = encode(self.engine.state)
        assert decode(before, State) == self.engine.state
        if from_state:
            self.engine = Engine(PARAMS, PLAN, decode(before, State))
        else:
            self.engine = replayed(PARAMS, self.journal)
            assert encode(self.engine.state) == before
        self.broker.outbox.clear()
        self.feed(e.LinkChanged(0, Link.LOST, "process started"))
        if self.broker.connected:
            self.feed(e.LinkChanged(0, Link.CONNECTED, "test"))

    @precondition(lambda self: not self.broker.mute)
    @rule(
        ticker=st.sampled_from(TICKERS), action=st.sampled_from(Action), shares=st.integers(1, 150), told=st.booleans()
    )
    def somebody_trades(self, ticker: str, action: Action, shares: int, told: bool) -> None:
        """By hand, or by another client: against our position it closes ours, else it is foreign."""
        self.broker.now_ms = self.now_ms
        self.broker.trade(ticker, action, shares, self.broker.prices[ticker], tell=told)
        if self.broker.connected:
            row = PositionRow(ticker, self.broker.positions[ticker], Decimal(0))
            self.broker.outbox.append(e.PositionReported(0, row))

    @rule()
    def journal_lost(self) -> None:
        """The process dies and its journal is gone: the broker's word is all there is. Its numbers go on."""
        self.broker.outbox.clear()
        self.pass_time(self.now_ms + 10_000)  # what a new process takes to start
        self.broker.outbox.clear()
        self.engine, self.journal, self.halted = Engine(PARAMS, PLAN), [], False
        self.describe()
        if self.broker.connected:
            self.feed(e.LinkChanged(0, Link.CONNECTED, "test"))

    @rule(ticker=st.sampled_from(TICKERS))
    def flatten(self, ticker: str) -> None:
        self.feed(e.FlattenRequested(0, "a person", (ticker,)))

    @rule(minutes=st.integers(0, 1))
    def suspend(self, minutes: int) -> None:
        self.feed(e.SuspendRequested(0, "a person"))
        self.pass_time(self.now_ms + minutes * 60_000)
        self.feed(e.ResumeRequested(0, "a person"))

    @rule(ticker=st.sampled_from(TICKERS), low=st.sampled_from([74.9, 74.0, 70.0]))
    def bar_closes(self, ticker: str, low: float) -> None:
        start_ms = self.now_ms // 10_000 * 10_000 - 10_000
        self.feed(e.BarClosed(0, Bar(ticker, start_ms, low, low, low, low, 100)))

    # --- what must hold ---------------------------------------------------------------------------------------------

    @invariant()
    def a_halt_stays(self) -> None:
        state = self.engine.state
        assert state.halted or not self.halted
        self.halted = bool(state.halted)
        assert not (self.halted and state.phase is Phase.TRADING)

    @invariant()
    def the_ledger_balances(self) -> None:
        state = self.engine.state
        seen = list(state.ledger.executions.values())
        assert state.ledger.cash == -sum(x.action.sign * x.shares * x.price for x in seen)
        for ticker in TICKERS:
            held = sum(x.action.sign * x.shares for x in seen if x.ticker == ticker)
            assert state.ledger.position(ticker) == held == state.books[ticker].position

    @invariant()
    def stages_and_shelves_agree(self) -> None:
        for book in self.engine.state.books.values():
            assert all(order.stage in LIVE_STAGES for order in book.orders.values())
            assert not any(order.stage in LIVE_STAGES for order in book.ended.values())

    @rule()
    def all_is_well(self) -> None:
        """Once the broker answers and time has passed, every position is covered exactly, and every flat one bare."""
        self.calm_down()
        self.listen()
        self.attentive = True
        if self.engine.state.link is not Link.CONNECTED:
            self.feed(e.LinkChanged(0, Link.CONNECTED, "test"))
        for _ in range(15):
            self.listen()
            self.pass_time(self.now_ms + 11_000)
        self.listen()
        self.attentive = False
        for ticker in TICKERS:
            must_be_covered(self.engine, self.broker, ticker)

    def calm_down(self) -> None:
        self.broker.connected, self.broker.mute, self.broker.fills_market_orders = True, False, True
        self.broker.refuse = {}
        for ticker in TICKERS:
            self.broker.price(ticker, self.broker.prices[ticker])

    def teardown(self) -> None:
        """The closure ends flat, with nothing working, verified; and a replay of the day gives the same commands."""
        if not hasattr(self, "engine"):
            return
        self.calm_down()
        self.attentive = True
        self.listen()
        self.feed(e.LinkChanged(0, Link.CONNECTED, "test"))
        self.listen()
        self.pass_time(max(self.now_ms, PLAN.closure_ms + 180_000))
        self.listen()
        assert self.engine.state.phase is Phase.CLOSED
        foreign = {ticker: book.foreign_shares for ticker, book in self.engine.state.books.items()}
        assert all(shares == foreign[ticker] for ticker, shares in self.broker.positions.items())
        assert not any(order.is_live for order in self.broker.orders.values())
        assert encode(replayed(PARAMS, self.journal).state) == encode(self.engine.state) or self.restarted_from_state

    restarted_from_state = False


TestTradingDay = TradingDay.TestCase
TestTradingDay.settings = settings(
    max_examples=int(os.environ.get("TRADER_LAW_EXAMPLES", "220")),
    stateful_step_count=50,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)
