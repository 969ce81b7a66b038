"""The law of bars: over all outages and deaths none is missing, compared with the gateway's own record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from broker.errors import RequestRefused, RequestTimedOut
from config import Settings
from core.codec import decode
from core.events import BarClosed, HistoryLoaded
from core.market import Bar
from runtime.observer import observing
from tests.chaos.sql import Rows

BAR_MS = 10_000
HISTORY_SECONDS = 3_600
TOLERANCE = 1e-9

Bars = dict[str, dict[int, Bar]]


def bars_of_engine(rows: Rows) -> tuple[Bars, list[str]]:
    """Every bar that the engine was told of, by ticker and start, the complete one where there were several.

    And what is wrong already: two complete bars of one interval that differ.
    """
    found: Bars = {}
    wrong = []
    heard = "SELECT event FROM journal WHERE name IN ('BarClosed', 'HistoryLoaded') ORDER BY session, sequence"
    for (text,) in rows.query(heard):
        event = decode(text)
        assert isinstance(event, BarClosed | HistoryLoaded)
        for bar in event.bars if isinstance(event, HistoryLoaded) else (event.bar,):
            known = found.setdefault(bar.ticker, {}).get(bar.start_ms)
            if known is not None and known.complete and bar.complete and _differ(known, bar):
                wrong.append(f"{bar.ticker}: two bars of {bar.start_ms}: {known} and {bar}")
            if known is None or bar.complete:
                found[bar.ticker][bar.start_ms] = bar
    return found, wrong


async def bars_of_gateway(settings: Settings, ticker_ends: dict[str, int]) -> Bars:
    """The gateway's own record of the last hour before each end; a ticker that it refuses is left out."""
    found: Bars = {}
    async with observing(settings, settings.ib_observer_client_ids[-1]) as broker:
        await broker.connect()
        await broker.read_instruments(ticker_ends)
        for ticker, end_ms in ticker_ends.items():
            try:
                bars = await broker.read_history(ticker, end_ms, HISTORY_SECONDS)
            except (RequestRefused, RequestTimedOut):
                continue
            found[ticker] = {bar.start_ms: bar for bar in bars}
    return found


def compare(
    ours: Bars, gateways: Bars, first_ms: int, excused: Mapping[str, Sequence[tuple[int, int]]]
) -> Iterator[str]:
    """Nothing is missing from `first_ms` to the last bar that the engine had, and every complete bar is right.

    `excused`: from when to when, by ticker, a gap may end that stays.
    """
    for ticker, bars in ours.items():
        last = max(bars)
        missing = [start for start in range(first_ms, last, BAR_MS) if start not in bars]
        ends = {start: next(end for end in range(start, last + BAR_MS, BAR_MS) if end in bars) for start in missing}
        missing = [
            start for start in missing if not any(begin <= ends[start] <= end for begin, end in excused.get(ticker, ()))
        ]
        if missing:
            yield f"{ticker}: {len(missing)} bars are missing, from {missing[0]} to {missing[-1]}"
        for start, bar in gateways.get(ticker, {}).items():
            if start in bars and bars[start].complete and _differ(bars[start], bar):
                yield f"{ticker}: the bar of {start} was {bars[start]}, the gateway has {bar}"


def _differ(one: Bar, other: Bar) -> bool:
    prices = zip(
        (one.open, one.high, one.low, one.close), (other.open, other.high, other.low, other.close), strict=True
    )
    return one.volume != other.volume or any(abs(mine - yours) > TOLERANCE for mine, yours in prices)
