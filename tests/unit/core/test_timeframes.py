"""Bars of other sizes, and indicators on several sizes at once."""

from __future__ import annotations

import pytest

from core.errors import InvalidValueError
from core.indicators import Atr, MultiTimeframe, Resampler, Rsi, Sma, Timeframe
from core.market import Bar
from tests.support.bars import random_bars

START_MS = 1381152600000  # 2013-10-07 9:30 Eastern


def ten(number: int, close: float = 75.0, **changes: object) -> Bar:
    fields = {"open": close, "high": close + 1, "low": close - 1, "close": close, "volume": 10, **changes}
    return Bar("SOXL", START_MS + number * 10_000, **fields)  # type: ignore[arg-type]  # fields by name


def resample(seconds: int, bars: list[Bar]) -> list[Bar]:
    resampler = Resampler(seconds)
    return [closed for bar in bars for closed in resampler.update(bar)]


def test_a_minute_is_made_of_six_bars() -> None:
    bars = [ten(n, 75.0 + n) for n in range(6)]
    assert resample(60, bars) == [Bar("SOXL", START_MS, 75.0, 81.0, 74.0, 80.0, 60, seconds=60)]


def test_nothing_closes_before_the_last_part() -> None:
    assert resample(60, [ten(n) for n in range(5)]) == []


def test_bars_of_the_same_size_pass_through() -> None:
    bars = random_bars(1, 30)
    assert resample(10, bars) == bars


def test_case_38_a_missing_part_marks_the_bar() -> None:
    minute, following = resample(60, [ten(n) for n in (0, 1, 2, 4, 5, *range(6, 12))])
    assert not minute.complete
    assert following.complete


def test_case_38_an_incomplete_part_marks_the_bar() -> None:
    assert not resample(60, [*(ten(n) for n in range(5)), ten(5, complete=False)])[0].complete


def test_a_missing_last_part_is_noticed_by_the_next_bar() -> None:
    assert [bar.start_ms for bar in resample(60, [ten(0), ten(6)])] == [START_MS]


def test_one_bar_can_close_two() -> None:
    closed = resample(20, [ten(0), ten(3)])
    assert [(bar.start_ms, bar.complete) for bar in closed] == [(START_MS, False), (START_MS + 20_000, False)]


def test_a_bar_is_flat_when_all_its_parts_are() -> None:
    assert resample(20, [ten(0, flat=True), ten(1, flat=True)])[0].flat
    assert not resample(20, [ten(0, flat=True), ten(1)])[0].flat


def test_case_37_a_part_seen_twice_counts_once() -> None:
    assert resample(20, [ten(0), ten(0), ten(1), ten(1), ten(0)])[0].volume == 20


@pytest.mark.parametrize(
    "bar", [Bar("SOXL", START_MS + 5_000, 1, 1, 1, 1, 0), Bar("SOXL", START_MS, 1, 1, 1, 1, 0, seconds=45)]
)
def test_a_bar_that_does_not_fit_is_refused(bar: Bar) -> None:
    with pytest.raises(InvalidValueError, match="bar = "):
        Resampler(60).update(bar)


def test_indicators_follow_several_sizes_at_once() -> None:
    several = MultiTimeframe([Timeframe(10, {"atr": Atr()}), Timeframe(60, {"rsi": Rsi(3), "sma": Sma(4)})])
    bars = random_bars(2, 400)
    alone = {10: Atr(), 60: Sma(4)}
    for bar in bars:
        several.update(bar)
        alone[10].update(bar)
    for bar in resample(60, bars):
        alone[60].update(bar)
    assert several.indicator(10, "atr") == alone[10]
    assert several.indicator(60, "sma") == alone[60]


@pytest.mark.parametrize("first", range(6))
def test_the_warm_up_makes_all_ready_wherever_it_begins(first: int) -> None:
    several = MultiTimeframe([Timeframe(10, {"atr": Atr()}), Timeframe(60, {"rsi": Rsi(3)})])
    assert several.warm_up_seconds == 300
    several.update(ten(first))
    assert not several.ready
    for number in range(first + 1, first + 30):
        several.update(ten(number))
    assert several.ready


def test_an_indicator_that_is_not_there_is_named() -> None:
    with pytest.raises(InvalidValueError, match="'60 s atr' is not allowed: one of 10 s atr"):
        MultiTimeframe([Timeframe(10, {"atr": Atr()})]).indicator(60, "atr")
