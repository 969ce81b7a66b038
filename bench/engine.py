"""How fast the engine is: bars through `step` beside a plain loop of the same strategy, and the time of one decision.

Run from the project's folder: `python -m bench.engine [--profile]`. Ratios are comparable between machines,
times are not; each is the best of several rounds, taken in turns, so that a busy machine spoils none alone.

The plain loop does what the engine's hot path must do, and no more: one function, local variables, floats. Both hold a
position in every ticker, so that the day's P&L is watched on every bar; both judge a prediction per ticker and minute,
all of which are refused on the same ground (the same side, too weak), with one record each.
"""

from __future__ import annotations

import argparse
import cProfile
import math
import pstats
import sys
from collections import deque
from collections.abc import Callable, Iterator
from decimal import Decimal
from random import Random
from time import thread_time

from core import commands as c
from core.codec import encode
from core.engine import Engine
from core.events import (
    BarClosed,
    BrokerRead,
    Event,
    HistoryLoaded,
    InstrumentRead,
    LinkChanged,
    PredictionReceived,
    QuoteChanged,
)
from core.market import Bar, Instrument, Prediction, Quote
from core.params import Params, RiskLimits, TickerParams
from core.session_plan import plan_session
from core.vocabulary import Link
from runtime.garbage import collect_due, collected_between_events
from tests.support.model_broker import ModelBroker

OPEN_MS = 1_699_972_200_000
PLAN = plan_session("DU1", "2023-11-14", 1, OPEN_MS, OPEN_MS + 23_400_000)
TICKERS = ("CVNA", "UVXY", "SOXL", "SOXS", "TQQQ", "SQQQ", "GLD", "SLV")
ROUNDS = 5
BARS_A_DAY = 2_300
BARS_A_PREDICTION = 6
LENGTH = 14
ENTRIES = 2_000
BARS_BESIDE = 80
LOSS = -1_000_000.0

Row = tuple[str, int, float, float, float, float, int]


def rows(tickers: tuple[str, ...]) -> list[Row]:
    """A seeded day of 10-second bars."""
    random, price = Random(7), dict.fromkeys(tickers, 75.0)
    day = []
    for number in range(BARS_A_DAY):
        for ticker in tickers:
            opened = price[ticker]
            closed = round(opened + random.uniform(-0.02, 0.02) + (75.0 - opened) * 0.01, 2)
            price[ticker] = closed
            top, bottom = max(opened, closed) + 0.01, min(opened, closed) - 0.01
            day.append((ticker, OPEN_MS + number * 10_000, opened, top, bottom, closed, 100))
    return day


def bar_of(row: Row) -> BarClosed:
    """The event of a row."""
    ticker, start_ms, opened, top, bottom, closed, volume = row
    return BarClosed(start_ms + 10_000, Bar(ticker, start_ms, opened, top, bottom, closed, volume))


def prediction_of(row: Row) -> PredictionReceived:
    """A prediction just after a row's bar."""
    at_ms = row[1] + 10_001
    return PredictionReceived(at_ms, Prediction(row[0], "BUY", 0.52, row[5], at_ms, row[0]))


def with_predictions(day: list[Row], tickers: int) -> Iterator[tuple[Row, bool]]:
    """Each row, and whether a prediction follows it."""
    for index, row in enumerate(day):
        yield row, index // tickers % BARS_A_PREDICTION == 0


def ready(tickers: tuple[str, ...]) -> Engine:
    """An engine that is connected, warm, flat, and has a quote of every ticker."""
    limits: dict[str, Decimal | None] = dict.fromkeys(RiskLimits.__dataclass_fields__)
    limits |= dict.fromkeys(("max_daily_loss", "max_gross_exposure", "max_portfolio_heat"), Decimal(10_000_000))
    params = Params(tickers=tuple(TickerParams(ticker) for ticker in tickers), risk=RiskLimits(**limits))  # type: ignore[arg-type]  # all of these are dollars
    engine = Engine(params, PLAN)
    engine.step(LinkChanged(OPEN_MS, Link.CONNECTED, "bench"))
    engine.step(BrokerRead(OPEN_MS, (), (), ()))
    for ticker in tickers:
        history = (Bar(ticker, OPEN_MS - at_ms, 75.0, 75.02, 74.98, 75.0, 9) for at_ms in range(200_000, 0, -10_000))
        engine.step(InstrumentRead(OPEN_MS, Instrument(ticker, 1)))
        engine.step(HistoryLoaded(OPEN_MS, ticker, tuple(history)))
        engine.step(QuoteChanged(OPEN_MS, Quote(ticker, 75.0, 75.0, 75.0)))
    return engine


def entry_of(ticker: str) -> PredictionReceived:
    """A prediction that every rule accepts."""
    return PredictionReceived(OPEN_MS, Prediction(ticker, "BUY", 0.9, 75.0, OPEN_MS, ticker))


def holding(tickers: tuple[str, ...]) -> Engine:
    """An engine with a long position in every ticker."""
    engine, broker = ready(tickers), ModelBroker(prices=dict.fromkeys(tickers, Decimal(75)))
    for ticker in tickers:
        broker.take(engine.step(entry_of(ticker)))
        while broker.outbox:
            broker.take(engine.step(broker.outbox.popleft()))
    assert len(engine.positions()) == len(tickers), "the bench must hold every ticker"
    return engine


def plain_loop(day: list[Row], tickers: tuple[str, ...], *, predictions: bool) -> int:
    """The strategy as one would write it in an afternoon; returns how many records it made."""
    ranges = {ticker: deque([0.04] * LENGTH, LENGTH) for ticker in tickers}
    total = dict.fromkeys(tickers, 0.04 * LENGTH)
    close_before, end_before = dict.fromkeys(tickers, 75.0), dict.fromkeys(tickers, OPEN_MS)
    marks, shares, cash = dict.fromkeys(tickers, 75.0), dict.fromkeys(tickers, 133), -75.0 * 133 * len(tickers)
    atr, records = {}, []
    for index, (ticker, start_ms, _, top, bottom, closed, _) in enumerate(day):
        true_range = top - bottom
        if start_ms - end_before[ticker] <= 60_000:
            before = close_before[ticker]
            true_range = max(true_range, abs(top - before), abs(bottom - before))
        window = ranges[ticker]
        total[ticker] += true_range - window[0]
        window.append(true_range)
        atr[ticker] = total[ticker] / LENGTH
        close_before[ticker], end_before[ticker] = closed, start_ms + 10_000
        marks[ticker] = closed
        pnl = cash
        for name, held in shares.items():
            pnl += held * marks[name]
        if pnl <= LOSS:
            return -1
        if predictions and index // len(tickers) % BARS_A_PREDICTION == 0:
            records.append(judge(ticker, start_ms, closed, atr[ticker], shares, marks, pnl))
    return len(records)


def judge(
    ticker: str, at_ms: int, price: float, atr: float, shares: dict[str, int], marks: dict[str, float], pnl: float
) -> dict[str, object]:
    """The same checks as the engine's for a signal on the held side, as plain comparisons; one record."""
    confidence = 0.52
    count = math.floor(5_000 / price)
    gross = sum(abs(held) * marks[name] for name, held in shares.items()) + count * price
    heat = sum(held * 6 * 0.04 for held in shares.values()) + count * 6 * atr
    refusal = ""
    if not 0 <= confidence <= 1 or confidence < 0.5:
        refusal = "below_threshold"
    elif pnl <= LOSS:
        refusal = "max_daily_loss"
    elif gross > 10_000_000:
        refusal = "max_gross_exposure"
    elif heat > 10_000_000:
        refusal = "max_portfolio_heat"
    elif shares[ticker] and confidence < 0.55:
        refusal = "same_side_weak"
    return {
        "at_ms": at_ms,
        "ticker": ticker,
        "refusal": refusal,
        "price": price,
        "shares": count,
        "atr": atr,
        "pnl": pnl,
    }


def engine_loop(engine: Engine, events: list[Event]) -> int:
    """Prebuilt events through `step`; returns how many records came out."""
    step = engine.step
    return sum(isinstance(command, c.RecordDecision) for event in events for command in step(event))


def building_loop(engine: Engine, day: list[Row]) -> None:
    """Rows through `step`, the events built on the way."""
    step = engine.step
    for row in day:
        step(bar_of(row))


def timed(call: Callable[..., object], *arguments: object, **options: object) -> float:
    """CPU seconds of one call: what else the machine does meanwhile does not count."""
    began = thread_time()
    call(*arguments, **options)
    return thread_time() - began


def throughput() -> list[str]:
    """Bars per second, and the ratios that matter."""
    day = rows(TICKERS)
    bars: list[Event] = [bar_of(row) for row in day]
    both: list[Event] = []
    for row, predicted in with_predictions(day, len(TICKERS)):
        both += [bar_of(row), prediction_of(row)] if predicted else [bar_of(row)]
    times: dict[str, list[float]] = {"plain": [], "engine": [], "building": [], "plain+": [], "engine+": []}
    for _ in range(ROUNDS):
        times["plain"].append(timed(plain_loop, day, TICKERS, predictions=False))
        times["engine"].append(timed(engine_loop, holding(TICKERS), bars))
        times["building"].append(timed(building_loop, holding(TICKERS), day))
        times["plain+"].append(timed(plain_loop, day, TICKERS, predictions=True))
        times["engine+"].append(timed(engine_loop, holding(TICKERS), both))
    best = {name: min(taken) for name, taken in times.items()}

    def line(name: str, ours: str, plain: str) -> str:
        return (
            f"{name:42} {len(day) / best[ours]:10,.0f} bars/s   plain loop {len(day) / best[plain]:10,.0f}   "
            f"ratio {best[plain] / best[ours]:5.2f}\n"
        )

    return [
        line("bars, events prebuilt, P&L watched", "engine", "plain"),
        line("bars, events built too, P&L watched", "building", "plain"),
        line("bars with a prediction a minute, prebuilt", "engine+", "plain+"),
    ]


def decisions() -> list[str]:
    """How long one decision takes: prediction in, commands out, garbage collected between them as in a session.

    Beside each entry some bars of the plain loop are timed, always the same ones: their spread is the machine's.
    """
    engine = holding(TICKERS)
    engines = [ready(TICKERS) for _ in range(ENTRIES // len(TICKERS))]
    weak = [Prediction("SOXL", "BUY", 0.52, 75.0, OPEN_MS + number, "SOXL") for number in range(2_000)]
    few = rows(TICKERS)[:BARS_BESIDE]
    refusals, entries, plain = [], [], []
    with collected_between_events():
        for one in weak:
            refusals.append(timed(engine.step, PredictionReceived(one.timestamp_ms, one)))
            collect_due()
        for flat in engines:
            for ticker in TICKERS:
                flat.step(QuoteChanged(OPEN_MS, Quote(ticker, 75.0, 75.0, 75.0)))  # as in every second of a session
                entries.append(timed(flat.step, entry_of(ticker)))
                plain.append(timed(plain_loop, few, TICKERS, predictions=False))
                collect_due()
    bars = percentile(entries, 99) / percentile(plain, 50) * BARS_BESIDE
    return [
        percentiles("one decision (refusal: same side, too weak)", refusals),
        percentiles("one decision (entry, with its bracket)", entries),
        percentiles(f"{BARS_BESIDE} bars of the plain loop beside each entry", plain),
        f"an entry's p99 lasts as long as {bars:.0f} bars of the plain loop (200 us at 870,000 bars/s are 174)\n",
    ]


def percentiles(name: str, seconds: list[float]) -> str:
    """One line: the least, the median, the 99th of 100."""
    least, p50, p99 = (percentile(seconds, percent) * 1e6 for percent in (0, 50, 99))
    return f"{name:46} least {least:4.0f} us   p50 {p50:4.0f} us   p99 {p99:4.0f} us   of {len(seconds):,}\n"


def percentile(values: list[float], percent: int) -> float:
    """The value that so many percent do not exceed."""
    return sorted(values)[len(values) * percent // 100]


def memory() -> str:
    """What the state weighs after a tenth of a day of 100 tickers, and after all of it."""
    tickers = tuple(f"T{number}" for number in range(100))
    engine, day = holding(tickers), rows(tickers)
    sizes = []
    for index, row in enumerate(day, start=1):
        engine.step(bar_of(row))
        if index in (len(day) // 10, len(day)):
            sizes.append(len(encode(engine.state)))
    return f"state of 100 tickers: {sizes[0]:,} bytes after a tenth of the day, {sizes[1]:,} at its end\n"


def profile() -> None:
    """Where the time of a day with a prediction a minute goes."""
    events: list[Event] = []
    for row, predicted in with_predictions(rows(TICKERS), len(TICKERS)):
        events += [bar_of(row), prediction_of(row)] if predicted else [bar_of(row)]
    engine, profiler = holding(TICKERS), cProfile.Profile()
    profiler.runcall(engine_loop, engine, events)
    pstats.Stats(profiler).sort_stats("tottime").print_stats(20)


def main() -> None:
    """Print the table; with `--profile`, where the time goes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--profile", action="store_true", help="print a profile as well")
    options = parser.parse_args()
    sys.stdout.writelines([*throughput(), *decisions(), memory()])
    if options.profile:
        profile()


if __name__ == "__main__":
    main()
