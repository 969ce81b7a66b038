"""The laws of the engine, held against random days with a model of the broker, under every variant of its doubts.

220 days of 50 steps, always the same: more than 10,000 steps. `make laws DAYS=1200 SEED=7` plays others, as many as it
is told, and prints the shortest sequence that breaks a law.
"""

from __future__ import annotations

import os
from decimal import Decimal

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from core import events as e
from core.bracket import LIVE_STAGES
from core.codec import decode, encode
from core.engine import Engine
from core.market import Bar, Prediction
from core.orders import PositionRow
from core.params import EntryKind
from core.state import State
from core.vocabulary import Action, ErrorKind, Leg, Link, OrderStatus, Phase
from tests.support.laws import DOUBTS, alerts_must_be_true, cover_must_be_real, must_be_covered, replayed
from tests.support.model_broker import Doubts
from tests.support.playbook import PLAN
from tests.support.random_day import BASE, TICKERS, RandomDay

MOVES = st.decimals(min_value=Decimal("-0.40"), max_value=Decimal("0.40"), places=2)
UNKNOWN_CODE = (4242, ErrorKind.UNKNOWN)
REFUSALS = [(201, ErrorKind.REJECTED), (202, ErrorKind.CANCELLED)]
LEGS = [Leg.ENTRY, Leg.STOP, Leg.TARGET, Leg.TIMED_EXIT, Leg.EMERGENCY_STOP, Leg.EMERGENCY_TARGET, Leg.EXIT, Leg.REPAIR]


class TradingDay(RandomDay, RuleBasedStateMachine):
    """One session, from the open to a verified close."""

    @initialize(doubts=DOUBTS, entry_kind=st.sampled_from(EntryKind), loss_dollars=st.sampled_from([1_000, 300]))
    def begin(self, doubts: Doubts, entry_kind: EntryKind, loss_dollars: int) -> None:
        self.open(doubts, entry_kind, loss_dollars)

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
        """Executions, commissions, statuses and echoes are repeated, also old ones."""
        event = self.told[-1 - index % min(len(self.told), 30)]
        if not isinstance(event, e.BrokerRead | e.OrderErrorReported):
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

    @rule(leg=st.sampled_from(LEGS), error=st.sampled_from([None, *REFUSALS]))
    def broker_refuses(self, leg: Leg, error: tuple[int, ErrorKind] | None) -> None:
        self.broker.refuse = {leg: error} if error is not None else {}

    @rule(code=st.sampled_from([None, (201, ErrorKind.MODIFY_REFUSED), (135, ErrorKind.NOT_FOUND), UNKNOWN_CODE]))
    def broker_refuses_changes(self, code: tuple[int, ErrorKind] | None) -> None:
        self.broker.refuse_changes = code

    @rule(ticker=st.sampled_from(TICKERS), pick=st.integers(0, 10), ends=st.booleans())
    def broker_speaks_in_riddles(self, ticker: str, pick: int, ends: bool) -> None:
        """A code that no table holds; the order may have ended by it."""
        able = self.broker.working(ticker)
        if able:
            order = able[pick % len(able)]
            if ends:
                order.status = OrderStatus.INACTIVE
            self.broker._error(order.spec.order_ref, *UNKNOWN_CODE)

    @rule(hang=st.booleans(), lost=st.booleans())
    def cancels_fail(self, hang: bool, lost: bool) -> None:
        """From now on `PendingCancel` is all that comes of a cancel, or it is not heard at all."""
        self.broker.cancels_hang, self.broker.hears_cancels = hang, not lost

    @rule()
    def what_hangs_ends(self) -> None:
        self.broker.end_hanging()

    @rule(ticker=st.sampled_from(TICKERS), pick=st.integers(0, 10))
    def somebody_cancels_and_it_hangs(self, ticker: str, pick: int) -> None:
        able = self.broker.working(ticker)
        if able:
            self.broker.hang(able[pick % len(able)])

    @precondition(lambda self: self.engine.state.reconciled)
    @rule(ticker=st.sampled_from(TICKERS), hang=st.booleans())
    def no_exit_waits_for_a_cancel(self, ticker: str, hang: bool) -> None:
        """All else is well, but that no order can be changed or ended: what is held is closed all the same."""
        self.calm_down()
        self.attend()
        self.cancels_fail(hang, not hang)
        self.broker.refuse_changes = (201, ErrorKind.MODIFY_REFUSED)
        self.feed(e.FlattenRequested(0, "a person", (ticker,)))
        self.attend(minutes=2)
        foreign = self.engine.state.books[ticker].foreign_shares
        assert self.broker.positions.get(ticker, 0) == foreign, "held, since a cancel hangs"

    @precondition(lambda self: self.engine.state.reconciled)
    @rule(ticker=st.sampled_from(TICKERS))
    def no_exit_is_sent_again_and_again(self, ticker: str) -> None:
        """All else is well, but the venue cancels every market order, and no leg can be changed."""
        self.calm_down()
        self.attend()
        self.broker.refuse = dict.fromkeys((Leg.EXIT, Leg.REPAIR), (202, ErrorKind.CANCELLED))
        self.broker.refuse_changes = (201, ErrorKind.MODIFY_REFUSED)
        self.feed(e.FlattenRequested(0, "a person", (ticker,)))
        self.attend(minutes=1)

    @rule(waits=st.booleans())
    def market_orders_wait(self, waits: bool) -> None:
        self.broker.fills_market_orders = not waits

    @rule()
    def broker_mute(self) -> None:
        self.broker.mute = not self.broker.mute
        self.deaf = True

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
            self.engine = Engine(self.params, PLAN, decode(before, State))
        else:
            self.engine = replayed(self.params, self.journal)
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

    @precondition(lambda self: self.broker.executions and not self.broker.mute)
    @rule(index=st.integers(0, 100), kept=st.sampled_from([0, 1, 2]), cents=st.integers(-5, 5))
    def broker_corrects(self, index: int, kept: int, cents: int) -> None:
        """An execution of others or of an ended order is corrected: in its price, to half its shares, or to none."""
        index = -1 - index % min(len(self.broker.executions), 10)
        old = self.broker.executions[index]
        order = self.broker.orders.get(old.order_ref)
        if order is None or not order.is_live:
            self.broker.now_ms = self.now_ms
            self.broker.correct(index, old.shares * kept // 2, old.price + Decimal(cents) / 100)

    @rule()
    def journal_lost(self) -> None:
        """The process dies and its journal is gone: the broker's word is all there is. Its numbers go on."""
        self.broker.outbox.clear()
        self.pass_time(self.now_ms + 10_000)  # what a new process takes to start
        self.broker.outbox.clear()
        self.engine, self.journal, self.halted, self.trades = Engine(self.params, PLAN), [], False, {}
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
    def one_entry_at_a_time(self) -> None:
        for book in self.engine.state.books.values():
            assert sum(order.leg is Leg.ENTRY for order in book.orders.values()) <= 1

    @invariant()
    def no_cover_is_imagined(self) -> None:
        state = self.engine.state
        unheard = self.broker.outbox or self.deaf or self.broker.mute
        if not unheard and state.reconciled and state.link is not Link.LOST:
            for ticker in TICKERS:
                cover_must_be_real(self.engine, self.broker, ticker)

    @invariant()
    def the_ledger_balances(self) -> None:
        state = self.engine.state
        seen = list(state.ledger.executions.values())
        assert state.ledger.cash == -sum(x.action.sign * x.shares * x.price for x in seen)
        for ticker in TICKERS:
            held = sum(x.action.sign * x.shares for x in seen if x.ticker == ticker)
            assert state.ledger.position(ticker) == held == state.books[ticker].position

    @invariant()
    def the_trades_on_record_are_those_of_the_ledger(self) -> None:
        ledger = self.engine.state.ledger
        recorded = [(x.closed_ms, x.ticker, x.side, x.shares, x.gross_pnl, x.net_pnl) for x in self.trades.values()]
        trips = ledger.trades()
        made = [(x.closed_ms, x.ticker, x.side, x.most_held, x.gross_pnl, ledger.net_pnl(x)) for x in trips]
        assert sorted(recorded, key=str) == sorted(made, key=str)

    @invariant()
    def stages_and_shelves_agree(self) -> None:
        for book in self.engine.state.books.values():
            assert all(order.stage in LIVE_STAGES for order in book.orders.values())
            assert not any(order.stage in LIVE_STAGES for order in book.ended.values())

    @rule()
    def all_is_well(self) -> None:
        """Once the broker answers and time has passed, every position is covered exactly, and every flat one bare."""
        self.calm_down()
        self.attend(minutes=3)
        for ticker in TICKERS:
            must_be_covered(self.engine, self.broker, ticker)
            alerts_must_be_true(self.engine, ticker)

    def attend(self, minutes: int = 0) -> None:
        """For so long the broker is connected, and heard at once."""
        self.listen()
        self.attentive = True
        if self.engine.state.link is not Link.CONNECTED:
            self.feed(e.LinkChanged(0, Link.CONNECTED, "test"))
        self.listen()
        self.pass_time(self.now_ms + minutes * 60_000)
        self.listen()
        self.attentive = False

    def teardown(self) -> None:
        """The closure ends flat, with nothing working, verified; and a replay of the day gives the same commands."""
        if not hasattr(self, "engine"):
            return
        self.now_ms = max(self.now_ms, PLAN.closure_ms)
        self.pass_time(self.now_ms)  # the closure begins in the middle of whatever is on its way
        self.calm_down()
        self.attentive = True
        self.listen()
        self.feed(e.LinkChanged(0, Link.CONNECTED, "test"))
        self.listen()
        self.pass_time(self.now_ms + 300_000)
        self.listen()
        assert self.engine.state.phase is Phase.CLOSED
        foreign = {ticker: book.foreign_shares for ticker, book in self.engine.state.books.items()}
        assert all(shares == foreign[ticker] for ticker, shares in self.broker.positions.items())
        assert not any(order.is_live for order in self.broker.orders.values())
        assert encode(replayed(self.params, self.journal).state) == encode(self.engine.state)


TestTradingDay = TradingDay.TestCase
TestTradingDay.settings = settings(
    max_examples=int(os.environ.get("TRADER_LAW_EXAMPLES", "220")),
    stateful_step_count=50,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)
