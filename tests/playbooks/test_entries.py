"""SEMANTICS 4 to 6: sizing, the bracket, its prices, and how its legs follow the fill."""

from __future__ import annotations

import math
import sys
from dataclasses import replace
from decimal import Decimal

import pytest

from core import events as e
from core.market import Instrument
from core.params import EntryKind, SizeUnit
from core.vocabulary import Outcome
from tests.support.happenings import (
    bar,
    buy,
    ended,
    filled,
    happens,
    link_back,
    link_lost,
    market_orders_wait,
    minutes,
    predicted,
    price_unknown,
    quoted,
    seconds,
    sell,
)
from tests.support.in_words import ENTERS, bracket, emergency, modifies, refused
from tests.support.playbook import (
    PLAN,
    Playbook,
    Step,
    at,
    atr,
    doubts,
    flat,
    instrument,
    limits,
    no_history,
    no_limits,
    per_ticker,
    price,
    settings,
)

PENNY_BELOW_ONE = ((Decimal(0), Decimal("0.0001")), (Decimal(1), Decimal("0.01")))


# --- size -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dollars", "share_price", "shares"),
    [
        (10_000, "100", 100), (10_000, "50", 200), (10_000, "500", 20), (10_000, "150", 66), (100_000, "5", 10_000),
        (10_000, "0.50", 10_000), (10_000, "201.28", 49),
    ],
)  # fmt: skip
def test_dollars_buy_whole_shares_up_to_a_cap(dollars: int, share_price: str, shares: int) -> None:
    free = settings(commission_min_per_order=Decimal(0), commission_per_share=Decimal(0))
    play = Playbook(no_limits(), free, atr("0.02"), price(share_price), per_ticker(size=Decimal(dollars)))
    play.when(buy()).check("shares", lambda p: p.decisions[0].shares, shares)
    efficiency = float(shares * Decimal(share_price) / dollars)
    play.check("efficiency", lambda p: p.decisions[0].capital_efficiency, pytest.approx(efficiency))
    assert shares == 10_000 or efficiency >= 1 - float(share_price) / dollars


@pytest.mark.parametrize("share_price", ["15000", "10000.01"])
def test_an_allocation_smaller_than_one_share_buys_none_case_35(share_price: str) -> None:
    Playbook(no_limits(), price(share_price)).when(buy(), then=[refused("size_below_one_share")])


def test_a_quantity_is_a_number_of_shares_at_any_price() -> None:
    play = Playbook(no_limits(), price("15.00"), atr("0.10"), per_ticker(size=Decimal(50), size_unit=SizeUnit.SHARES))
    play.when(buy(), then=[ENTERS, bracket(1, "BUY", 50, "14.40", "15.30")])


# --- price ----------------------------------------------------------------------------------------------------------


def test_a_buy_is_priced_at_the_ask_and_a_sell_at_the_bid() -> None:
    play = Playbook().when(market_orders_wait, quoted(75.05, 75.15, 75.10))
    play.when(predicted("BUY", fresh=False), predicted("SELL", ticker="CVNA"))
    assert str(play.decisions[0].price) == "75.15"
    play = Playbook().when(quoted(75.05, 75.15, 75.10), predicted("SELL", fresh=False))
    assert str(play.decisions[0].price) == "75.05"


@pytest.mark.parametrize("ask", [None, 0.0, -1.0, math.nan, math.inf])
def test_without_a_usable_quote_the_last_trade_counts(ask: float | None) -> None:
    play = Playbook(limits(max_spread_fraction=None)).when(quoted(75.05, ask, 75.12), predicted("BUY", fresh=False))
    assert str(play.decisions[0].price) == "75.12"


def test_without_any_quote_the_last_bar_counts() -> None:
    play = Playbook().when(bar(75.10, 75.08, 75.12), predicted("BUY", fresh=False))
    assert (play.decisions[0].outcome, str(play.decisions[0].price)) == (Outcome.ENTER, "75.1")


@pytest.mark.parametrize("last", [0.0, -5.0, math.nan, math.inf, 1e-30, sys.float_info.max])
def test_a_price_that_is_none_is_refused(last: float) -> None:
    Playbook().when(quoted(None, None, last), predicted("BUY", fresh=False), then=[refused("price_invalid")])


def test_no_price_no_trade() -> None:
    play = Playbook(no_history()).when(
        quoted(None, None), predicted("BUY", fresh=False), then=[refused("atr_not_ready")]
    )
    for one in ("SOXL", "CVNA"):
        play.engine.state.books[one].atr.value, play.engine.state.books[one].atr.newest_end_ms = 0.05, play.now_ms
    play.when(seconds(1), predicted("BUY", fresh=False), then=[refused("no_fresh_price")])


# --- the legs -------------------------------------------------------------------------------------------------------


def test_a_long_bracket() -> None:
    Playbook(flat("SOXL"), atr("0.05"), price("75.10")).when(
        buy(), then=[ENTERS, bracket(1, "BUY", 133, "74.80", "75.25")]
    )


def test_a_short_bracket() -> None:
    Playbook(flat("SOXL"), atr("0.05"), price("75.10")).when(
        sell(), then=[ENTERS, bracket(1, "SELL", 133, "75.40", "74.95")]
    )


def test_the_stop_is_rounded_away_from_the_entry_and_the_target_towards_it() -> None:
    given = (atr("0.0512"), price("75.10"))  # stop 0.3072 away, target 0.1536
    Playbook(*given).when(buy(), then=[ENTERS, bracket(1, "BUY", 133, "74.79", "75.25")])
    Playbook(*given).when(sell(), then=[ENTERS, bracket(1, "SELL", 133, "75.41", "74.95")])


def test_legs_are_at_least_two_ticks_away() -> None:
    given = (atr("0.002"), price("75.10"), settings(commission_min_per_order=Decimal(0)))
    Playbook(*given).when(buy(), then=[ENTERS, bracket(1, "BUY", 133, "75.08", "75.12")])


def test_legs_are_at_least_the_spread_away() -> None:
    given = (
        atr("0.01"),
        price("75.10"),
        settings(commission_min_per_order=Decimal(0), commission_per_share=Decimal(0)),
    )
    play = Playbook(*given).when(quoted(75.00, 75.10, 75.10))
    play.when(predicted("BUY", fresh=False), then=[ENTERS, bracket(1, "BUY", 133, "75.00", "75.20")])


def test_a_leg_has_the_increment_of_its_own_price_band_case_34() -> None:
    given = (price("1.0050"), atr("0.004"), no_limits(), instrument(increments=PENNY_BELOW_ONE))
    play = Playbook(*given, settings(commission_per_share=Decimal(0)))
    play.when(buy(), then=[ENTERS, bracket(1, "BUY", 9950, "0.9810", "1.02")])


def test_a_target_that_does_not_pay_its_costs_is_refused() -> None:
    """Target 0.02; spread 0 and 2 × $1 on 133 shares cost 0.015; with a spread of 0.01 they cost 0.025."""
    Playbook(atr("0.005")).when(buy(), then=[ENTERS, bracket(1, "BUY", 133, "75.07", "75.12")])
    play = Playbook(atr("0.005")).when(quoted(75.09, 75.10, 75.10))
    play.when(predicted("BUY", fresh=False), then=[refused("target_inside_costs")])


@pytest.mark.parametrize(("bars", "refusal"), [("0.036", "target_inside_costs"), ("0.037", None)])
def test_a_target_pays_its_costs_where_its_order_lies(bars: str, refusal: str | None) -> None:
    """2 × $1 on 19 shares cost 0.1053. Of 3 ATRs, 0.108, the increments leave 0.10; of 0.111 they leave 0.11."""
    play = Playbook(price("510"), atr(bars)).when(buy())
    assert play.decisions[-1].refusal == refusal


def test_a_stop_below_zero_is_refused() -> None:
    Playbook(no_limits(), price("2.00"), atr("0.40")).when(buy(), then=[refused("price_invalid")])


def test_no_entry_without_an_atr() -> None:
    play = Playbook(no_history()).when(buy(), then=[refused("atr_not_ready")])
    play.keep_warm()
    play.when(seconds(1), buy(), then=[ENTERS, bracket(1, "BUY", 133, "74.80", "75.25")])


def test_no_entry_when_the_newest_bar_is_older_than_30_s() -> None:
    play = Playbook()
    play.setup.warm = False
    play.when(seconds(30), buy(), then=[ENTERS, bracket(1, "BUY", 133, "74.80", "75.25")])
    play.when(seconds(0.001), buy(ticker="CVNA"), then=[refused("atr_stale")])


def test_no_entry_in_a_ticker_that_the_broker_has_not_described() -> None:
    play = Playbook()
    play.engine.state.books["SOXL"].instrument = None
    play.when(buy(), then=[refused("contract_unknown")])


def test_a_ticker_without_a_contract_is_told_of_until_the_broker_describes_it() -> None:
    play = Playbook().when(link_lost, link_back)
    known = play.engine.state.books["SOXL"].instrument
    assert known is not None
    missing = e.InstrumentMissing(0, "SOXL", "the broker knows no such US stock")
    play.when(happens(missing, missing), then=["warning: contract"])
    play.when(predicted("BUY", fresh=False), then=[refused("contract_unknown")])
    play.when(happens(e.InstrumentRead(0, known)), then=["over: contract"])
    play.when(seconds(1), predicted("BUY", fresh=False), then=[refused("data_stale")])


def test_a_ticker_whose_market_data_is_refused_is_kept_out_alone_and_asks_for_what_it_missed() -> None:
    def data(*problems: str) -> Step:
        return happens(*(e.MarketDataRefused(0, "SOXL", problem) for problem in problems))

    play = Playbook().when(data(""))
    play.when(data("354: not subscribed"), then=["warning: data"])
    play.when(predicted("BUY"), then=[refused("data_stale")])
    play.when(data("354: not subscribed", "200: no definition"), then=[])
    play.when(data(""), then=["over: data"])
    play.bar_ms["SOXL"] += 120_000  # longer than what passes for a lost bar
    play.when(bar(75.1), then=["read history: SOXL"])
    play.when(data(""), then=[])


def test_a_timed_exit_is_not_sent_after_its_time() -> None:
    play = Playbook(at((PLAN.closure_ms - PLAN.open_ms) // 1000 - 300))
    play.engine._desk.plan = replace(PLAN, timed_exit_ms=play.now_ms)
    play.when(buy(), then=[ENTERS, bracket(1, "BUY", 133, "74.80", "75.25", timed_exit=False)])


# --- how the entry is sent ------------------------------------------------------------------------------------------


def test_a_marketable_limit_is_capped_and_dies_at_once_when_it_cannot_fill() -> None:
    play = Playbook(settings(entry_kind=EntryKind.MARKETABLE_IOC), atr("0.05")).when(
        price_unknown, quoted(75.1, 75.1, 75.1)
    )
    play.when(predicted("BUY", fresh=False), then=[
        ENTERS,
        bracket(1, "BUY at 75.26 IOC", 133, "74.80", "75.25"),
    ])  # fmt: skip
    play.when(ended("entry"), then=[]).check("orders", lambda p: p.engine.working_orders(), 0)
    play.when(seconds(1)).check("no pause", lambda p: p.engine.state.books["SOXL"].paused_until_ms, 0)


# --- the legs follow the fill ---------------------------------------------------------------------------------------


def test_stop_and_target_follow_the_average_fill() -> None:
    play = Playbook(flat("SOXL"), atr("0.05")).when(market_orders_wait, buy(0.61))
    play.when(
        filled("entry", 133, "75.12"), then=[modifies("stop#1", 133, "74.82"), modifies("target#1", 133, "75.27")]
    )


def test_the_average_of_several_parts_counts_and_the_atr_of_the_decision() -> None:
    play = Playbook(atr("0.05")).when(market_orders_wait, buy())
    play.when(filled("entry", 33, "75.12"), then=[])
    play.setup.atr = Decimal("0.50")
    play.when(
        filled("entry", 100, "75.20"), then=[modifies("stop#1", 133, "74.88"), modifies("target#1", 133, "75.33")]
    )


def test_a_fill_at_the_decision_price_changes_nothing() -> None:
    Playbook().when(market_orders_wait, buy()).when(filled("entry", 133, "75.10"), then=[])


def test_an_entry_that_ends_after_a_part_with_legs_that_live_gets_legs_for_the_part() -> None:
    given = doubts(cancel_takes_children=False)
    play = Playbook(given).when(market_orders_wait, buy()).when(filled("entry", 40, "75.10"))
    play.when(ended("entry"), then=[])
    play.when(seconds(2), then=[modifies("stop#1", 40), modifies("target#1", 40), modifies("timed_exit#1", 40)])
    play.when(seconds(10), then=[])


def test_an_entry_that_ends_after_a_part_and_takes_its_legs_along_gets_an_emergency_group() -> None:
    given = doubts(cancel_takes_children=True)
    play = (
        Playbook(given).when(market_orders_wait, buy()).when(filled("entry", 40, "75.10")).when(ended("entry"), then=[])
    )
    play.when(seconds(2), then=[emergency(2, "SELL", 40, "74.80", "75.25"), "critical: emergency"])
    play.when(minutes(1), then=[]).when(filled("emergency_stop", 40, "74.80"), then=["trade: long 40 stop -12.00"])


def test_a_leg_that_fills_in_part_leaves_the_rest_covered() -> None:
    """The broker reduces the sibling by itself; where it does not, we do after 2 s: filled + wanted remaining."""
    play = Playbook(doubts(reduces_siblings=True)).when(buy())
    play.when(filled("target", 33, "75.25"), then=[]).when(seconds(5), then=[])
    play = Playbook(doubts(reduces_siblings=False)).when(buy()).when(filled("target", 33, "75.25"), then=[])
    play.when(seconds(2), then=[modifies("stop#1", 100), modifies("timed_exit#1", 100)])
    play.when(filled("stop", 40, "74.80"), seconds(2), then=[modifies("target#1", 93), modifies("timed_exit#1", 60)])


def test_the_instrument_s_increments_are_those_of_the_broker() -> None:
    assert Playbook().engine.state.books["SOXL"].instrument == Instrument("SOXL", 1)
