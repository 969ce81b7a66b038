"""A made-up but busy session's journal: every kind of event and command that the tables show, and some more.

Messages repeat, skip and come out of order as a broker's do; the same seed gives the same rows.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from decimal import Decimal

from core.codec import encode
from core.commands import (
    ClearAlert,
    Command,
    PlaceBracket,
    RaiseAlert,
    RecordDecision,
    RecordPhase,
    RecordTrade,
    WakeAt,
)
from core.events import (
    BarClosed,
    BrokerRead,
    CommissionReported,
    Event,
    ExecutionReported,
    OrderErrorReported,
    OrderReported,
    OrderStatusReported,
    PredictionReceived,
    Woke,
)
from core.market import Bar, Prediction
from core.orders import Execution, OpenOrder, OrderSpec, order_ref
from core.records import Alert, Decision, Trade
from core.vocabulary import (
    Action,
    ErrorKind,
    ExitReason,
    Leg,
    OrderKind,
    OrderStatus,
    Outcome,
    Phase,
    Refusal,
    Severity,
    Side,
)
from db.journal import JournalRow

SESSION = "DU1234567-20240605"
OPEN_MS = 1_717_594_200_000  # 2024-06-05 09:30 in New York
TICKERS = ("CVNA", "SOXL", "GLD")

Step = tuple[Event, tuple[Command, ...]]


def busy_day(seed: int, trades: int = 12) -> list[JournalRow]:
    """The rows of a session with this many round trips."""
    return [
        JournalRow(sequence, event.at_ms, encode(event), encode(commands) if commands else "")
        for sequence, (event, commands) in enumerate(_Day(random.Random(seed)).steps(trades), start=1)
    ]


class _Day:
    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.now_ms = OPEN_MS
        self.decisions = 0

    def steps(self, trades: int) -> Iterator[Step]:
        yield Woke(self.later(), "open"), (RecordPhase(self.now_ms, Phase.TRADING, "open"),)
        for number in range(1, trades + 1):
            yield from self.refusals()
            yield from self.round_trip(number, self.chance.choice(TICKERS))
        yield Woke(self.later(), "x"), (RaiseAlert(Alert(self.now_ms, Severity.WARNING, "link", "Lost", "10 s")),)
        yield Woke(self.later(), "x"), (ClearAlert(self.now_ms, "link", "back"),)
        alert = Alert(self.now_ms, Severity.CRITICAL, "nul", "half a pair \ud800", "a NUL \0 inside")
        yield Woke(self.later(), "x"), (RaiseAlert(alert), WakeAt("y", self.now_ms))
        yield Woke(self.later(), "close"), (RecordPhase(self.now_ms, Phase.CLOSED, "flat"),)

    def later(self) -> int:
        self.now_ms += self.chance.randint(1, 40_000)
        return self.now_ms

    def refusals(self) -> Iterator[Step]:
        for _ in range(self.chance.randint(0, 5)):
            bar = Bar("CVNA", self.later() // 10_000 * 10_000, 20.0, 20.5, 19.5, 20.1, 500)
            yield BarClosed(self.now_ms, bar), ()
            prediction = Prediction("CVNA", "BUY\0", float("nan"), 20.0, self.now_ms, "CVNA")
            refusal = self.chance.choice([Refusal.COOLDOWN, Refusal.CONFIDENCE_INVALID])
            yield PredictionReceived(self.later(), prediction), (self.decision(prediction, refusal),)

    def decision(self, prediction: Prediction, refusal: Refusal | None, ref: str = "") -> RecordDecision:
        self.decisions += 1
        return RecordDecision(
            Decision(
                at_ms=self.now_ms,
                number=self.decisions,
                ticker=prediction.ticker,
                prediction_key=prediction.key,
                signal=prediction.signal,
                confidence=prediction.confidence,
                outcome=Outcome.REFUSE if refusal else Outcome.ENTER,
                refusal=refusal,
                values=(("atr", "0.05"),),
                order_ref=ref,
                side=None if refusal else Side.LONG,
                shares=0 if refusal else 100,
                price=None if refusal else Decimal("20.00"),
                capital_efficiency=None if refusal else 0.98,
            )
        )

    def round_trip(self, number: int, ticker: str) -> Iterator[Step]:
        refs = {leg: order_ref(SESSION, ticker, number, leg) for leg in (Leg.ENTRY, Leg.STOP, Leg.TARGET)}
        entry = OrderSpec(refs[Leg.ENTRY], ticker, Action.BUY, OrderKind.MARKET, 100)
        stop = OrderSpec(
            refs[Leg.STOP],
            ticker,
            Action.SELL,
            OrderKind.STOP,
            100,
            stop_price=Decimal("19.70"),
            parent_ref=refs[Leg.ENTRY],
        )
        target = OrderSpec(
            refs[Leg.TARGET],
            ticker,
            Action.SELL,
            OrderKind.LIMIT,
            100,
            limit_price=Decimal("20.15"),
            parent_ref=refs[Leg.ENTRY],
        )
        prediction = Prediction(ticker, "BUY", 0.61, 20.0, self.later(), ticker)
        place = PlaceBracket(entry, (stop, target))
        yield PredictionReceived(self.now_ms, prediction), (self.decision(prediction, None, entry.order_ref), place)
        reports = [
            *(self.echo(spec, number, OrderStatus.PRE_SUBMITTED) for spec in (entry, stop, target)),
            OrderStatusReported(0, entry.order_ref, number, OrderStatus.FILLED, 100, 0, ""),
            *self.fill(entry, number, "20.01", revisions=self.chance.randint(1, 2)),
            OrderErrorReported(0, stop.order_ref, 399, ErrorKind.WARNING, "held until the open"),
            OrderStatusReported(0, target.order_ref, 10 + number, OrderStatus.SUBMITTED, 0, 100, ""),
        ]
        yield from self.deliver(reports)
        ending = [
            *self.fill(target, number, "20.16", revisions=1),
            OrderStatusReported(0, target.order_ref, 10 + number, OrderStatus.FILLED, 100, 0, ""),
            OrderStatusReported(0, stop.order_ref, 20 + number, OrderStatus.CANCELLED, 0, 100, ""),
        ]
        yield from self.deliver(ending)
        if self.chance.random() < 0.3:
            yield BrokerRead(self.later(), (), tuple(self.executions(target, number, "20.16", 2)), ()), ()
        trade = Trade(
            *(SESSION, number, ticker, Side.LONG, 100, self.now_ms - 60_000, self.now_ms),
            *(Decimal("20.01"), Decimal("20.16"), Decimal("15.00"), None, ExitReason.TARGET, 0.05, 0.98, 0),
        )
        yield Woke(self.later(), "x"), (RecordTrade(trade),)
        priced = Trade(**{name: getattr(trade, name) for name in trade.__slots__} | {"commissions": Decimal("2.00")})
        yield Woke(self.later(), "x"), (RecordTrade(priced),)

    def deliver(self, reports: list[Event]) -> Iterator[Step]:
        """In a broker's order: shuffled, some of them twice."""
        reports = reports + self.chance.sample(reports, k=len(reports) // 2)
        self.chance.shuffle(reports)
        for report in reports:
            values = {name: getattr(report, name) for name in report.__slots__}
            yield type(report)(**values | {"at_ms": self.later()}), ()

    def echo(self, spec: OrderSpec, number: int, status: OrderStatus) -> OrderReported:
        return OrderReported(
            0,
            OpenOrder(
                *(spec.order_ref, number, 7, 100 + number, spec.ticker, spec.action, spec.kind, spec.shares, status),
                limit_price=spec.limit_price,
                stop_price=spec.stop_price,
                oca_group=str(900 + number),
            ),
        )

    def executions(self, spec: OrderSpec, number: int, price: str, revisions: int) -> Iterator[Execution]:
        for revision in range(1, revisions + 1):
            yield Execution(
                *(f"00aa.{spec.order_ref}.{revision:02}", spec.order_ref, number, 7, 100 + number, spec.ticker),
                *(spec.action, 100, Decimal(price) + revision, OPEN_MS + number, "ARCA"),
            )

    def fill(self, spec: OrderSpec, number: int, price: str, revisions: int) -> list[Event]:
        executions = list(self.executions(spec, number, price, revisions))
        costs = [CommissionReported(0, one.exec_id, Decimal("1.00"), None) for one in executions]
        unknown = CommissionReported(0, executions[0].exec_id, None, None)
        return [*(ExecutionReported(0, one) for one in executions), *costs, unknown]
