"""The programs that bench/order_latency times: a bare ib_async script, a session with everything on, and its floor.

Each is a process of its own: connected to the bench's gateway, it reads triggers (one answer of the prediction API a
line, or the report of a fill from the gateway), answers each with orders, makes itself ready again and says so with a
line.
"""

from __future__ import annotations

import asyncio
import gc
import json
import pickle
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from functools import partial
from pathlib import Path

from ib_async import (
    IB,
    Contract,
    Fill,
    LimitOrder,
    MarketOrder,
    Order,
    OrderState,
    StartupFetchNONE,
    Stock,
    StopOrder,
    Trade,
)

from broker.gateway import IbBroker
from core import events as e
from core.codec import encode
from core.commands import Commands
from core.engine import Engine
from core.market import Bar, Instrument, Prediction, Quote
from core.orders import Execution, order_ref
from core.params import Params, TickerParams
from core.records import Alert
from core.session_plan import plan_session
from core.vocabulary import Action, Leg, Link
from db.journal import Journal, JournalRow
from predictions.parse import parse_answer
from runtime.garbage import collect_due, collected_between_events
from runtime.session import Session
from runtime.timers import Timers
from tests.support.model_broker import ModelBroker

ACCOUNT, TICKER, CON_ID, CLIENT_ID = "DU1234567", "SOXL", 72539725, 7
OPEN_MS = 1_741_786_200_000  # 2025-03-12 9:30 Eastern
CLOSE_MS = OPEN_MS + 6 * 3_600_000 + 1_800_000
NOW_MS = OPEN_MS + 1_800_000
PRICE = 27.95
SHARES, ENTRY_ID = 357, 1
QUOTE = Quote(TICKER, PRICE, PRICE + 0.01, PRICE)
PARAMS = Params(tickers=(TickerParams(TICKER, cooldown_minutes=0),))
PLAN = plan_session(ACCOUNT, "2025-03-12", 7, OPEN_MS, CLOSE_MS)
ENTRY_REF = order_ref(PLAN.session, TICKER, 18_000, Leg.ENTRY)
"""The first number of a session that begins half an hour after the open without a journal."""
TOUCH = (
    e.BarClosed(NOW_MS, Bar(TICKER, NOW_MS - 10_000, PRICE, PRICE + 0.03, PRICE - 0.03, PRICE, 1_000)),
    e.QuoteChanged(NOW_MS, QUOTE),
)


class TriggerReader(asyncio.Protocol):
    """Calls `act` with each line the moment it is whole, then `prepare`, then says that it is ready.

    The first `done` is its owner's, once it can answer.
    """

    def __init__(self, act: Callable[[bytes], None], prepare: Callable[[], None]) -> None:
        self._act, self._prepare = act, prepare
        self._held = b""
        self.closed = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Triggers come from here; the first when `done` is called."""
        self._transport = transport

    def done(self) -> None:
        """Whatever came from elsewhere was answered: prepare when the loop is free again."""
        asyncio.get_running_loop().call_soon(self._get_ready)

    def data_received(self, data: bytes) -> None:
        """Act on a whole line, prepare when the loop is free again."""
        self._held += data
        line, end, rest = self._held.partition(b"\n")
        if end:
            self._held = rest
            self._act(line)
            self.done()

    def connection_lost(self, exc: Exception | None) -> None:
        """The bench has ended."""
        self.closed.set_result(None)

    def _get_ready(self) -> None:
        self._prepare()
        self._transport.write(b"ready\n")


async def run_bare(api_port: int, trigger_port: int, legs: str) -> None:
    """What a script does that calls `IB.placeOrder` for each leg, or for the stop of what has filled."""
    is_bracket = legs == "bracket"
    ib = IB()
    ib.client.MaxRequests = 0  # its own throttle would stop it after eleven brackets
    await ib.connectAsync("127.0.0.1", api_port, CLIENT_ID, account=ACCOUNT, fetchFields=StartupFetchNONE)
    contract = Stock(TICKER, "SMART", "USD", conId=CON_ID)
    shared = {"tif": "DAY", "account": ACCOUNT}

    def act(line: bytes) -> None:
        said = json.loads(line)["data"]["prediction"]
        price, shares = said["stock_price"], int(10_000 / said["stock_price"])
        entry = MarketOrder(said["signal"], shares, orderId=ib.client.getReqId(), transmit=not is_bracket, **shared)
        orders: list[Order] = [entry]
        if is_bracket:
            child = {"parentId": entry.orderId, **shared}
            orders += [
                StopOrder(
                    "SELL", shares, round(price * 0.99, 2), orderId=ib.client.getReqId(), transmit=False, **child
                ),
                LimitOrder(
                    "SELL", shares, round(price * 1.01, 2), orderId=ib.client.getReqId(), transmit=False, **child
                ),
                MarketOrder("SELL", shares, orderId=ib.client.getReqId(), goodAfterTime="20250312-19:33:00", **child),
            ]
        for order in orders:
            ib.placeOrder(contract, order)

    def enter() -> None:
        ib.placeOrder(contract, MarketOrder("BUY", SHARES, orderId=ib.client.getReqId(), **shared))

    gc.freeze()
    reader = await _serve(trigger_port, act, enter if legs == "fill" else lambda: None)

    def protect(_: Trade, fill: Fill) -> None:
        stop = round(fill.execution.price * 0.99, 2)
        ib.placeOrder(contract, StopOrder("SELL", fill.execution.shares, stop, orderId=ib.client.getReqId(), **shared))
        reader.done()

    ib.execDetailsEvent += protect
    reader.done()
    await reader.closed
    ib.disconnect()


class FixedClock:
    """A clock that shows what it is set to."""

    def __init__(self) -> None:
        self.at_ms = NOW_MS

    def now_ms(self) -> int:
        """UTC epoch ms."""
        return self.at_ms


class NoAlerts:
    """Alerts are delivered in the background of a session; here they would mean that the bench is wrong."""

    def send(self, alert: Alert) -> None:
        """Never called."""
        raise AssertionError(f"{alert.title}: {alert.text}")

    def clear(self, at_ms: int, key: str, text: str) -> None:
        """Never called."""
        raise AssertionError(f"{key}: {text}")


class Ear:
    """Takes what the broker says: before `session` is set that goes nowhere, then it is answered chunk by chunk."""

    def __init__(self) -> None:
        self.session: Session | None = None
        self.answer = self.done = lambda: None
        self._heard = False

    def emit(self, event: e.Event) -> None:
        """Into the inbox."""
        if self.session is not None:
            self.session.inbox.put(event)
            self._heard = True

    def on_batch(self) -> None:
        """A chunk of socket data has been decoded."""
        if self._heard:
            self._heard = False
            self.answer()
            self.done()


class Sessions:
    """Engine, risk, journal and broker as in a session; the engine of each trigger is a copy of one that stands ready.

    A quote and a bar reach it just before, as they would have in any second of a session: what they touch is warm.
    """

    def __init__(self, broker: IbBroker, journal: Journal, ready: Engine) -> None:
        self.journal, self.broker = journal, broker
        self.clock = FixedClock()
        self._ready = pickle.dumps(ready.state)
        self._row = JournalRow(0, NOW_MS, "", "")
        self._commands: Commands = ()
        self.session = Session(
            engine=ready,
            journal=journal,
            timers=Timers(),
            clock=self.clock,
            alerts=NoAlerts(),
            request_read=lambda reason: None,
            request_history=lambda ticker: None,
        )
        self.session.broker = broker

    def act(self, line: bytes) -> None:
        """From the answer of the prediction API to the orders."""
        self.session.take([e.PredictionReceived(NOW_MS, _parsed(line))])

    def prepare(self) -> None:
        """Stand ready once more."""
        self.session.engine = Engine(PARAMS, PLAN, pickle.loads(self._ready))
        for event in TOUCH:
            self.session.engine.step(event)

    def act_without_deciding(self, line: bytes) -> None:
        """The same bytes in and out, nothing decided: what is left when the engine and its rules cost nothing."""
        _parsed(line)
        self._repeat()

    def answer_without_deciding(self) -> None:
        """The same for what the broker said."""
        self.session.inbox.drain(NOW_MS)
        self._repeat()

    def decide_once(self, event: e.Event) -> None:
        """Keep what an event leads to, for the two above."""
        self.prepare()
        self._commands = self.session.engine.step(event)
        self._row = JournalRow(0, NOW_MS, encode(event), encode(self._commands))

    def _repeat(self) -> None:
        self._row = replace(self._row, sequence=self.journal.last_sequence + 1)
        self.journal.hold([self._row])
        self.broker.send(self._commands)
        self.journal.settle()


def prediction(number: int, *, is_bracket: bool) -> bytes:
    """A trigger, newer than those with a higher number: to enter, or to turn around."""
    said = {
        "ticker": TICKER,
        "signal": "BUY" if is_bracket else "SELL",
        "numeric": 1,
        "confidence": 0.61,
        "stock_price": PRICE,
        "probabilities": [0.1, 0.29, 0.61],
        "timestamp": NOW_MS - 1_000 - number,
        "feature_values": {"rsi": 61.5, "macd": 0.02},
    }
    body = {"status": "success", "data": {"ticker": TICKER, "prediction": said, "model_info": {"model_path": "bench"}}}
    return json.dumps(body).encode() + b"\n"


def _parsed(line: bytes) -> Prediction:
    found = parse_answer(TICKER, line)
    if not isinstance(found, Prediction):
        raise AssertionError(found.problem)
    return found


async def run_session(kind: str, api_port: int, trigger_port: int, legs: str) -> None:
    """A flat session that enters; one that turns around, whose first order moves the target; one whose entry fills."""
    clock, pacing_clock, ear = FixedClock(), FixedClock(), Ear()
    failures: list[BaseException] = []
    with tempfile.TemporaryDirectory() as folder:
        journal = Journal.open(Path(folder), "bench")
        broker = IbBroker("127.0.0.1", api_port, CLIENT_ID, ACCOUNT, ear.emit, clock, ear.on_batch,
                          failures.append, deterministic=True)  # fmt: skip
        await broker.connect()
        broker._queue._clock = pacing_clock  # all else sees one time, as it does in a session's millisecond
        (instrument,) = await broker.read_instruments((TICKER,))
        ready = ready_engine(instrument)
        if legs != "bracket":
            _enter(ready, broker, fills=legs == "reversal")
        sessions = Sessions(broker, journal, ready)
        act, answer, prepare = sessions.act, sessions.session.pump, sessions.prepare
        if kind == "floor":
            sessions.decide_once(_fill() if legs == "fill" else _predicted(0, is_bracket=legs == "bracket"))
            act, answer, prepare = sessions.act_without_deciding, sessions.answer_without_deciding, lambda: None

        def get_ready() -> None:
            pacing_clock.at_ms += 1_000  # the 50 messages of a second are not what is timed
            prepare()
            collect_due()

        with collected_between_events():
            reader = await _serve(trigger_port, act, get_ready)
            ear.session, ear.answer, ear.done = sessions.session, answer, reader.done
            reader.done()
            await reader.closed
        await broker.close()
        journal.close()
    if failures:
        raise failures[0]


def ready_engine(instrument: Instrument) -> Engine:
    """An engine in the middle of a session: connected, read back, warm, flat, with a fresh quote."""
    engine = Engine(PARAMS, PLAN)
    start_ms = NOW_MS - 20 * 10_000
    bars = tuple(
        Bar(TICKER, start_ms + number * 10_000, PRICE, PRICE + 0.03, PRICE - 0.03, PRICE, 1_000) for number in range(19)
    )
    for event in (
        e.InstrumentRead(NOW_MS, instrument),
        e.LinkChanged(NOW_MS, Link.CONNECTED, "bench"),
        e.BrokerRead(NOW_MS, (), (), ()),
        e.AccountRead(NOW_MS, Decimal(1_000_000), Decimal(1_000_000), -1),
        e.HistoryLoaded(NOW_MS, TICKER, bars),
        e.QuoteChanged(NOW_MS, QUOTE),
    ):
        engine.step(event)
    return engine


def _predicted(number: int, *, is_bracket: bool) -> e.PredictionReceived:
    return e.PredictionReceived(NOW_MS, _parsed(prediction(number, is_bracket=is_bracket)))


def _fill() -> e.ExecutionReported:
    """The event of the fill that the bench reports."""
    price = Decimal(str(PRICE + 0.02))
    return e.ExecutionReported(
        NOW_MS, Execution("0.0.0.01", ENTRY_REF, ENTRY_ID, CLIENT_ID, 1, TICKER, Action.BUY, SHARES, price, NOW_MS)
    )


def _enter(engine: Engine, broker: IbBroker, *, fills: bool) -> None:
    """Let the engine enter, and filled or not the broker hear the echoes of its orders."""
    model = ModelBroker(now_ms=NOW_MS, prices={TICKER: Decimal(str(PRICE))}, fills_market_orders=fills)
    model.take(engine.step(_predicted(-1, is_bracket=True)))
    while model.outbox:
        model.take(engine.step(replace(model.outbox.popleft(), at_ms=NOW_MS)))
    contract = Contract(conId=CON_ID, symbol=TICKER, secType="STK", currency="USD")
    for order_id, one in enumerate(engine.state.books[TICKER].orders.values(), ENTRY_ID):
        spec = one.spec
        order = Order(orderId=order_id, clientId=CLIENT_ID, permId=order_id, action=spec.action, orderRef=one.ref,
                      totalQuantity=one.shares, orderType=spec.kind, lmtPrice=float(one.limit_price or 0),
                      auxPrice=float(one.stop_price or 0), tif="DAY")  # fmt: skip
        broker.orders.on_open_order(order_id, contract, order, OrderState(status="Submitted"))


async def _serve(trigger_port: int, act: Callable[[bytes], None], prepare: Callable[[], None]) -> TriggerReader:
    loop = asyncio.get_running_loop()
    _, reader = await loop.create_connection(lambda: TriggerReader(act, prepare), "127.0.0.1", trigger_port)
    return reader


if __name__ == "__main__":
    kind, legs, api_port, trigger_port = sys.argv[1:]
    run = run_bare if kind == "bare" else partial(run_session, kind)
    asyncio.run(run(int(api_port), int(trigger_port), legs))
