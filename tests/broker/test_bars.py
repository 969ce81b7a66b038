"""Ten-second bars from five-second ones, and the flat bars of quiet intervals."""

from __future__ import annotations

from datetime import UTC, datetime

from broker.bars import BarBuilder, HalfBar, fill_flat
from core.market import Bar

OPEN_MS = int(datetime(2025, 3, 12, 13, 30, tzinfo=UTC).timestamp()) * 1000


def half(second: int, *, o: float = 10, h: float = 10, low: float = 10, c: float = 10, volume: int = 100) -> HalfBar:
    return HalfBar(OPEN_MS + second * 1000, o, h, low, c, volume)


def bar(second: int, price: float = 10, volume: int = 100) -> Bar:
    start_ms = OPEN_MS + second * 1000
    return Bar("SOXL", start_ms, price, price, price, price, volume, flat=volume == 0)


def built(*halves: HalfBar) -> list[Bar]:
    builder = BarBuilder("SOXL")
    return [one for each in halves for one in builder.add(each)]


def test_two_halves_make_a_bar_named_by_its_start() -> None:
    (one,) = built(half(0, o=10, h=12, low=9, c=11), half(5, o=11, h=13, low=10, c=10.5, volume=50))
    assert one == Bar("SOXL", OPEN_MS, 10, 13, 9, 10.5, 150)


def test_a_half_without_a_trade_gives_no_prices() -> None:
    (one,) = built(half(0, o=8, h=8, low=8, c=8, volume=0), half(5, o=11, h=13, low=10, c=12))
    assert (one.open, one.high, one.low, one.close, one.volume, one.flat) == (11, 13, 10, 12, 100, False)
    (two,) = built(half(0, o=11, h=13, low=10, c=12), half(5, o=12, h=12, low=12, c=12, volume=0))
    assert (two.open, two.close, two.volume, two.flat) == (11, 12, 100, False)


def test_two_halves_without_a_trade_make_a_flat_bar() -> None:
    (one,) = built(half(0, volume=0), half(5, volume=0))
    assert one.flat
    assert one.volume == 0
    assert one.complete


def test_case_38_a_missing_half_marks_the_bar_incomplete() -> None:
    first_only = built(half(0, c=11), half(10), half(15))
    assert [(one.start_ms - OPEN_MS, one.complete, one.volume) for one in first_only] == [
        (0, False, 100),
        (10_000, True, 200),
    ]
    second_only = built(half(5, c=11), half(10), half(15))
    assert [(one.start_ms - OPEN_MS, one.complete) for one in second_only] == [(0, False), (10_000, True)]
    across = built(half(0), half(15))
    assert [(one.start_ms - OPEN_MS, one.complete) for one in across] == [(0, False), (10_000, False)]


def test_case_38_misaligned_repeated_and_late_halves_are_dropped_and_counted() -> None:
    builder = BarBuilder("SOXL")
    given = [half(0), half(0), half(3), half(5), half(5), half(0), half(10)]
    bars = [one for each in given for one in builder.add(each)]
    assert [one.start_ms for one in bars] == [OPEN_MS]
    assert bars[0].volume == 200
    assert builder.dropped == 4


def test_a_cut_stream_leaves_its_half_bar_to_history() -> None:
    builder = BarBuilder("SOXL")
    builder.add(half(0))
    builder.forget_half()
    assert builder.add(half(20)) == ()


def test_quiet_intervals_are_filled_with_flat_bars_up_to_the_end() -> None:
    filled = fill_flat([bar(0, 10), bar(30, 12)], until_ms=OPEN_MS + 55_000)
    assert [one.start_ms - OPEN_MS for one in filled] == [0, 10_000, 20_000, 30_000, 40_000]
    assert [one.close for one in filled] == [10, 10, 10, 12, 12]
    assert [one.flat for one in filled] == [False, True, True, False, True]


def test_nothing_is_filled_across_the_night() -> None:
    tomorrow = 24 * 3600
    filled = fill_flat([bar(0), bar(tomorrow)], until_ms=None)
    assert [one.start_ms - OPEN_MS for one in filled] == [0, tomorrow * 1000]


def test_nothing_comes_of_nothing() -> None:
    assert fill_flat([], until_ms=OPEN_MS) == ()
