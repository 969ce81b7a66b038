"""Bars on the wire: historicalData (17), historicalDataUpdate (90), realTimeBar (50), historicalSchedule (106)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from simulator.model import CENT, UNITS_PER_DOLLAR, Bar, dollars
from simulator.wire import fields, versions
from simulator.wire.framing import payload_of
from simulator.wire.times import ZONE_NAME, day_text, eastern, moment_text

DAY_SECONDS = 86_400


@lru_cache(maxsize=1 << 16)
def price_text(price: int) -> str:
    """A price in 1/10,000 dollar as text with two decimals or what it needs; the same few thousand recur all day."""
    return f"{price / UNITS_PER_DOLLAR:.2f}" if price % CENT == 0 else fields.price(dollars(price))


@lru_cache(maxsize=1 << 16)
def price_bytes(price: int) -> bytes:
    """The same as bytes."""
    return price_text(price).encode()


def volume(shares: int, version: int) -> int:
    """Shares from version 175 on, lots of 100 before."""
    return shares if version >= versions.HISTORY_IN_SHARES else shares // 100


def bar_date(bar: Bar, bar_seconds: int, format_date: int, version: int) -> str:
    """`YYYYMMDD` for a day and more in both formats; else epoch seconds (2) or wall time (1)."""
    if bar_seconds >= DAY_SECONDS:
        return day_text(bar.start_ms)
    return str(bar.start_ms // 1000) if format_date == 2 else moment_text(bar.start_ms, version)


def historical_data(
    version: int, request_id: int, bars: Sequence[Bar], bar_seconds: int, format_date: int, start: str, end: str
) -> bytes:
    """17: no version field; date, open, high, low, close, volume, wap, count for each bar."""
    body = ["17", str(request_id), start, end, str(len(bars))]
    for bar in bars:
        body += [bar_date(bar, bar_seconds, format_date, version), price_text(bar.open), price_text(bar.high)]
        body += [price_text(bar.low), price_text(bar.close), str(volume(bar.volume, version)), price_text(bar.wap)]
        body.append(str(bar.trade_count))
    return payload_of(body)


def historical_data_update(version: int, request_id: int, bar: Bar, bar_seconds: int, format_date: int) -> bytes:
    """90: count, date, open, close, high, low, wap, volume: not the order of 17."""
    body = ["90", str(request_id), str(bar.trade_count), bar_date(bar, bar_seconds, format_date, version)]
    body += [price_text(bar.open), price_text(bar.close), price_text(bar.high), price_text(bar.low)]
    return payload_of([*body, price_text(bar.wap), str(volume(bar.volume, version))])


def real_time_bar_tail(version: int, bar: Bar) -> bytes:
    """What follows the request id of a real-time bar: the same for every subscriber of a version."""
    return b"%d\x00%s\x00%s\x00%s\x00%s\x00%d\x00%s\x00%d\x00" % (
        bar.start_ms // 1000,
        price_bytes(bar.open),
        price_bytes(bar.high),
        price_bytes(bar.low),
        price_bytes(bar.close),
        volume(bar.volume, version),
        price_bytes(bar.wap),
        bar.trade_count,
    )


def real_time_bar(version: int, request_id: int, bar: Bar) -> bytes:
    """50: the time is the start of the five seconds."""
    return b"50\x003\x00%d\x00" % request_id + real_time_bar_tail(version, bar)


def historical_schedule(request_id: int, sessions: Sequence[tuple[str, int, int]]) -> bytes:
    """106: (day, start, end) of each session, `YYYYMMDD-HH:MM:SS` in the zone of the instrument."""
    starts = [f"{eastern(start):%Y%m%d-%H:%M:%S}" for _, start, _ in sessions]
    ends = [f"{eastern(end):%Y%m%d-%H:%M:%S}" for _, _, end in sessions]
    first, last = (starts[0], ends[-1]) if sessions else ("", "")
    body = ["106", str(request_id), first, last, ZONE_NAME, str(len(sessions))]
    for (day, _, _), start, end in zip(sessions, starts, ends, strict=True):
        body += [start, end, day]
    return payload_of(body)
