"""SEMANTICS 3: which bars count, and in which order: history that fills a gap, halves, halts, what is no bar."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from core import events as e
from core.market import Bar
from core.vocabulary import Link
from tests.support.happenings import (
    bar,
    buy,
    happens,
    link_back,
    link_lost,
    market_orders_wait,
    minutes,
    price_unknown,
    seconds,
    sell,
)
from tests.support.playbook import OPEN_MS, Playbook, at, no_history


def atr_of(play: Playbook, ticker: str = "SOXL") -> float | None:
    return play.engine.state.books[ticker].atr.value


def test_live_bars_wait_for_the_history_before_them_case_37() -> None:
    """After an outage the first live bar arrives before the history that fills the gap; each counts once, in order."""
    play = Playbook()
    play.setup.warm = False
    play.broker.history = None
    play.when(link_lost, link_back)
    start_ms = play.bar_ms["SOXL"]
    gap = [Bar("SOXL", start_ms + n * 10_000, 75.1, 75.1 + n / 100, 75.1, 75.1, 100) for n in range(4)]
    play.when(happens(e.BarClosed(0, gap[3]))).check("held", lambda p: len(p.engine.state.books["SOXL"].held_bars), 1)
    play.when(happens(e.HistoryLoaded(0, "SOXL", tuple(gap))))
    expected = (10 * 0.05 + 0.00 + 0.01 + 0.02 + 0.03) / 14
    assert atr_of(play) == pytest.approx(expected)
    assert play.engine.newest_bar_end_ms("SOXL") == gap[3].end_ms


def test_a_bar_from_before_a_silence_does_not_let_the_first_one_after_it_pass() -> None:
    """Data come back before the link is told to be sound: a late bar, then a live one across a gap of 30 s."""
    play = Playbook()
    play.when(happens(e.LinkChanged(0, Link.DEGRADED, "2103")))
    start_ms = play.bar_ms["SOXL"]
    late, *gap, live = [Bar("SOXL", start_ms + n * 10_000, 75.1, 75.1, 75.1, 75.1, 100) for n in range(5)]
    play.when(happens(e.BarClosed(0, late), e.BarClosed(0, live), e.LinkChanged(0, Link.CONNECTED, "data flow")))
    assert play.engine.newest_bar_end_ms("SOXL") == late.end_ms
    play.when(happens(e.HistoryLoaded(0, "SOXL", tuple(gap))))
    assert play.engine.newest_bar_end_ms("SOXL") == live.end_ms


def test_a_silence_that_begins_before_the_history_of_the_last_one_has_come_leaves_no_gap() -> None:
    play = Playbook()
    start_ms = play.bar_ms["SOXL"]
    first, *gap, live = [Bar("SOXL", start_ms + n * 10_000, 75.1, 75.1, 75.1, 75.1, 100) for n in range(4)]
    play.when(happens(e.LinkChanged(0, Link.DEGRADED, "1100"), e.LinkChanged(0, Link.CONNECTED, "1101")))
    play.when(happens(e.LinkChanged(0, Link.DEGRADED, "10197"), e.HistoryLoaded(0, "SOXL", (first,))))
    play.when(happens(e.BarClosed(0, live), e.LinkChanged(0, Link.CONNECTED, "10197 is over")))
    assert play.engine.newest_bar_end_ms("SOXL") == first.end_ms
    play.when(happens(e.HistoryLoaded(0, "SOXL", tuple(gap))))
    assert play.engine.newest_bar_end_ms("SOXL") == live.end_ms


def test_without_a_gap_nothing_waits() -> None:
    play = Playbook().when(link_lost, link_back).when(bar(75.10))
    assert play.engine.newest_bar_end_ms("SOXL") == play.bar_ms["SOXL"]
    assert not play.engine.state.books["SOXL"].awaits_history


def test_history_that_never_comes_is_waited_for_a_minute_at_most() -> None:
    play = Playbook()
    play.setup.warm = False
    play.broker.history = None
    play.when(link_lost, link_back)
    _, *live = lost_bars(play, 8)
    for number, one in enumerate(live):
        play.when(seconds(10), happens(e.BarClosed(0, one)))
        newest_ms = play.engine.newest_bar_end_ms("SOXL")
        assert newest_ms == (one.end_ms if number >= 6 else play.bar_ms["SOXL"])


def test_the_minute_begins_anew_with_an_outage() -> None:
    """Bars that waited when the link went wait on: the outage's history comes before the first bar behind it."""
    play = Playbook()
    play.setup.warm = False
    bars = lost_bars(play, 13)
    play.broker.mute = True  # the history that is asked for does not come
    play.when(happens(*[e.BarClosed(0, one) for one in bars[1:6]]), link_lost)
    play.broker.mute = False
    play.when(minutes(1), link_back, happens(e.BarClosed(0, bars[12])))
    assert play.engine.newest_bar_end_ms("SOXL") == play.bar_ms["SOXL"]
    play.when(happens(e.HistoryLoaded(0, "SOXL", tuple(bars[:12]))))
    assert atr_of(play) == pytest.approx((1 * 0.05 + sum(range(13)) / 100) / 14)


def test_an_answer_from_before_an_outage_does_not_stand_for_its_history() -> None:
    play = Playbook()
    play.setup.warm = False
    first, second, third, live = lost_bars(play, 4)
    play.broker.history = None
    play.when(seconds(30), link_lost, link_back, happens(e.BarClosed(0, live)))
    for found in ((), (first, replace(third, flat=True), replace(live, flat=True, volume=0))):
        play.when(happens(e.HistoryLoaded(0, "SOXL", found, first.end_ms)))
    assert play.engine.state.books["SOXL"].held_bars == [live]
    play.when(happens(e.HistoryLoaded(0, "SOXL", (second, third), live.start_ms)))
    assert play.engine.newest_bar_end_ms("SOXL") == live.end_ms


def test_a_live_bar_is_believed_where_history_lags() -> None:
    """The end of a history answer may lack the newest trades: what seems to have been without any is filled flat."""
    for half in (False, True):
        play = Playbook()
        lost, live = lost_bars(play, 2)
        live = replace(live, high=75.8, close=75.8, complete=not half)
        play.broker.history = (lost, replace(live, high=75.1, close=75.1, volume=0, flat=True, complete=True))
        play.when(happens(e.BarClosed(0, live)), then=["read history: SOXL"])
        assert atr_of(play) == pytest.approx((12 * 0.05 + 0.0 + 0.7) / 14)


def lost_bars(play: Playbook, count: int) -> list[Bar]:
    """The next bars of SOXL, of which a sound link loses all but the last."""
    start_ms = play.bar_ms["SOXL"]
    return [Bar("SOXL", start_ms + n * 10_000, 75.1, 75.1 + n / 100, 75.1, 75.1, 100) for n in range(count)]


def test_a_bar_that_a_sound_link_loses_is_asked_for_and_the_one_after_it_waits_case_38() -> None:
    play = Playbook()
    *lost, live = lost_bars(play, 3)
    play.broker.history = tuple(lost)
    play.when(happens(e.BarClosed(0, live)), then=["read history: SOXL"])
    assert atr_of(play) == pytest.approx((11 * 0.05 + 0.00 + 0.01 + 0.02) / 14)
    assert play.engine.newest_bar_end_ms("SOXL") == live.end_ms


def test_half_a_bar_is_replaced_by_the_whole_one_case_38() -> None:
    play = Playbook()
    (whole,) = lost_bars(play, 1)
    whole = replace(whole, high=75.4)
    half = replace(whole, high=75.2, complete=False)
    play.broker.history = (whole,)
    play.when(happens(e.BarClosed(0, half)), then=["read history: SOXL"])
    assert atr_of(play) == pytest.approx((13 * 0.05 + 0.3) / 14)


def test_without_history_the_half_counts_and_so_does_the_bar_behind_a_gap() -> None:
    play = Playbook()
    (half,) = lost_bars(play, 1)
    play.when(happens(e.BarClosed(0, replace(half, complete=False))), then=["read history: SOXL"])
    assert play.engine.newest_bar_end_ms("SOXL") == half.end_ms


def test_gaps_are_asked_for_once_in_five_minutes() -> None:
    play = Playbook()
    _, first, _, second = lost_bars(play, 4)
    play.when(happens(e.BarClosed(0, first)), then=["read history: SOXL"])
    play.when(happens(e.BarClosed(0, second)), then=[])
    assert play.engine.newest_bar_end_ms("SOXL") == second.end_ms
    play.when(minutes(5))
    third = replace(second, start_ms=play.bar_ms["SOXL"] + 10_000)
    play.when(happens(e.BarClosed(0, third)), then=["read history: SOXL"])


def test_a_halt_and_the_night_leave_no_gap() -> None:
    for count in (8, 100):
        play = Playbook()
        play.when(happens(e.BarClosed(0, lost_bars(play, count)[-1])), then=[])
    play = Playbook(at(-60))
    play.when(happens(e.BarClosed(0, Bar("SOXL", OPEN_MS, 75.1, 75.2, 75.0, 75.1, 100))), then=[])
    assert play.engine.newest_bar_end_ms("SOXL") == OPEN_MS + 10_000


def test_the_first_bar_of_the_day_can_be_lost_too() -> None:
    play = Playbook(at(-60))
    second = Bar("SOXL", OPEN_MS + 10_000, 75.1, 75.2, 75.0, 75.1, 100)
    play.when(happens(e.BarClosed(0, second)), then=["read history: SOXL"])


def test_an_unusable_bar_in_the_history_is_left_out() -> None:
    play = Playbook()
    start_ms = play.bar_ms["SOXL"]
    bars = (Bar("SOXL", start_ms, 0.0, 0.0, 0.0, 0.0, 0), Bar("SOXL", start_ms + 10_000, 75.1, 75.2, 75.0, 75.1, 1))
    play.when(happens(e.HistoryLoaded(0, "SOXL", bars)), then=["warning: bar"])
    assert play.engine.newest_bar_end_ms("SOXL") == start_ms + 20_000


def test_an_unusable_bar_in_the_history_leaves_the_mark_and_the_watch_over_the_loss_alone() -> None:
    play = Playbook().when(sell()).when(seconds(20))
    start_ms = play.bar_ms["SOXL"]
    no_trade = Bar("SOXL", start_ms, -1.0, -1.0, -1.0, -1.0, 0)
    play.when(happens(e.HistoryLoaded(0, "SOXL", (no_trade,))), then=["warning: bar"])
    play.when(buy(ticker="GLD")).check("the P&L is known", lambda p: p.decisions[-1].refusal, None)
    next_one = Bar("SOXL", start_ms + 10_000, 75.1, 75.2, 75.0, 75.1, 1)
    play.when(happens(e.HistoryLoaded(0, "SOXL", (no_trade, next_one))))
    play.when(seconds(10), bar(83.0)).check("its loss still halts", lambda p: p.engine.state.phase, "halted")


def test_the_next_usable_bar_makes_the_pnl_known_again() -> None:
    play = Playbook().when(sell()).when(market_orders_wait, price_unknown, seconds(10), bar(math.nan))
    play.check("unknown", lambda p: p.engine.daily_pnl().is_nan(), True)
    play.when(seconds(10), bar(75.20)).check("known", lambda p: str(p.engine.daily_pnl()), "-14.30")
    play.check("and estimated", lambda p: round(p.engine.state.pnl_estimate, 2), -14.30)


def test_an_old_bar_moves_no_mark() -> None:
    play = Playbook()
    book = play.engine.state.books["SOXL"]
    play.when(happens(e.HistoryLoaded(0, "SOXL", (Bar("SOXL", book.bar_end_ms - 50_000, 9.0, 9.0, 9.0, 9.0, 1),))))
    assert (book.last_close, play.engine.state.books["SOXL"].mark) == (75.10, 75.10)


def test_warm_and_cold_tickers() -> None:
    play = Playbook()
    assert (play.engine.is_warm("SOXL"), play.engine.is_warm("TSLA")) == (True, False)
    assert play.engine.newest_bar_end_ms("TSLA") is None
    assert not Playbook(no_history()).engine.is_warm("SOXL")
    play.when(happens(e.BarClosed(0, Bar("TSLA", 0, 1.0, 1.0, 1.0, 1.0, 1)), e.MarketDataSeen(0, "SOXL")))
