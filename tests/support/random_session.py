"""A session of random events against the model broker, and the journal that it leaves.

Everything is drawn from one `random.Random`, so a seed, or hypothesis, makes the same session again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from random import Random

from core import events as e
from core.codec import encode
from core.commands import WakeAt
from core.engine import Engine
from core.market import Bar, Instrument, Prediction, Quote
from core.orders import Execution
from core.params import Pair, Params, TickerParams
from core.session_plan import plan_session
from core.vocabulary import Action, Link
from tests.support.model_broker import Doubts, ModelBroker

NO_PRICES = (0.0, -1.0, float("nan"), float("inf"))
TICKERS = ("SOXL", "SOXS", "GLD")
OPEN_MS = 1381152600000  # 2013-10-07 9:30 Eastern
PLAN = plan_session("DU1", "2013-10-07", 7, OPEN_MS, OPEN_MS + 23_400_000)
PARAMS = Params(
    tickers=tuple(TickerParams(ticker) for ticker in TICKERS),
    pairs=(Pair("SOXL", "SOXS", -1),),
    correlation_sizing=True,
)


@dataclass
class RandomSession:
    """An engine, a model broker, a clock, and the rows of the journal: (event, commands), as text."""

    chance: Random
    engine: Engine = field(default_factory=lambda: Engine(PARAMS, PLAN))
    now_ms: int = OPEN_MS - 600_000
    timers: dict[str, int] = field(default_factory=dict)
    prices: dict[str, float] = field(default_factory=lambda: dict.fromkeys(TICKERS, 75.0))
    rows: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        flags = {name: self.chance.random() < 0.5 for name in Doubts.__dataclass_fields__}
        self.broker = ModelBroker(Doubts(**flags))
        self._start()

    def play(self, steps: int) -> None:
        """So many random actions."""
        for _ in range(steps):
            self.chance.choice(ACTIONS)(self)

    def _take(self, event: e.Event) -> None:
        event = replace(event, at_ms=self.now_ms)
        commands = self.engine.step(event)
        self.rows.append((encode(event), encode(commands)))
        self.timers.update({command.timer: command.at_ms for command in commands if isinstance(command, WakeAt)})
        self.broker.now_ms = self.now_ms
        self.broker.take(commands)

    def _start(self) -> None:
        self.connect()
        for ticker in TICKERS:
            self._take(e.InstrumentRead(0, Instrument(ticker, 1)))
            history = [self._bar(ticker, self.now_ms - at * 10_000) for at in range(20, 0, -1)]
            self._take(e.HistoryLoaded(0, ticker, tuple(history)))
        self._pass(600_000)
        self.market()

    def _pass(self, for_ms: int) -> None:
        """Time passes; timers fire in their order."""
        until_ms = self.now_ms + for_ms
        while self.timers and min(self.timers.values()) <= until_ms:
            timer = min(self.timers, key=lambda name: (self.timers[name], name))
            self.now_ms = max(self.now_ms, self.timers.pop(timer))
            self._take(e.Woke(0, timer))
        self.now_ms = until_ms

    def _bar(self, ticker: str, start_ms: int) -> Bar:
        price = self.prices[ticker] = round(max(self.prices[ticker] + self.chance.randint(-20, 20) / 100, 5.0), 2)
        return Bar(ticker, start_ms // 10_000 * 10_000, price, price + 0.05, price - 0.05, price, 100)

    # --- what may happen ------------------------------------------------------------------------------------------

    def market(self) -> None:
        """Ten seconds pass; each ticker has a bar and a quote."""
        self._pass(10_000)
        for ticker in TICKERS:
            bar = self._bar(ticker, self.now_ms - 10_000)
            self._take(e.BarClosed(0, bar))
            self._take(e.QuoteChanged(0, Quote(ticker, bar.close - 0.01, bar.close + 0.01, bar.close)))
            self.broker.price(ticker, str(bar.close))

    def unusable_bar(self) -> None:
        """A bar that is none, live or from history."""
        bar = Bar("SOXL", self.now_ms // 10_000 * 10_000, 1.0, self.chance.choice(NO_PRICES), 1.0, 1.0, 0)
        self._take(self.chance.choice([e.BarClosed(0, bar), e.HistoryLoaded(0, "SOXL", (bar,))]))

    def odd_quote(self) -> None:
        """A quote that nobody can trade on."""
        bid, ask, last = (self.chance.choice([None, *NO_PRICES]) for _ in range(3))
        self._take(e.QuoteChanged(0, Quote(self.chance.choice(TICKERS), bid, ask, last)))

    def predict(self) -> None:
        """A signal, at times weak or neutral."""
        ticker, signal = self.chance.choice(TICKERS), self.chance.choice(["BUY", "SELL", "SHORT", "HOLD"])
        confidence = self.chance.choice([0.4, 0.5, 0.6, 0.9, float("nan")])
        self._take(e.PredictionReceived(0, Prediction(ticker, signal, confidence, 75.0, self.now_ms, ticker)))

    def hear(self) -> None:
        """All that the broker has said; at times something twice."""
        while self.broker.outbox:
            event = self.broker.outbox.popleft()
            self._take(event)
            if self.chance.random() < 0.2:
                self._take(event)

    def hear_out_of_order(self) -> None:
        """One message from the middle."""
        if self.broker.outbox:
            self.broker.outbox.rotate(self.chance.randrange(len(self.broker.outbox)))
            self._take(self.broker.outbox.popleft())

    def fill_a_part(self) -> None:
        """Some shares of a working order."""
        armed = [order for order in self.broker.orders.values() if order.is_live and order.armed]
        if armed:
            order = self.chance.choice(armed)
            price = Decimal(str(self.prices[order.spec.ticker]))
            self.broker.fill(order.spec.order_ref, self.chance.randint(1, max(order.remaining, 1)), price)

    def trade_by_hand(self) -> None:
        """The owner trades too."""
        self.broker.trade("GLD", self.chance.choice(list(Action)), 5, "75")

    def correct(self) -> None:
        """An execution is corrected by a cent."""
        if self.broker.executions:
            old: Execution = self.chance.choice(self.broker.executions)
            new = replace(old, exec_id=f"{old.lineage}.02", price=old.price + Decimal("0.01"))
            self._take(e.ExecutionReported(0, new))

    def connect(self) -> None:
        """The link comes up."""
        self.broker.connected = True
        self._take(e.LinkChanged(0, Link.CONNECTED, "up"))
        self.hear()

    def lose(self) -> None:
        """The link goes, and with it all that was on its way."""
        self.broker.connected = False
        self.broker.outbox.clear()
        self._take(e.LinkChanged(0, Link.LOST, "cut"))

    def ask(self) -> None:
        """A person wants something."""
        asked = [e.SuspendRequested(0, "person"), e.ResumeRequested(0, "person"), e.FlattenRequested(0, "person")]
        self._take(self.chance.choice(asked))


ACTIONS: tuple[Callable[[RandomSession], None], ...] = (
    *(RandomSession.market,) * 8,
    *(RandomSession.hear,) * 6,
    *(RandomSession.predict,) * 4,
    *(RandomSession.fill_a_part,) * 2,
    *(RandomSession.connect,) * 2,
    RandomSession.hear_out_of_order,
    RandomSession.unusable_bar,
    RandomSession.odd_quote,
    RandomSession.trade_by_hand,
    RandomSession.correct,
    RandomSession.lose,
    RandomSession.ask,
)
"""What may happen, as often as it stands here."""
