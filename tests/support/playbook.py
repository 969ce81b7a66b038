"""Playbooks: what happens, and what the engine must do about it, written so that they document the rules.

    Playbook(flat("SOXL"), atr("0.05")).when(buy(0.61), then=[entering(), bracket("BUY 133", "74.80", "75.25")])

Behind a playbook stands the model broker: it acknowledges, cancels siblings and reports fills by itself, so that a
playbook tells only what matters. `then` lists every command in words, in order; what is not listed must not happen.
Left out of the lists are timers, read-backs (but see `asked`), and trades whose commission is still pending. Without
`then` nothing is compared. An order is named by its leg, the newest of that name, or by leg and number: `stop#2`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from core import commands as c
from core import events as e
from core.codec import decode, encode
from core.engine import Engine
from core.market import Bar, Instrument, Quote
from core.orders import parse_order_ref
from core.params import Pair, Params, RiskLimits, TickerParams
from core.records import Decision, Trade
from core.session_plan import plan_session
from core.state import State
from core.vocabulary import Link
from tests.support.in_words import in_words
from tests.support.model_broker import Doubts, ModelBroker

OPEN_MS = 1_699_972_200_000  # 2023-11-14 9:30 Eastern
CLOSE_MS = OPEN_MS + 6 * 3_600_000 + 1_800_000
PLAN = plan_session("DU1", "2023-11-14", 1, OPEN_MS, CLOSE_MS)

BAR_MS = 10_000
HISTORY_BARS = 20

ANSWERS_MAX = 2_000
"""What the broker may say in one moment before somebody is sure to be going round in circles."""

TICKERS = (
    TickerParams("SOXL", sector="semiconductors"),
    TickerParams("SOXS", sector="semiconductors", sector_sign=-1),
    TickerParams("CVNA", sector="retail"),
    TickerParams("GLD", sector="metals"),
    TickerParams("SLV", sector="metals"),
)
PAIRS = (Pair("SOXL", "SOXS", -1), Pair("GLD", "SLV", 1))


@dataclass
class Setup:
    """What a playbook begins with."""

    ticker: str = "SOXL"
    atr: Decimal = Decimal("0.05")
    base: Decimal = Decimal("75.10")
    start_ms: int = OPEN_MS + 60_000
    params: Params = field(default_factory=lambda: Params(tickers=TICKERS, pairs=PAIRS))
    doubts: Doubts = field(default_factory=Doubts)
    instrument: Instrument | None = None
    history: bool = True
    warm: bool = True
    connected: bool = True


Given = Callable[[Setup], None]
Step = Callable[["Playbook"], Sequence[e.Event]]


class Playbook:
    """A session in progress."""

    def __init__(self, *givens: Given) -> None:
        self.setup = Setup()
        for given in givens:
            given(self.setup)
        self.ticker = self.setup.ticker
        self.params = self.setup.params
        self.engine = Engine(self.params, PLAN)
        self.broker = ModelBroker(self.setup.doubts)
        self.now_ms = min(self.setup.start_ms, OPEN_MS) - 60_000
        self.timers: dict[str, int] = {}
        self.journal: list[tuple[e.Event, c.Commands]] = []
        self.bar_ms: dict[str, int] = {}
        self.decisions: list[Decision] = []
        self.trades: dict[int, Trade] = {}
        self.alerts: list[str] = []
        self._seen: list[c.Command] = []
        self._start()

    def _start(self) -> None:
        self._describe()
        for params in self.params.tickers:
            self.broker.prices[params.ticker] = self.setup.base
            self.bar_ms[params.ticker] = (self.now_ms - HISTORY_BARS * BAR_MS) // BAR_MS * BAR_MS
        if self.setup.connected:
            self.feed(e.LinkChanged(0, Link.CONNECTED, "test"))
        self.pass_time(self.setup.start_ms)

    def _describe(self) -> None:
        for params in self.params.tickers:
            instrument = self.setup.instrument or Instrument("", 1)
            self.feed(e.InstrumentRead(0, replace(instrument, ticker=params.ticker)))

    # --- telling ----------------------------------------------------------------------------------------------------

    def when(self, *steps: Step, then: Sequence[str] | None = None) -> Playbook:
        """Let something happen; `then` is everything that must come of it."""
        self._seen = []
        for step in steps:
            for event in step(self):
                self.feed(event)
            self.listen()
        if then is not None:
            with_reads = any(word.startswith("read") for word in then)
            told = [words for command in self._seen if (words := in_words(command, with_reads)) is not None]
            assert told == list(then), "\n".join(["the engine did:", *map(str, self._seen)])
        return self

    def check(self, name: str, actual: Callable[[Playbook], Any], expected: object) -> Playbook:
        """Look at something in passing."""
        assert actual(self) == expected, name
        return self

    # --- the machinery ----------------------------------------------------------------------------------------------

    def feed(self, event: e.Event) -> None:
        """Let the engine take one event, and the model broker its commands."""
        event = replace(event, at_ms=self.now_ms)
        commands = self.engine.step(event)
        self.journal.append((event, commands))
        for command in commands:
            self._keep(command)
        self._seen += commands
        self.broker.now_ms = self.now_ms
        self.broker.take(commands)

    def listen(self) -> None:
        """Take in everything that the broker has said, and what it answers to that."""
        for _ in range(ANSWERS_MAX):
            if not self.broker.outbox:
                return
            self.feed(self.broker.outbox.popleft())
        raise AssertionError("engine and broker never come to rest")

    def pass_time(self, to_ms: int) -> None:
        """Move the clock; timers fire, bars close."""
        while due := [(at_ms, name) for name, at_ms in self.timers.items() if at_ms <= to_ms]:
            at_ms, name = min(due)
            del self.timers[name]
            self.now_ms = max(self.now_ms, at_ms)
            self.feed(e.Woke(0, name))
            self.listen()
        self.now_ms = to_ms
        if self.setup.warm:
            self.keep_warm()

    def keep_warm(self) -> None:
        """Give every ticker its bars up to now, all of the same range, so that the ATR stays what it is."""
        for ticker, next_ms in self.bar_ms.items():
            next_ms = max(next_ms, (self.now_ms - HISTORY_BARS * BAR_MS) // BAR_MS * BAR_MS)
            bars = []
            while next_ms + BAR_MS <= self.now_ms:
                bars.append(self.flat_bar(ticker, next_ms))
                next_ms += BAR_MS
            self.bar_ms[ticker] = next_ms
            if bars:
                self.feed(e.HistoryLoaded(0, ticker, tuple(bars)))

    def flat_bar(self, ticker: str, start_ms: int) -> Bar:
        """A bar around the base price with the playbook's range."""
        base, half = float(self.setup.base), float(self.setup.atr) / 2
        return Bar(ticker, start_ms, base, base + half, base - half, base, 100)

    def quote(self, ticker: str) -> e.Event:
        """A quote without a spread at the broker's price."""
        price = float(self.broker.prices[ticker])
        return e.QuoteChanged(0, Quote(ticker, price, price, price))

    def ref(self, name: str) -> str:
        """The reference of an order by its leg, with or without its number."""
        leg, _, number = name.partition("#")
        for ref in reversed(self.broker.orders):
            parsed = parse_order_ref(ref)
            if parsed is None or (parsed.ticker, parsed.leg) != (self.ticker, leg):
                continue
            if not number or parsed.number == int(number):
                return ref
        raise AssertionError(f"no order {name} among {list(self.broker.orders)}")

    def restart(self, *, journal: bool = True) -> None:
        """Kill the engine; a new one replays the journal and must come to the same commands and the same state."""
        before = self.engine.state
        self.engine = Engine(self.params, PLAN)
        if journal:
            for event, commands in self.journal:
                assert self.engine.step(event) == commands, f"the replay differs at {event}"
            assert encode(self.engine.state) == encode(before)
            assert decode(encode(before), State) == before
        else:
            self.journal = []
            self.bar_ms = dict.fromkeys(self.bar_ms, 0)
            self._describe()

    def _keep(self, command: c.Command) -> None:
        match command:
            case c.WakeAt(timer, at_ms):
                self.timers[timer] = at_ms
            case c.RecordDecision(decision):
                self.decisions.append(decision)
            case c.RecordTrade(trade):
                self.trades[trade.number] = trade
            case c.ForgetTrade(number):
                del self.trades[number]
            case c.RaiseAlert(alert):
                self.alerts.append(alert.key)
            case _:
                pass


# --- givens ---------------------------------------------------------------------------------------------------------


def flat(ticker: str) -> Given:
    """No position in this ticker; the ticker that the steps speak of."""
    return lambda setup: setattr(setup, "ticker", ticker)


def atr(range_dollars: str) -> Given:
    """Bars of this range, so that the ATR is that."""
    return lambda setup: setattr(setup, "atr", Decimal(range_dollars))


def price(dollars: str) -> Given:
    """What every ticker trades at."""
    return lambda setup: setattr(setup, "base", Decimal(dollars))


def at(seconds_from_open: int) -> Given:
    """When it begins, seconds from the open."""
    return lambda setup: setattr(setup, "start_ms", OPEN_MS + seconds_from_open * 1000)


def doubts(**switches: bool) -> Given:
    """How the broker behaves where nobody is sure."""
    return lambda setup: setattr(setup, "doubts", replace(setup.doubts, **switches))


def settings(**changes: Any) -> Given:
    """Other values than the defaults."""
    return lambda setup: setattr(setup, "params", replace(setup.params, **changes))


def limits(**changes: Any) -> Given:
    """Other limits of risk than the defaults."""

    def apply(setup: Setup) -> None:
        setup.params = replace(setup.params, risk=replace(setup.params.risk, **changes))

    return apply


def per_ticker(**changes: Any) -> Given:
    """Other values for every ticker than the defaults."""

    def apply(setup: Setup) -> None:
        setup.params = replace(setup.params, tickers=tuple(replace(t, **changes) for t in setup.params.tickers))

    return apply


def instrument(**changes: Any) -> Given:
    """What the broker says of the tickers."""
    return lambda setup: setattr(setup, "instrument", replace(Instrument("", 1), **changes))


def no_limits() -> Given:
    """Every limit of risk off."""
    return limits(**dict.fromkeys(RiskLimits.__dataclass_fields__))


def no_history() -> Given:
    """No bars at all."""
    return lambda setup: setattr(setup, "warm", False)


def not_connected() -> Given:
    """The link has never been up."""
    return lambda setup: setattr(setup, "connected", False)
