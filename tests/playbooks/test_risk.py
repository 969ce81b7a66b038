"""SEMANTICS 8: every limit refuses by its own name, no limit blocks an exit, what is not a number refuses."""

from __future__ import annotations

import math
import re
import sys
from dataclasses import fields
from decimal import Decimal
from pathlib import Path

import pytest

from core import events as e
from core.errors import InvalidValueError
from core.params import RiskLimits, SizeUnit
from core.vocabulary import Leg, Phase
from tests.support.happenings import (
    bar,
    buy,
    filled,
    flatten,
    happens,
    link_back,
    link_lost,
    market_orders_wait,
    minutes,
    ordered_by_hand,
    predicted,
    quoted,
    refuses,
    restarted,
    resume,
    seconds,
    sell,
    trades_at,
)
from tests.support.in_words import ENTERS, bracket, modifies, refused
from tests.support.playbook import (
    PLAN,
    Playbook,
    Step,
    atr,
    instrument,
    limits,
    no_limits,
    per_ticker,
    price,
    settings,
)

ENTRY = [ENTERS, bracket(1, "BUY", 133, "74.80", "75.25")]


# --- one position ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("limit", "then"), [("9988.30", ENTRY), ("9988.29", [refused("max_position_value")])])
def test_value_of_a_position(limit: str, then: list[str]) -> None:
    Playbook(limits(max_position_value=Decimal(limit))).when(buy(), then=then)


@pytest.mark.parametrize(("limit", "then"), [(133, ENTRY), (132, [refused("max_position_shares")])])
def test_shares_of_a_position(limit: int, then: list[str]) -> None:
    Playbook(limits(max_position_shares=limit)).when(buy(), then=then)


def test_an_add_counts_with_what_is_held_and_a_reversal_does_not() -> None:
    play = Playbook(limits(max_position_shares=150)).when(buy()).when(minutes(1))
    play.broker.prices["SOXL"] = Decimal("75.20")
    play.when(buy(0.9), then=[refused("max_position_shares")]).when(seconds(1), sell())
    play.check("reversed", lambda p: p.engine.position("SOXL"), -132)


# --- all positions --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("limit", "refusal"), [("19976.60", None), ("19976.59", "max_gross_exposure")])
def test_gross_exposure_adds_long_and_short(limit: str, refusal: str | None) -> None:
    play = Playbook(limits(max_gross_exposure=Decimal(limit))).when(buy(ticker="CVNA")).when(sell(ticker="GLD"))
    assert play.decisions[-1].refusal == refusal


def test_an_entry_in_flight_counts_as_exposure() -> None:
    play = Playbook(limits(max_gross_exposure=Decimal(15_000))).when(market_orders_wait, buy(ticker="CVNA"))
    play.when(buy(ticker="GLD"), then=[refused("max_gross_exposure")])


@pytest.mark.parametrize(
    ("first", "second", "refusal"),
    [("BUY", "SELL", "max_sector_exposure"), ("SELL", "BUY", "max_sector_exposure"), ("BUY", "BUY", None)],
)
def test_a_sector_s_net_bet_counts_inverse_products_against_their_sign(
    first: str, second: str, refusal: str | None
) -> None:
    given = limits(max_sector_exposure=Decimal(12_000), max_pair_bet_sizes=None)
    play = Playbook(given).when(predicted(first, ticker="SOXL")).when(predicted(second, ticker="SOXS"))
    assert play.decisions[-1].refusal == refusal


def test_other_sectors_and_tickers_without_one_do_not_count() -> None:
    given = limits(max_sector_exposure=Decimal(10_000))
    play = Playbook(given).when(buy(ticker="SOXL")).when(buy(ticker="CVNA"))
    assert play.decisions[-1].refusal is None
    play = Playbook(given, per_ticker(sector="")).when(buy(ticker="SOXL")).when(sell(ticker="SOXS"))
    assert play.decisions[-1].refusal == "max_pair_bet"


@pytest.mark.parametrize(
    ("first", "second", "refusal"),
    [
        ("SOXL BUY", "SOXS SELL", "max_pair_bet"), ("SOXS SELL", "SOXL BUY", "max_pair_bet"),
        ("SOXL BUY", "SOXS BUY", None), ("GLD BUY", "SLV BUY", "max_pair_bet"),
        ("SLV SELL", "GLD SELL", "max_pair_bet"),
        ("GLD BUY", "SLV SELL", None), ("CVNA BUY", "SLV SELL", None),
    ],
)  # fmt: skip
def test_a_correlated_pair_is_one_bet(first: str, second: str, refusal: str | None) -> None:
    def step(text: str) -> Step:
        ticker, signal = text.split()
        return predicted(signal, ticker=ticker)

    play = Playbook(limits(max_sector_exposure=None)).when(step(first)).when(step(second))
    assert play.decisions[-1].refusal == refusal


def test_a_pair_s_limit_is_1_5_times_the_ticker_s_size_also_in_shares() -> None:
    shares = per_ticker(size=Decimal(100), size_unit=SizeUnit.SHARES)
    play = Playbook(shares, limits(max_sector_exposure=None, max_pair_bet_sizes=Decimal("2.0")))
    play.when(buy(ticker="SOXL")).when(sell(ticker="SOXS"))
    assert play.decisions[-1].refusal is None
    play = Playbook(shares, limits(max_sector_exposure=None, max_pair_bet_sizes=Decimal("1.99")))
    play.when(buy(ticker="SOXL")).when(sell(ticker="SOXS"), then=[refused("max_pair_bet")])


@pytest.mark.parametrize(("limit", "refusal"), [("79.80", None), ("79.79", "max_portfolio_heat")])
def test_portfolio_heat_is_what_all_stops_together_would_cost(limit: str, refusal: str | None) -> None:
    """133 shares × 0.30 to the stop, twice."""
    play = Playbook(limits(max_portfolio_heat=Decimal(limit))).when(buy(ticker="CVNA")).when(buy(ticker="GLD"))
    assert play.decisions[-1].refusal == refusal


def test_heat_grows_with_the_distance_from_the_mark_and_counts_entries_in_flight() -> None:
    play = Playbook(limits(max_portfolio_heat=Decimal(90))).when(buy(ticker="CVNA")).when(trades_at("75.20", "CVNA"))
    play.when(buy(ticker="GLD"), then=[refused("max_portfolio_heat")])
    play = Playbook(limits(max_portfolio_heat=Decimal(60))).when(market_orders_wait, buy(ticker="CVNA"))
    play.when(buy(ticker="GLD"), then=[refused("max_portfolio_heat")])


def test_a_position_beyond_its_stop_has_no_heat_left() -> None:
    play = Playbook(limits(max_portfolio_heat=Decimal(40))).when(buy(ticker="CVNA"))
    play.engine.state.books["CVNA"].mark = 74.00
    play.when(buy(ticker="GLD"))
    assert play.decisions[-1].refusal is None


# --- the market -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bid", "ask", "refusal"),
    [
        (74.90, 75.2744, None), (74.90, 75.2757, "max_spread"), (math.nan, 75.10, "max_spread"),
        (74.90, math.nan, "max_spread"), (0.0, 0.0, "max_spread"), (None, 75.10, None), (-1.0, 0.5, "max_spread"),
        (0.80, 0.8030, "price_jump"), (0.80, 0.8070, "max_spread"),
    ],
)  # fmt: skip
def test_a_spread_above_half_a_percent_of_the_mid(bid: float | None, ask: float, refusal: str | None) -> None:
    play = Playbook(atr("0.50"), limits(max_portfolio_heat=None))
    play.when(quoted(bid, ask, 75.10), predicted("BUY", fresh=False))
    assert play.decisions[-1].refusal == refusal


@pytest.mark.parametrize(
    ("now", "refusal"), [("76.60", None), ("76.61", "price_jump"), ("73.60", None), ("73.59", "price_jump")]
)
def test_a_price_that_jumped_2_percent_from_the_last_bar(now: str, refusal: str | None) -> None:
    play = Playbook(limits(max_portfolio_heat=None))
    play.broker.prices["SOXL"] = Decimal(now)
    play.when(buy())
    assert play.decisions[-1].refusal == refusal


# --- counts ---------------------------------------------------------------------------------------------------------


def traded(play: Playbook, ticker: str = "SOXL") -> Playbook:
    play.ticker = ticker
    return play.when(minutes(4), buy(ticker=ticker)).when(filled("target", 133, "75.25"), seconds(3))


def test_trades_of_a_ticker_and_of_all() -> None:
    play = Playbook(limits(max_trades_per_ticker=1, max_trades=2))
    traded(play).when(minutes(4), buy(), then=[refused("max_ticker_trades")])
    traded(play, "CVNA").when(minutes(4), buy(ticker="GLD"), then=[refused("max_session_trades")])


def test_an_entry_in_flight_is_a_trade_and_an_add_is_none() -> None:
    play = Playbook(limits(max_trades=1)).when(market_orders_wait, buy())
    play.when(buy(ticker="CVNA"), then=[refused("max_session_trades")])
    play = Playbook(limits(max_trades=1)).when(buy()).when(minutes(1))
    play.broker.prices["SOXL"] = Decimal("75.20")
    play.when(buy(0.9)).check("added", lambda p: p.decisions[-1].outcome, "scale_in")


def test_orders_a_minute() -> None:
    play = Playbook(limits(max_orders_per_minute=8)).when(buy(ticker="CVNA")).when(seconds(30), buy(ticker="GLD"))
    play.when(seconds(29.999), buy(), then=[refused("max_orders_per_minute")])
    play.when(seconds(0.001), buy())
    assert play.decisions[-1].refusal is None


def test_three_rejected_entries_in_a_row_stop_all_entries_until_a_person_resumes() -> None:
    play = Playbook().when(refuses(Leg.ENTRY))
    for ticker in ("CVNA", "GLD", "SLV"):
        play.when(buy(ticker=ticker))
    play.when(refuses(), buy(), then=[refused("rejects_in_a_row")])
    play.when(resume, seconds(1), buy(), then=[ENTERS, bracket(4, "BUY", 133, "74.80", "75.25")])


def test_a_filled_entry_ends_the_row_of_rejects() -> None:
    play = Playbook().when(refuses(Leg.ENTRY), buy(ticker="CVNA"), buy(ticker="GLD")).when(refuses(), buy())
    assert play.engine.state.rejects_in_a_row == 0


def test_a_rejected_entry_blocks_its_ticker_for_30_s_and_starts_no_cooldown() -> None:
    play = Playbook().when(refuses(Leg.ENTRY)).when(buy())
    play.when(refuses(), seconds(29.999), buy(), then=[refused("reject_pause")])
    play.when(seconds(0.001), buy(), then=[ENTERS, bracket(2, "BUY", 133, "74.80", "75.25")])


def test_after_3_stop_outs_in_a_row_a_ticker_rests_for_the_day() -> None:
    play = Playbook()
    for _ in range(3):
        play.when(seconds(5), buy()).when(filled("stop", 133, "74.80"))
    play.when(minutes(60), buy(), then=[refused("stop_outs_in_a_row")])
    play.when(buy(ticker="CVNA")).check("others trade", lambda p: p.decisions[-1].refusal, None)


def test_three_stop_outs_in_a_row_stay_whatever_ends_after_them() -> None:
    """An order already on its way fills after the third, and ends by its target: the ticker still rests."""
    play = Playbook(settings(scale_in_min_move_atr=0.0))
    for _ in range(2):
        play.when(seconds(5), buy()).when(filled("stop", 133, "74.80"))
    play.when(minutes(1), buy()).when(market_orders_wait, minutes(1), buy())
    play.when(filled("stop#3", 133, "74.80")).when(filled("entry#4", 66, "75.10")).when(filled("target#4", 66, "75.25"))
    assert [trade.exit_reason for trade in play.trades.values()] == ["stop", "stop", "stop", "target"]
    play.when(minutes(60), buy(), then=[refused("stop_outs_in_a_row")])


def test_another_end_breaks_the_row_of_stop_outs() -> None:
    play = Playbook()
    for leg in ("stop", "stop", "target", "stop", "stop"):
        play.when(minutes(4), buy()).when(filled(leg, 133, "75.00"))
    play.when(minutes(4), buy())
    assert play.decisions[-1].refusal is None


# --- the account ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("power", "refusal"), [("9988.30", None), ("9988.29", "buying_power"), (None, None), ("NaN", "buying_power")]
)
def test_buying_power(power: str | None, refusal: str | None) -> None:
    known = None if power is None else Decimal(power)
    play = Playbook().when(happens(e.AccountRead(0, known, None, None))).when(buy())
    assert play.decisions[-1].refusal == refusal


def test_an_answer_without_buying_power_does_not_make_the_known_one_unknown() -> None:
    play = Playbook().when(happens(e.AccountRead(0, Decimal(500), None, None), e.AccountRead(0, None, None, None)))
    play.when(buy(), then=[refused("buying_power")])


def test_an_entry_in_flight_uses_up_buying_power() -> None:
    play = Playbook().when(happens(e.AccountRead(0, Decimal(15_000), None, None))).when(market_orders_wait, buy())
    play.when(buy(ticker="CVNA"), then=[refused("buying_power")])


@pytest.mark.parametrize(("shortable", "refusal"), [(False, "not_shortable"), (True, None), (None, None)])
def test_shares_that_cannot_be_borrowed(shortable: bool | None, refusal: str | None) -> None:
    play = Playbook(instrument(shortable=shortable)).when(sell())
    assert play.decisions[-1].refusal == refusal
    play.when(buy(ticker="CVNA")).check("long is free", lambda p: p.decisions[-1].refusal, None)


@pytest.mark.parametrize(("allowed", "refusal"), [(False, "foreign_position"), (True, None)])
def test_a_ticker_in_which_the_account_holds_other_shares(allowed: bool, refusal: str | None) -> None:
    play = Playbook(settings(allow_foreign_positions=allowed))
    play.broker.positions["SOXL"] = 50
    play.engine.state.ever_reconciled = False
    play.when(link_lost, link_back, then=["warning: foreign_position"]).when(buy())
    assert play.decisions[-1].refusal == refusal


def test_a_ticker_in_which_another_has_orders() -> None:
    Playbook().when(ordered_by_hand(), then=["warning: foreign_order"]).when(buy(), then=[refused("foreign_position")])


# --- the day's loss -------------------------------------------------------------------------------------------------


def test_the_loss_is_watched_on_every_bar_and_halts_for_the_day() -> None:
    """133 shares lose 1.00: -133.00, less the commission of 1.00."""
    play = Playbook(limits(max_daily_loss=Decimal(134))).when(buy())
    play.broker.orders[play.ref("stop")].armed = False
    play.broker.prices["SOXL"] = Decimal("74.10")
    play.when(quoted(74.10, 74.10), bar(74.11), then=[])
    play.when(bar(74.10), then=[
        "critical: halt", "phase: halted", modifies("target#1", 133, "74.02"), "trade: long 133 loss_limit -133.00",
    ])  # fmt: skip
    play.when(seconds(5), buy(ticker="CVNA"), then=[refused("session_halted")])
    play.when(resume, then=[]).when(restarted(), seconds(1), buy(ticker="GLD"), then=[refused("session_halted")])


def test_realised_losses_and_commissions_count() -> None:
    play = Playbook(limits(max_daily_loss=Decimal("41.90"))).when(buy())
    play.when(filled("stop", 133, "74.80"), then=["trade: long 133 stop -39.90", "critical: halt", "phase: halted"])


def test_a_halted_session_still_closes() -> None:
    play = Playbook(limits(max_daily_loss=Decimal(10))).when(buy()).when(filled("stop", 133, "74.80"))
    play.pass_time(PLAN.closure_ms)
    play.check("phase", lambda p: p.engine.state.phase, Phase.CLOSED)
    play.check("remembered", lambda p: bool(p.engine.state.halted), True)


def test_a_halt_at_the_limit_is_found_again_when_even_the_journal_is_lost() -> None:
    play = Playbook(limits(max_daily_loss=Decimal(30))).when(buy()).when(filled("stop", 133, "74.80"))
    play.when(restarted(journal=False)).check("phase", lambda p: p.engine.state.phase, Phase.HALTED)


def test_the_limit_is_asked_before_an_entry_too() -> None:
    play = Playbook(limits(max_daily_loss=Decimal(30)))
    play.engine.state.ledger.cash = Decimal(-30)
    play.when(buy(), then=[refused("max_daily_loss")])


@pytest.mark.parametrize("close", [math.nan, math.inf, -1.0, 0.0, 1e-30, sys.float_info.max])
def test_an_unknown_pnl_halts(close: float) -> None:
    play = Playbook().when(buy()).when(bar(close))
    play.check("phase", lambda p: p.engine.state.phase, Phase.HALTED)


def test_an_unusable_bar_without_a_position_is_only_passed_over() -> None:
    play = Playbook().when(bar(math.nan), then=["warning: bar"]).when(buy(), then=ENTRY)
    play.check("P&L", lambda p: p.engine.daily_pnl().is_nan(), False)


def test_an_unknown_pnl_refuses() -> None:
    play = Playbook(limits(max_daily_loss=Decimal(1_000))).when(buy())
    play.engine.state.books["SOXL"].mark = math.nan
    play.when(buy(ticker="CVNA"), then=[refused("pnl_unknown")])
    play.check("P&L", lambda p: p.engine.daily_pnl().is_nan(), True)


def test_unknown_values_refuse_where_exposure_is_limited() -> None:
    for limit, refusal in (
        ("max_gross_exposure", "max_gross_exposure"), ("max_sector_exposure", "max_sector_exposure"),
        ("max_pair_bet_sizes", "max_pair_bet"), ("max_portfolio_heat", "max_portfolio_heat"),
    ):  # fmt: skip
        play = Playbook(no_limits(), limits(**{limit: Decimal(100_000)})).when(buy(ticker="SOXS"))
        play.engine.state.books["SOXS"].mark = math.nan
        play.when(buy(), then=[refused(refusal)])


# --- the limits themselves ------------------------------------------------------------------------------------------


def test_every_limit_can_be_off() -> None:
    play = Playbook(no_limits(), price("75.10")).when(buy(), then=ENTRY).when(bar(70.0), then=[])
    play.broker.prices["SOXL"] = Decimal("75.10")
    play.when(sell(ticker="SOXS")).check("no pair", lambda p: p.decisions[-1].refusal, None)


@pytest.mark.parametrize("limit", [field.name for field in fields(RiskLimits)])
def test_a_limit_that_is_not_a_number_is_refused(limit: str) -> None:
    for figure in (Decimal("NaN"), Decimal("Infinity")):
        with pytest.raises(InvalidValueError, match=limit):
            RiskLimits(**{limit: figure})


@pytest.mark.parametrize("limit", [field.name for field in fields(RiskLimits)])
def test_every_limit_is_read_by_a_rule(limit: str) -> None:
    core = Path(__file__).parents[2] / "core"
    readers = [path for path in core.rglob("*.py") if re.search(rf"(risk|limits)\.{limit}\b", path.read_text())]
    assert readers, f"{limit} is defined and nothing reads it"


def test_with_every_limit_at_zero_a_flatten_still_works_case_30() -> None:
    play = Playbook().when(buy())
    zero = {field.name: 0.0 if "fraction" in field.name else Decimal(0) for field in fields(RiskLimits)}
    play.engine._desk.params = type(play.params)(tickers=play.params.tickers, risk=RiskLimits(**zero))
    play.when(flatten()).check("ended by", lambda p: p.trades[1].exit_reason, "flatten")
    play.check("flat", lambda p: p.engine.is_flat(), True)
