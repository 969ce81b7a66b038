"""The indicators against TA-Lib, on recorded and on random bars.

TA-Lib leaves out the true range of the first bar, for want of a close before it; ours counts it as after any gap, as
high - low. TA-Lib therefore gets one bar more, whose close lies within the first one.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import talib
from numpy.typing import NDArray

from core.indicators import Atr, Ema, Indicator, Macd, Returns, Rsi, Sma, correlation_of
from core.market import Bar
from core.params import AtrKind
from tests.support.bars import STEP_MS, random_bars, recorded_bars

Series = NDArray[np.float64]
SOURCES = ["SPY", "AIG", "BAC", "IBM", "random 1", "random 2", "flat"]


@pytest.fixture(params=SOURCES)
def days(request: pytest.FixtureRequest) -> list[list[Bar]]:
    """One list of bars per day, none with a gap."""
    name: str = request.param
    if name == "flat":
        return [[Bar("SOXL", at * STEP_MS, 75, 75, 75, 75, 0, flat=True) for at in range(100)]]
    if name.startswith("random"):
        return [random_bars(int(name.split()[1]), 1000)]
    folder: Path = request.getfixturevalue("recorded_data")
    return [recorded_bars(folder, name, date) for date in ("20131007", "20131008")]


def streamed(indicator: Indicator, days: list[list[Bar]]) -> Series:
    values = []
    for day in days:
        for bar in day:
            indicator.update(bar)
            values.append(np.nan if indicator.value is None else indicator.value)
    return np.array(values)


def closes(days: list[list[Bar]]) -> Series:
    return np.array([bar.close for day in days for bar in day], dtype=float)


def true_ranges(days: list[list[Bar]]) -> Series:
    """TA-Lib's, day by day, so that none reaches across the night."""
    ranges = []
    for day in days:
        highs, lows, ends = (
            np.array([getattr(bar, name) for bar in [day[0], *day]], dtype=float) for name in ("high", "low", "close")
        )
        ranges.append(talib.TRANGE(highs, lows, ends)[1:])
    return np.concatenate(ranges)


def sma_atr(days: list[list[Bar]]) -> Series:
    return talib.SMA(true_ranges(days), 14)


def wilder_atr(days: list[list[Bar]]) -> Series:
    """TA-Lib's ATR of bars that span exactly these ranges and close at their low of 0."""
    ranges = np.concatenate([[0.0], true_ranges(days)])
    return talib.ATR(ranges, np.zeros_like(ranges), np.zeros_like(ranges), 14)[1:]


CASES: list[tuple[Callable[[], Indicator], Callable[[list[list[Bar]]], Series]]] = [
    (lambda: Sma(20), lambda days: talib.SMA(closes(days), 20)),
    (lambda: Sma(1), closes),
    (lambda: Ema(20), lambda days: talib.EMA(closes(days), 20)),
    (lambda: Rsi(), lambda days: talib.RSI(closes(days), 14)),
    (lambda: Rsi(2), lambda days: talib.RSI(closes(days), 2)),
    (lambda: Macd(), lambda days: talib.MACD(closes(days))[0]),
    (lambda: Macd(5, 13, 4), lambda days: talib.MACD(closes(days), 5, 13, 4)[0]),
    (lambda: Atr(), sma_atr),
    (lambda: Atr(kind=AtrKind.WILDER), wilder_atr),
]
NAMES = ["sma", "sma of one", "ema", "rsi", "rsi of two", "macd", "macd 5 13 4", "atr", "atr wilder"]


@pytest.mark.parametrize(("make", "expected"), CASES, ids=NAMES)
def test_equals_talib(
    days: list[list[Bar]], make: Callable[[], Indicator], expected: Callable[[list[list[Bar]]], Series]
) -> None:
    np.testing.assert_allclose(streamed(make(), days), expected(days), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("make", [case[0] for case in CASES], ids=NAMES)
def test_is_ready_after_its_warm_up(make: Callable[[], Indicator]) -> None:
    indicator = make()
    ready = []
    for bar in random_bars(3, 60):
        indicator.update(bar)
        ready.append(indicator.ready)
    assert ready.index(True) + 1 == indicator.warm_up_bars


def test_macd_signal_and_histogram_equal_talib(days: list[list[Bar]]) -> None:
    macd, signals, histograms = Macd(), [], []
    assert macd.histogram is None
    for day in days:
        for bar in day:
            macd.update(bar)
            if macd.signal is not None:
                signals.append(macd.signal)
                histograms.append(macd.histogram)
    _, signal, histogram = (series[macd.warm_up_bars - 1 :] for series in talib.MACD(closes(days)))
    np.testing.assert_allclose(signals, signal, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(histograms, histogram, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    ("gap_seconds", "true_range"),
    [(0, 6.0), (10, 6.0), (60, 6.0), (61, 1.0), (3600 * 17.5, 1.0)],
)
def test_a_gap_of_more_than_a_minute_does_not_widen_the_range(gap_seconds: float, true_range: float) -> None:
    atr = Atr(length=1)
    atr.update(Bar("SOXL", 0, 70, 70.5, 69.5, 70, 100))
    atr.update(Bar("SOXL", 10_000 + round(gap_seconds * 1000), 76, 76, 75, 75.5, 100))
    assert atr.value == true_range


def test_a_fall_counts_from_the_close_before() -> None:
    atr = Atr(length=1)
    atr.update(Bar("SOXL", 0, 70, 70.5, 69.5, 70, 100))
    atr.update(Bar("SOXL", 10_000, 66, 66.5, 65.5, 66, 100))
    assert atr.value == 4.5


def test_flat_bars_bring_the_range_to_exactly_zero() -> None:
    atr = Atr()
    for bar in random_bars(4, 25):
        atr.update(bar)
    for at in range(14):
        atr.update(Bar("SOXL", bar.end_ms + at * STEP_MS, *[bar.close] * 4, 0, flat=True))
    assert atr.value == 0.0


def test_case_37_a_bar_seen_twice_counts_once() -> None:
    once, twice = Atr(), Atr()
    bars = random_bars(5, 40)
    for bar in bars:
        once.update(bar)
    for bar in [*bars[:25], *bars[10:]]:
        twice.update(bar)
    assert twice == once
    assert once.newest_end_ms == bars[-1].end_ms


def returns_of(bars: list[Bar], length: int = 60) -> Returns:
    returns = Returns(length)
    for bar in bars:
        returns.update(bar)
    return returns


def test_correlation_equals_numpy() -> None:
    first, second = random_bars(6, 100), random_bars(7, 100)
    ours = correlation_of(returns_of(first), returns_of(second))
    ends = [np.array([bar.close for bar in bars[-61:]]) for bars in (first, second)]
    expected = np.corrcoef(*[np.diff(end) / end[:-1] for end in ends])[0, 1]
    assert ours == pytest.approx(expected, abs=1e-9)


def test_correlation_of_a_ticker_with_itself_is_one() -> None:
    returns = returns_of(random_bars(8, 61))
    assert returns.complete
    assert returns.warm_up_bars == 2
    assert correlation_of(returns, returns) == pytest.approx(1)


def test_correlation_is_unknown_before_enough_bars() -> None:
    assert not returns_of(random_bars(8, 60)).complete
    assert correlation_of(returns_of(random_bars(8, 60)), returns_of(random_bars(9, 60))) is None


def test_correlation_with_a_ticker_that_does_not_move_is_unknown() -> None:
    still = [Bar("GLD", bar.start_ms, 120, 120, 120, 120, 0, flat=True) for bar in random_bars(10, 61)]
    assert correlation_of(returns_of(random_bars(10, 61)), returns_of(still)) is None


def test_a_return_does_not_reach_across_a_gap() -> None:
    first, _, third = random_bars(11, 3)
    returns = returns_of([first, third])
    assert returns.by_start_ms == {}
    assert returns.value is None
