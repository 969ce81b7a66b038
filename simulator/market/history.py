"""History requests: bars of any IB size over any span, cut from the same tapes as the live bars."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from itertools import groupby

from simulator.clock import eastern
from simulator.market.bars import day_bars
from simulator.market.calendar import EXTENDED_CLOSE
from simulator.market.source import Market
from simulator.market.tape import FIRST_SECOND, DayTape
from simulator.model import Bar, Instrument

DAY_SECONDS = 86_400
WEEK_SECONDS = 7 * DAY_SECONDS
MONTH_SECONDS = 30 * DAY_SECONDS


class History:
    """Bars up to a moment, never beyond it."""

    def __init__(self, market: Market) -> None:
        self._market = market

    def over_seconds(
        self, instrument: Instrument, start_ms: int, end_ms: int, bar_seconds: int, what_to_show: str, use_rth: bool
    ) -> list[Bar]:
        """Bars that start in [start, end), by wall time; the one that runs at `end_ms` is last and incomplete."""
        bars: list[Bar] = []
        for day in self._days(end_ms):
            tape = self._market.tape(instrument, day)
            if tape is None:
                continue
            if tape.session.at_ms(EXTENDED_CLOSE) <= start_ms:
                break
            bars[:0] = _bars(tape, start_ms, end_ms, bar_seconds, what_to_show, use_rth)
        return _grouped(bars, bar_seconds)

    def over_days(
        self, instrument: Instrument, days: int, end_ms: int, bar_seconds: int, what_to_show: str, use_rth: bool
    ) -> list[Bar]:
        """The bars of the last `days` trading days that have begun before `end_ms`."""
        bars: list[Bar] = []
        counted = 0
        for day in self._days(end_ms):
            tape = self._market.tape(instrument, day)
            found = _bars(tape, 0, end_ms, bar_seconds, what_to_show, use_rth) if tape is not None else []
            bars[:0] = found
            counted += bool(found)
            if counted == days:
                break
        return _grouped(bars, bar_seconds)

    def _days(self, end_ms: int) -> Iterator[date]:
        """The day of `end_ms` and the market's days before it, latest first."""
        day: date | None = eastern(end_ms).date()
        while day is not None:
            yield day
            day = next(iter(self._market.days_before(day, 1)), None)


def _bars(tape: DayTape, start_ms: int, end_ms: int, bar_seconds: int, what_to_show: str, use_rth: bool) -> list[Bar]:
    hours = tape.session
    first, end = (hours.regular_open, hours.regular_close) if use_rth else (hours.extended_open, hours.extended_close)
    size = min(bar_seconds, DAY_SECONDS)
    base_ms = tape.row_ms(0)
    asked = -((base_ms - start_ms) // 1000) + FIRST_SECOND if start_ms > base_ms else 0
    if asked > first:
        first = -(-asked // size) * size  # whole bars only
    end = min(end, (end_ms - base_ms) // 1000 + FIRST_SECOND)
    return day_bars(tape, what_to_show, size, first, end) if first < end else []


def _grouped(bars: list[Bar], bar_seconds: int) -> list[Bar]:
    """Daily bars merged into weeks or months when the size asks for them."""
    if bar_seconds <= DAY_SECONDS:
        return bars
    period: Callable[[Bar], object] = _month if bar_seconds >= MONTH_SECONDS else _week
    return [_merged(list(group)) for _, group in groupby(bars, period)]


def _week(bar: Bar) -> tuple[int, int]:
    return eastern(bar.start_ms).isocalendar()[:2]


def _month(bar: Bar) -> tuple[int, int]:
    day = eastern(bar.start_ms)
    return day.year, day.month


def _merged(bars: list[Bar]) -> Bar:
    volume = sum(bar.volume for bar in bars)
    traded = volume > 0
    return Bar(
        start_ms=bars[0].start_ms,
        end_ms=bars[-1].end_ms,
        open=bars[0].open,
        high=max(bar.high for bar in bars),
        low=min(bar.low for bar in bars),
        close=bars[-1].close,
        volume=volume if bars[0].volume >= 0 else -1,
        wap=sum(bar.wap * bar.volume for bar in bars) // volume if traded else bars[-1].wap,
        trade_count=sum(bar.trade_count for bar in bars) if traded else bars[-1].trade_count,
    )
