"""Five-second bars to ten-second bars, and the flat bars of intervals without a trade (SEMANTICS 3)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from core.market import Bar

HALF_MS: Final = 5_000
BAR_MS: Final = 10_000
_EASTERN: Final = ZoneInfo("America/New_York")


MOST_VOLUME: Final = 2**31 - 1
"""No bar has as many shares: this and beyond are IB's ways of saying "unset"."""


@dataclass(frozen=True, slots=True)
class HalfBar:
    """One 5-second bar as the broker sent it; `start_ms` is UTC epoch ms, volume in shares, 0 without a trade."""

    start_ms: int
    open: float
    high: float
    low: float
    close: float
    volume: int


def whole_volume(volume: float) -> int:
    """Shares of a bar as the broker sent it: a part of one is a trade; -1, NaN and what is unset are none."""
    return math.ceil(volume) if 0 < volume < MOST_VOLUME else 0


class BarBuilder:
    """Joins the halves :00 and :05 of one ticker; misaligned and repeated ones are dropped and counted."""

    def __init__(self, ticker: str) -> None:
        self._ticker = ticker
        self._first: HalfBar | None = None
        self._newest_ms = -1
        self.dropped = 0

    def add(self, half: HalfBar) -> tuple[Bar, ...]:
        """The bars that this half completes, oldest first. A bar whose other half never came is marked incomplete."""
        if half.start_ms % HALF_MS or half.start_ms <= self._newest_ms:
            self.dropped += 1
            return ()
        self._newest_ms = half.start_ms
        first, self._first = self._first, None
        if half.start_ms % BAR_MS:
            if first is not None and first.start_ms + HALF_MS == half.start_ms:
                return (join(self._ticker, first, half),)
            return (*self._alone(first), *self._alone(half))
        self._first = half
        return self._alone(first)

    def forget_half(self) -> None:
        """The stream was cut: what is half done comes whole from history."""
        self._first = None

    def _alone(self, half: HalfBar | None) -> tuple[Bar, ...]:
        if half is None:
            return ()
        return (replace(join(self._ticker, half, half), volume=half.volume, complete=False),)


def join(ticker: str, first: HalfBar, second: HalfBar) -> Bar:
    """The bar of two halves. A half without a trade repeats old prices, which are no prices of this bar."""
    traded = [half for half in (first, second) if half.volume > 0] or [first]
    return Bar(
        ticker=ticker,
        start_ms=first.start_ms - first.start_ms % BAR_MS,
        open=traded[0].open,
        high=max(half.high for half in traded),
        low=min(half.low for half in traded),
        close=traded[-1].close,
        volume=first.volume + second.volume,
        flat=first.volume + second.volume == 0,
    )


def fill_flat(bars: Iterable[Bar], until_ms: int | None) -> tuple[Bar, ...]:
    """Add the bars of intervals without a trade, within each trading day and after the last bar up to `until_ms`."""
    filled: list[Bar] = []
    for bar in bars:
        if filled and filled[-1].end_ms < bar.start_ms and _same_day(filled[-1].start_ms, bar.start_ms):
            filled.extend(_flat_between(filled[-1], bar.start_ms))
        filled.append(bar)
    if filled and until_ms is not None:
        filled.extend(_flat_between(filled[-1], until_ms - until_ms % BAR_MS))
    return tuple(filled)


def _flat_between(before: Bar, end_ms: int) -> Sequence[Bar]:
    price = before.close
    return [
        Bar(before.ticker, start_ms, price, price, price, price, 0, flat=True)
        for start_ms in range(before.end_ms, end_ms, BAR_MS)
    ]


def _same_day(first_ms: int, second_ms: int) -> bool:
    first, second = (datetime.fromtimestamp(at_ms / 1000, _EASTERN) for at_ms in (first_ms, second_ms))
    return first.date() == second.date()
