"""Streaming equals batch, wherever the stream is cut and whatever is seen twice."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.codec import decode, encode
from core.indicators import AnyIndicator, Atr, Ema, Macd, Resampler, Returns, Rsi, Sma
from core.indicators.means import RollingMean
from core.market import Bar
from core.params import AtrKind
from tests.support.bars import STEP_MS, walks

MAKERS: list[Callable[[], AnyIndicator]] = [
    Atr,
    lambda: Atr(kind=AtrKind.WILDER),
    lambda: Sma(5),
    lambda: Ema(5),
    lambda: Rsi(3),
    lambda: Macd(3, 6, 2),
    lambda: Returns(9),
]
NAMES = ["atr", "atr wilder", "sma", "ema", "rsi", "macd", "returns"]


def fed(indicator: AnyIndicator, bars: list[Bar]) -> AnyIndicator:
    for bar in bars:
        indicator.update(bar)
    return indicator


@pytest.mark.parametrize("make", MAKERS, ids=NAMES)
@given(bars=walks(), cuts=st.tuples(st.integers(0, 120), st.integers(0, 120)))
def test_case_37_history_then_live_equals_one_stream(
    make: Callable[[], AnyIndicator], bars: list[Bar], cuts: tuple[int, int]
) -> None:
    """History up to the later cut, then, after the state was stored and read back, live bars from the earlier one."""
    first, second = sorted(cuts)
    warmed = fed(make(), bars[:second])
    resumed = fed(decode(encode(warmed), type(warmed)), bars[first:])
    assert resumed == fed(make(), bars)


def batch_atr(bars: list[Bar], length: int, gap_seconds: int) -> float | None:
    """By the words of SEMANTICS 3."""
    ranges = []
    for before, bar in zip([None, *bars], bars, strict=False):
        if before is None or bar.start_ms - before.end_ms > gap_seconds * 1000:
            ranges.append(bar.high - bar.low)
        else:
            ranges.append(max(bar.high - bar.low, abs(bar.high - before.close), abs(bar.low - before.close)))
    return math.fsum(ranges[-length:]) / length if len(ranges) >= length else None


@given(walks(), st.integers(1, 20), st.sampled_from([0, 60, 110]))
def test_streaming_atr_equals_batch_atr(bars: list[Bar], length: int, gap_seconds: int) -> None:
    streamed = fed(Atr(length, gap_seconds=gap_seconds), bars).value
    assert streamed == pytest.approx(batch_atr(bars, length, gap_seconds), abs=1e-9)


@given(st.lists(st.floats(0, 1e9), max_size=100), st.integers(1, 12))
def test_a_rolling_mean_is_the_mean_of_the_last_and_never_below_zero(numbers: list[float], length: int) -> None:
    mean = RollingMean(length)
    for count, x in enumerate(numbers, start=1):
        value = mean.push(x)
        if count < length:
            assert value is None
        else:
            assert value == pytest.approx(math.fsum(numbers[count - length : count]) / length, rel=1e-12)
        assert len(mean.block) < length
        assert len(mean.older_sums) <= length + 1


@given(st.lists(st.floats(1, 1e6), max_size=40), st.integers(1, 8))
def test_numbers_that_were_never_there_leave_a_rolling_mean(numbers: list[float], length: int) -> None:
    """One NaN does not spoil what comes two lengths later."""
    clean, spoilt = RollingMean(length), RollingMean(length)
    spoilt.push(math.nan)
    clean.push(1.0)
    for count, x in enumerate(numbers, start=1):
        after = (clean.push(x), spoilt.push(x))
        if count >= 2 * length:
            assert after[0] == after[1]


@given(walks(min_size=1), st.sampled_from([10, 20, 60, 300]))
def test_every_part_is_in_one_bar_in_order(bars: list[Bar], seconds: int) -> None:
    resampler = Resampler(seconds)
    closed = [made for bar in bars for made in resampler.update(bar)]
    assert sum(bar.volume for bar in [*closed, *resampler.parts]) == sum(bar.volume for bar in bars)
    assert all(bar.start_ms % (seconds * 1000) == 0 for bar in closed)
    assert all(one.end_ms <= two.start_ms for one, two in pairwise(closed))
    for made in closed:
        parts = [bar for bar in bars if made.start_ms <= bar.start_ms < made.end_ms]
        assert made.complete == (len(parts) * STEP_MS == seconds * 1000)
        assert (made.open, made.close) == (parts[0].open, parts[-1].close)
        assert (made.high, made.low) == (max(bar.high for bar in parts), min(bar.low for bar in parts))


@given(walks(gap_max=0))
def test_minutes_make_the_same_five_minutes_as_their_parts(bars: list[Bar]) -> None:
    minutes, of_minutes, of_parts = Resampler(60), Resampler(300), Resampler(300)
    through = [five for bar in bars for minute in minutes.update(bar) for five in of_minutes.update(minute)]
    assert through == [five for bar in bars for five in of_parts.update(bar)]
