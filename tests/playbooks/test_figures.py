"""Every decision is recorded with the figures that decided; limits hold at their edge; correlation-adjusted sizing."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest

from core import events as e
from core.market import Bar
from core.params import SizeUnit
from core.vocabulary import Leg, Refusal
from tests.support.happenings import (
    buy,
    filled,
    happens,
    link_back,
    market_orders_wait,
    minutes,
    predicted,
    price_unknown,
    quoted,
    refuses,
    seconds,
    sell,
)
from tests.support.in_words import refused
from tests.support.playbook import (
    Playbook,
    atr,
    limits,
    no_history,
    no_limits,
    not_connected,
    per_ticker,
    price,
    settings,
)


def test_a_refusal_tells_its_figure_position() -> None:
    play = Playbook(limits(max_position_value=Decimal(9_000))).when(buy())
    figure(play, "max_position_value", "position_value", "9988.3")
    figure(Playbook(limits(max_position_shares=100)).when(buy()), "max_position_shares", "position_shares", "133")


def figure(play: Playbook, refusal: str, name: str, value: str) -> None:
    decision = play.decisions[-1]
    assert (decision.refusal, dict(decision.values).get(name)) == (refusal, value)
    assert f"{name} {value}" in decision.explanation


def two(limit: dict[str, object], first: str = "CVNA", second: str = "GLD", signal: str = "BUY") -> Playbook:
    """Long one ticker, then a signal in another."""
    return Playbook(limits(**limit)).when(buy(ticker=first)).when(predicted(signal, ticker=second))


def test_a_refusal_tells_its_figure_exposure() -> None:
    figure(two({"max_gross_exposure": Decimal(15_000)}), "max_gross_exposure", "gross_exposure", "19976.6")
    sector = {"max_sector_exposure": Decimal(15_000), "max_pair_bet_sizes": None}
    figure(two(sector, "SOXL", "SOXS", "SELL"), "max_sector_exposure", "sector_exposure", "19976.6")
    pair = {"max_sector_exposure": None}
    figure(two(pair, "SOXL", "SOXS", "SELL"), "max_pair_bet", "pair_bet", "-19976.6")
    figure(two({"max_portfolio_heat": Decimal(50)}), "max_portfolio_heat", "portfolio_heat", "79.800")


def test_a_refusal_tells_its_figure_counts() -> None:
    play = Playbook(limits(max_trades_per_ticker=1)).when(buy()).when(filled("target", 133, "75.25"), minutes(4), buy())
    figure(play, "max_ticker_trades", "trades_of_ticker", "1")
    figure(two({"max_trades": 1}), "max_session_trades", "trades", "1")
    figure(two({"max_orders_per_minute": 6}), "max_orders_per_minute", "orders_in_last_minute", "4")


def test_a_refusal_tells_its_figure_ticker() -> None:
    play = Playbook().when(happens(e.AccountRead(0, Decimal(5_000), None, None))).when(buy())
    figure(play, "buying_power", "buying_power", "5000")
    play = Playbook().when(refuses(Leg.ENTRY)).when(buy()).when(refuses(), seconds(10), buy())
    figure(play, "reject_pause", "pause_left_ms", "20000")
    play = Playbook().when(buy())
    play.engine.state.books["SOXL"].blocked = "over-fill"
    figure(play.when(seconds(1), sell()), "ticker_blocked", "blocked", "over-fill")
    play = Playbook(not_connected())
    play.broker.positions["SOXL"] = 50
    figure(play.when(link_back, seconds(1), buy()), "foreign_position", "foreign_shares", "50")


def test_a_refusal_tells_its_figure_position_rules() -> None:
    play = Playbook().when(buy()).when(filled("target", 133, "75.25"), seconds(60), buy())
    figure(play, "cooldown", "cooldown_left_ms", "120000")
    play = Playbook().when(buy()).when(minutes(1), buy(0.54))
    figure(play, "same_side_weak", "scale_in_confidence", "0.55")
    play.broker.prices["SOXL"] = Decimal("75.13")
    figure(play.when(seconds(1), buy(0.56)), "same_side_no_move", "favourable_move", "0.03")
    play = Playbook()
    play.setup.warm = False
    figure(play.when(seconds(31), buy()), "atr_stale", "atr_age_ms", "31000")


def test_the_trade_carries_the_atr_of_its_decision() -> None:
    play = Playbook(atr("0.05")).when(buy()).when(filled("target", 133, "75.25"))
    assert play.trades[1].atr == pytest.approx(0.05)
    assert play.trades[1].capital_efficiency == pytest.approx(133 * 75.10 / 10_000)


# --- edges ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("age", "refusal"), [(5, None), (5.001, "data_stale")])
def test_data_of_exactly_5_s_are_fresh(age: float, refusal: str | None) -> None:
    play = Playbook().when(quoted(75.1, 75.1, 75.1))
    play.setup.warm = False
    play.when(seconds(age), predicted("BUY", fresh=False))
    assert play.decisions[-1].refusal == refusal


def test_a_confidence_of_0_is_one_and_below_every_threshold() -> None:
    Playbook().when(buy(0.0), then=[refused("below_threshold")])


@pytest.mark.parametrize(("bars", "refusal"), [("0.4999", None), ("0.50", "price_invalid")])
def test_a_stop_at_zero_is_no_stop(bars: str, refusal: str | None) -> None:
    play = Playbook(no_limits(), price("3.00"), atr(bars)).when(buy())
    assert play.decisions[-1].refusal == refusal


def test_a_commission_by_the_share_counts_for_all_shares() -> None:
    """2 × 0.02 a share is more than a target of 0.03."""
    costly = settings(commission_per_share=Decimal("0.02"))
    Playbook(costly, atr("0.01")).when(buy(), then=[refused("target_inside_costs")])
    figure(Playbook(costly).when(buy(0.6)).when(minutes(1), buy(0.9)), "same_side_no_move", "favourable_move", "0")


def test_a_quote_of_the_other_side_is_no_price() -> None:
    play = Playbook(no_history()).when(quoted(75.0, None))
    atr_of_soxl = play.engine.state.books["SOXL"].atr
    atr_of_soxl.value, atr_of_soxl.newest_end_ms = 0.05, play.now_ms
    play.when(predicted("BUY", fresh=False), then=[refused("no_fresh_price")])


@pytest.mark.parametrize(("bid", "ask", "refusal"), [(99.75, 100.25, None), (99.74, 100.25, "max_spread")])
def test_a_spread_of_exactly_the_limit_passes(bid: float, ask: float, refusal: str | None) -> None:
    play = Playbook(price("100"), atr("0.50")).when(quoted(bid, ask, 100.0), predicted("BUY", fresh=False))
    assert play.decisions[-1].refusal == refusal


@pytest.mark.parametrize(("limit", "refusal"), [(4, None), (3, "max_orders_per_minute")])
def test_the_first_entry_s_own_orders_count(limit: int, refusal: str | None) -> None:
    assert Playbook(limits(max_orders_per_minute=limit)).when(buy()).decisions[-1].refusal == refusal


def test_an_entry_in_flight_counts_as_one_trade_and_a_leg_that_lingers_as_none() -> None:
    play = Playbook(limits(max_trades=2)).when(market_orders_wait, buy()).when(buy(ticker="CVNA"))
    assert play.decisions[-1].refusal is None
    play = Playbook(limits(max_trades=2)).when(buy())
    stop = play.broker.orders[play.ref("stop")]
    stop.spec = replace(stop.spec, parent_ref="")  # out of its group, so that it outlives the position
    play.when(filled("target", 133, "75.25")).when(buy(ticker="CVNA"))
    assert play.decisions[-1].refusal is None


def test_a_reversal_counts_as_what_it_will_be() -> None:
    """Short SOXL and long SOXS are one bet, also when the short comes out of a long."""
    play = Playbook(limits(max_sector_exposure=None)).when(buy()).when(buy(ticker="SOXS")).when(minutes(1), sell())
    assert play.decisions[-1].refusal == "max_pair_bet"


@pytest.mark.parametrize(("limit", "refusal"), [("66.35", None), ("66.34", "max_portfolio_heat")])
def test_an_add_counts_with_the_heat_of_what_is_held(limit: str, refusal: str | None) -> None:
    """133 × (75.15 − 74.80) and 66 × 0.30."""
    play = Playbook(limits(max_portfolio_heat=Decimal(limit))).when(buy()).when(minutes(1))
    play.broker.prices["SOXL"] = Decimal("75.15")
    assert play.when(buy(0.9)).decisions[-1].refusal == refusal


@pytest.mark.parametrize("side", ["BUY", "SELL"])
def test_a_position_whose_stop_nobody_knows_is_at_stake_as_a_whole(side: str) -> None:
    play = Playbook().when(predicted(side))
    (bracket,) = play.engine.state.books["SOXL"].brackets.values()
    bracket.stop_price = Decimal(0)  # as of one that was adopted without its stop, before there is an ATR
    assert play.when(buy(ticker="GLD")).decisions[-1].refusal == "max_portfolio_heat"


def test_without_a_mark_a_position_counts_at_its_average_cost() -> None:
    for limit, refusal in (("max_gross_exposure", "max_gross_exposure"), ("max_portfolio_heat", "max_portfolio_heat")):
        edge = Decimal("19976.60") if limit == "max_gross_exposure" else Decimal("79.80")
        for allowed, expected in ((edge, None), (edge - Decimal("0.01"), refusal)):
            play = Playbook(limits(**{limit: allowed})).when(buy(ticker="CVNA"))
            play.engine.state.books["CVNA"].mark = None
            assert play.when(buy(ticker="GLD")).decisions[-1].refusal == expected


def test_an_entry_in_flight_that_nobody_can_value_uses_up_all_buying_power() -> None:
    play = Playbook(limits(max_gross_exposure=None, max_portfolio_heat=None)).when(market_orders_wait, buy())
    play.when(happens(e.AccountRead(0, Decimal(1_000_000), None, None)))
    play.engine.state.books["SOXL"].mark = None
    play.when(buy(ticker="CVNA"), then=[refused("buying_power")])


@pytest.mark.parametrize(("power", "refusal"), [("19976.60", None), ("19976.59", "buying_power")])
def test_what_is_in_flight_counts_and_what_is_held_does_not(power: str, refusal: str | None) -> None:
    play = Playbook().when(buy(ticker="GLD")).when(market_orders_wait, buy())
    play.when(happens(e.AccountRead(0, Decimal(power), None, None))).when(buy(ticker="CVNA"))
    assert play.decisions[-1].refusal == refusal


def test_a_position_of_one_share_is_a_position() -> None:
    free = settings(commission_min_per_order=Decimal(0))
    play = Playbook(free, per_ticker(size=Decimal(1), size_unit=SizeUnit.SHARES)).when(buy()).when(minutes(1), sell())
    assert play.decisions[-1].refusal is None


# --- correlation-adjusted sizing --------------------------------------------------------------------------------------


def waves(play: Playbook, ticker: str, sign: int = 1, count: int = 62) -> None:
    """An hour of minutes, each with its own move."""
    start_ms = (play.now_ms // 60_000 - count) * 60_000
    bars = []
    for index in range(count * 6):
        close = 75.10 + sign * math.sin(index // 6 * 1.7) * 0.01
        bars.append(Bar(ticker, start_ms + index * 10_000, close, close + 0.025, close - 0.025, close, 100))
    play.feed(e.HistoryLoaded(0, ticker, tuple(bars)))


def correlated(first: Callable[[str], object], sign: int, **changes: object) -> Playbook:
    play = Playbook(settings(correlation_sizing=True), per_ticker(**changes), not_connected(), no_history())
    waves(play, "CVNA")
    waves(play, "GLD", sign)
    play.setup.warm = True
    play.when(link_back, seconds(1))
    return play.when(first("CVNA"))  # type: ignore[operator]  # a step


def long_in(ticker: str) -> object:
    return buy(ticker=ticker)


def short_in(ticker: str) -> object:
    return sell(ticker=ticker)


@pytest.mark.parametrize(
    ("first", "sign", "shares"), [(long_in, 1, 66), (short_in, 1, 133), (long_in, -1, 133), (short_in, -1, 66)]
)
def test_what_moves_alike_shares_one_size(first: Callable[[str], object], sign: int, shares: int) -> None:
    """10,000 / (1 + 1 × 9,988.30 / 10,000) at 75.10 is 66 shares; against each other nothing is taken off."""
    play = correlated(first, sign).when(buy(ticker="GLD"))
    assert play.decisions[-1].shares == shares


def test_a_size_in_shares_is_adjusted_in_dollars() -> None:
    play = correlated(long_in, 1, size=Decimal(100), size_unit=SizeUnit.SHARES).when(buy(ticker="GLD"))
    assert play.decisions[-1].shares == 50


def test_what_cannot_be_measured_counts_in_full_and_a_flat_ticker_not_at_all() -> None:
    play = Playbook(settings(correlation_sizing=True)).when(buy(ticker="CVNA")).when(buy(ticker="GLD"))
    assert [decision.shares for decision in play.decisions] == [133, 66]


def test_an_add_does_not_share_with_its_own_position() -> None:
    play = Playbook(settings(correlation_sizing=True)).when(buy()).when(minutes(1))
    play.broker.prices["SOXL"] = Decimal("75.20")
    assert play.when(buy(0.9)).decisions[-1].shares == 66


def test_switched_off_nothing_is_adjusted() -> None:
    play = Playbook().when(buy(ticker="CVNA")).when(buy(ticker="GLD"))
    assert [decision.shares for decision in play.decisions] == [133, 133]


def test_nothing_is_left_over_from_prices_that_are_gone() -> None:
    play = Playbook().when(price_unknown, buy())
    assert play.decisions[-1].refusal == "data_stale"


def test_an_entry_explains_itself_with_its_figures_and_a_refusal_without_any_in_two_words() -> None:
    play = Playbook().when(buy())
    entered = play.decisions[-1]
    assert entered.explanation.startswith("enter: long 133 at 75.1 (atr 0.05, ")
    assert replace(entered, refusal=Refusal.STALE, values=()).explanation == "Refused: stale."
