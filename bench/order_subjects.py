"""The two programs that bench/order_latency times: a bare ib_async script, and a session with everything switched on.

Each is a process of its own: connected to the bench's gateway, it reads triggers (one answer of the prediction API a
line), answers each with orders, makes itself ready again and says so with a line.
"""

from __future__ import annotations

import asyncio
import copy
import gc
import json
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from ib_async import IB, LimitOrder, MarketOrder, Order, StartupFetchNONE, Stock, StopOrder

from broker.gateway import IbBroker
from core import events as e
from core.commands import Commands, PlaceBracket
from core.engine import Engine
from core.market import Bar, Instrument, Prediction, Quote
from core.params import Params, TickerParams
from core.records import Alert
from core.session_plan import plan_session
from core.vocabulary import Link
from db.journal import Journal
from predictions.parse import parse_answer
from runtime.session import Session
from runtime.timers import Timers

ACCOUNT, TICKER, CON_ID, CLIENT_ID = "DU1234567", "SOXL", 72539725, 7
OPEN_MS = 1_741_786_200_000  # 2025-03-12 9:30 Eastern
CLOSE_MS = OPEN_MS + 6 * 3_600_000 + 1_800_000
NOW_MS = OPEN_MS + 1_800_000
PRICE = 27.95
SPARE_ENGINES = 200
"""Made at a time, so that the work between two triggers is small: a busy machine lets who worked much wait."""


class TriggerReader(asyncio.Protocol):
    """Calls `act` with each line the moment it is whole, then `prepare`, then says that it is ready."""

    def __init__(self, act: Callable[[bytes], None], prepare: Callable[[], None]) -> None:
        self._act, self._prepare = act, prepare
        self._held = b""
        self.closed = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Say that the first trigger may come."""
        self._transport = transport
        self._get_ready()

    def data_received(self, data: bytes) -> None:
        """Act on a whole line, prepare when the loop is free again."""
        self._held += data
        line, end, rest = self._held.partition(b"\n")
        if end:
            self._held = rest
            self._act(line)
            asyncio.get_running_loop().call_soon(self._get_ready)

    def connection_lost(self, exc: Exception | None) -> None:
        """The bench has ended."""
        self.closed.set_result(None)

    def _get_ready(self) -> None:
        self._prepare()
        self._transport.write(b"ready\n")


async def run_bare(api_port: int, trigger_port: int, is_bracket: bool) -> None:
    """What a script does that calls `IB.placeOrder` for each leg."""
    ib = IB()
    ib.client.MaxRequests = 0  # its own throttle would stop it after eleven brackets
    await ib.connectAsync("127.0.0.1", api_port, CLIENT_ID, account=ACCOUNT, fetchFields=StartupFetchNONE)
    contract = Stock(TICKER, "SMART", "USD", conId=CON_ID)
    shared = {"tif": "DAY", "account": ACCOUNT}

    def act(line: bytes) -> None:
        price = json.loads(line)["data"]["prediction"]["stock_price"]
        shares = int(10_000 / price)
        entry = MarketOrder("BUY", shares, orderId=ib.client.getReqId(), transmit=not is_bracket, **shared)
        legs: list[Order] = [entry]
        if is_bracket:
            child = {"parentId": entry.orderId, **shared}
            legs += [
                StopOrder(
                    "SELL", shares, round(price * 0.99, 2), orderId=ib.client.getReqId(), transmit=False, **child
                ),
                LimitOrder(
                    "SELL", shares, round(price * 1.01, 2), orderId=ib.client.getReqId(), transmit=False, **child
                ),
                MarketOrder("SELL", shares, orderId=ib.client.getReqId(), goodAfterTime="20250312-19:33:00", **child),
            ]
        for leg in legs:
            ib.placeOrder(contract, leg)

    gc.freeze()
    await _serve(trigger_port, act, lambda: None)
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


class EntriesOnly:
    """A broker that sends the entries of brackets only: what a single order costs."""

    def __init__(self, broker: IbBroker) -> None:
        self._broker = broker

    def send(self, commands: Commands) -> None:
        """Drop the children of brackets."""
        bare = tuple(replace(one, children=()) if isinstance(one, PlaceBracket) else one for one in commands)
        self._broker.send(bare)


async def run_session(api_port: int, trigger_port: int, is_bracket: bool) -> None:
    """Engine, risk, journal and broker as in a session, standing ready to enter."""
    pacing_clock = FixedClock()
    failures: list[BaseException] = []
    with tempfile.TemporaryDirectory() as folder:
        journal = Journal.open(Path(folder), "bench")
        broker = IbBroker("127.0.0.1", api_port, CLIENT_ID, ACCOUNT, lambda event: None, pacing_clock, lambda: None,
                          failures.append, deterministic=True)  # fmt: skip
        await broker.connect()
        (instrument,) = await broker.read_instruments((TICKER,))
        ready = _ready_engine(instrument)
        session = Session(
            engine=copy.deepcopy(ready),
            journal=journal,
            timers=Timers(),
            clock=FixedClock(),
            alerts=NoAlerts(),
            request_read=lambda reason: None,
        )
        session.broker = broker if is_bracket else EntriesOnly(broker)  # type: ignore[assignment]  # it sends, no more is used

        def act(line: bytes) -> None:
            found = parse_answer(TICKER, line)
            if not isinstance(found, Prediction):
                raise AssertionError(found.problem)
            session.take([e.PredictionReceived(NOW_MS, found)])

        spare: list[Engine] = []

        def prepare() -> None:
            pacing_clock.at_ms += 1_000  # the 50 messages of a second are not what is timed
            if not spare:
                spare.extend(copy.deepcopy(ready) for _ in range(SPARE_ENGINES))
            session.engine = spare.pop()

        gc.freeze()
        await _serve(trigger_port, act, prepare)
        await broker.close()
        journal.close()
    if failures:
        raise failures[0]


def _ready_engine(instrument: Instrument) -> Engine:
    """An engine in the middle of a session: connected, read back, warm, flat, with a fresh quote."""
    engine = Engine(Params(tickers=(TickerParams(TICKER),)), plan_session(ACCOUNT, "2025-03-12", 7, OPEN_MS, CLOSE_MS))
    start_ms = NOW_MS - 20 * 10_000
    bars = tuple(
        Bar(TICKER, start_ms + number * 10_000, PRICE, PRICE + 0.03, PRICE - 0.03, PRICE, 1_000) for number in range(20)
    )
    for event in (
        e.InstrumentRead(NOW_MS, instrument),
        e.LinkChanged(NOW_MS, Link.CONNECTED, "bench"),
        e.BrokerRead(NOW_MS, (), (), ()),
        e.AccountRead(NOW_MS, Decimal(1_000_000), Decimal(1_000_000), -1),
        e.HistoryLoaded(NOW_MS, TICKER, bars),
        e.QuoteChanged(NOW_MS, Quote(TICKER, PRICE, PRICE + 0.01, PRICE)),
    ):
        engine.step(event)
    return engine


async def _serve(trigger_port: int, act: Callable[[bytes], None], prepare: Callable[[], None]) -> None:
    loop = asyncio.get_running_loop()
    _, reader = await loop.create_connection(lambda: TriggerReader(act, prepare), "127.0.0.1", trigger_port)
    await reader.closed


if __name__ == "__main__":
    kind, legs, api_port, trigger_port = sys.argv[1:]
    run = {"bare": run_bare, "session": run_session}[kind]
    asyncio.run(run(int(api_port), int(trigger_port), legs == "bracket"))
