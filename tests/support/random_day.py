"""A day of the engine beside the model broker: its clock, its timers, and what may never leave the engine."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import replace
from decimal import Decimal

from core import commands as c
from core import events as e
from core.bracket import Stage
from core.engine import Engine
from core.market import Bar, Instrument, Quote
from core.orders import OrderSpec
from core.params import EntryKind, Params, RiskLimits, TickerParams
from core.protection import is_working
from core.records import Trade
from core.tending import MARKET_LEGS
from core.vocabulary import Leg, Link, OrderStatus, Phase, TimeInForce
from tests.support.model_broker import Doubts, ModelBroker
from tests.support.playbook import OPEN_MS, PLAN

TICKERS = ("SOXL", "CVNA")
BASE = Decimal("75.00")
PARAMS = Params(tickers=tuple(TickerParams(ticker, cooldown_minutes=1) for ticker in TICKERS))

AT_ONCE_MAX = 8
"""Instructions for one order, and placements for one ticker, that may leave in one moment."""


class RandomDay:
    """One session from the open on; what happens is up to the one who holds it."""

    attentive = False  # what the broker answers while time passes is heard at once

    def open(self, doubts: Doubts, entry_kind: EntryKind, loss_dollars: int) -> None:
        """Connect, one minute after the open; a loss of so many dollars ends the day."""
        risk = RiskLimits(max_daily_loss=Decimal(loss_dollars))
        self.params = replace(PARAMS, entry_kind=entry_kind, risk=risk)
        self.engine = Engine(self.params, PLAN)
        self.broker = ModelBroker(doubts)
        self.now_ms = OPEN_MS + 60_000
        self.timers: dict[str, int] = {}
        self.journal: list[tuple[e.Event, c.Commands]] = []
        self.told: list[e.Event] = []
        self.halted = False
        self.deaf = False  # something that the broker said was lost, and no read-back has come since
        self.refs: set[str] = set()
        self.busy: tuple[int, Counter[str]] = 0, Counter()  # a moment, and what was sent in it for each order or ticker
        self.trades: dict[int, Trade] = {}  # as the database has them
        self.broker.prices = dict.fromkeys(TICKERS, BASE)
        self.feed(e.LinkChanged(0, Link.CONNECTED, "test"))
        self.describe()
        self.listen()

    def describe(self) -> None:
        for ticker in TICKERS:
            self.feed(e.InstrumentRead(0, Instrument(ticker, 1)))
        self.warm()

    def feed(self, event: e.Event) -> None:
        event = replace(event, at_ms=self.now_ms)
        if event == e.Woke(self.now_ms, "read"):  # what nobody has answered by now, broker/ has given up
            self.broker.outbox = deque(one for one in self.broker.outbox if not isinstance(one, e.BrokerRead))
        self.deaf = self.broker.mute or (self.deaf and not isinstance(event, e.BrokerRead))
        commands = self.engine.step(event)
        self.journal.append((event, commands))
        for command in commands:
            if isinstance(command, c.WakeAt):
                self.timers[command.timer] = command.at_ms
            elif isinstance(command, c.RecordTrade):
                self.trades[command.trade.number] = command.trade
            elif isinstance(command, c.ForgetTrade):
                del self.trades[command.number]
            self.must_be_allowed(command)
            self.must_not_repeat(command)
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
            self.must_be_settled(command.entry)
        elif isinstance(command, c.PlaceOrders):
            specs = list(command.orders)
        for spec in specs:
            assert spec.order_ref not in self.refs, "a reference was used twice"
            assert spec.shares > 0
            self.refs.add(spec.order_ref)
            self.must_not_double(spec)

    def must_be_settled(self, entry: OrderSpec) -> None:
        """No entry beside anything of its ticker whose fate is open."""
        book = self.engine.state.books[entry.ticker]
        others = [order for order in book.orders.values() if entry.order_ref not in (order.ref, order.spec.parent_ref)]
        assert all(order.stage is Stage.LIVE and not order.hangs for order in others), "an entry beside the unsettled"
        assert book.exit is None
        assert not book.behind

    def must_not_repeat(self, command: c.Command) -> None:
        """What the broker answers at once is not asked of it again and again."""
        moment, told = self.busy
        told = told if moment == self.now_ms else Counter()
        self.busy = self.now_ms, told
        if isinstance(command, c.ModifyOrder | c.CancelOrder):
            told[command.order_ref] += 1
        elif isinstance(command, c.PlaceOrders | c.PlaceBracket):
            told[command.orders[0].ticker if isinstance(command, c.PlaceOrders) else command.entry.ticker] += 1
        assert not told or max(told.values()) <= AT_ONCE_MAX, f"again and again: {command}"

    def must_not_double(self, spec: OrderSpec) -> None:
        """Market orders of exits are never for more than what is held when they are sent, all of a side together.

        One of the other side may be on its way out still: what it was to close, and more, has been sold by what hung.
        """
        book = self.engine.state.books[spec.ticker]
        at_market = [one for one in book.orders.values() if one.leg in MARKET_LEGS and one.spec.action is spec.action]
        if book.orders[spec.order_ref] in at_market:
            assert sum(order.remaining for order in at_market) <= abs(book.position), "an exit is doubled"

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

    def calm_down(self) -> None:
        self.broker.connected, self.broker.mute, self.broker.fills_market_orders = True, False, True
        self.broker.refuse, self.broker.refuse_changes = {}, None
        self.broker.hears_cancels = True
        self.broker.end_hanging()
        for ticker in TICKERS:
            self.broker.price(ticker, self.broker.prices[ticker])
            for order in self.broker.working(ticker):
                if order.spec.time_in_force is TimeInForce.IOC:
                    self.broker._end(order, OrderStatus.CANCELLED)
