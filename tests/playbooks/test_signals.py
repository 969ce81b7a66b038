"""SEMANTICS 2 and rules 0 to 2: every prediction ends as exactly one decision, acted on or refused by name."""

from __future__ import annotations

import math
from decimal import Decimal

import pytest

from core import events as e
from core.vocabulary import Refusal
from tests.support.happenings import (
    buy,
    happens,
    link_back,
    link_degraded,
    link_lost,
    predicted,
    quoted,
    restarted,
    resume,
    seconds,
    sell,
    suspend,
    unreadable,
    until,
)
from tests.support.in_words import ENTERS, bracket, refused
from tests.support.playbook import OPEN_MS, PLAN, Playbook, at, atr, flat, no_history, not_connected, price

ENTRY = [ENTERS, bracket(1, "BUY", 133, "74.80", "75.25")]
SHORT = [ENTERS, bracket(1, "SELL", 133, "75.40", "74.95")]


@pytest.mark.parametrize("signal", ["SELL", "SHORT"])
def test_sell_and_short_want_short(signal: str) -> None:
    Playbook(flat("SOXL"), atr("0.05"), price("75.10")).when(predicted(signal), then=SHORT)


def test_buy_wants_long() -> None:
    Playbook(flat("SOXL"), atr("0.05"), price("75.10")).when(buy(), then=ENTRY)


@pytest.mark.parametrize("signal", ["NEUTRAL", "HOLD", "buy", "", "STRONG_BUY"])
def test_every_other_word_wants_nothing_and_is_recorded(signal: str) -> None:
    Playbook().when(predicted(signal), then=[refused("no_side")])


@pytest.mark.parametrize(("confidence", "then"), [(0.50, ENTRY), (0.51, ENTRY), (0.49, [refused("below_threshold")])])
def test_one_inclusive_threshold(confidence: float, then: list[str]) -> None:
    Playbook().when(buy(confidence), then=then)


@pytest.mark.parametrize("confidence", [math.nan, -0.01, 1.01, math.inf])
def test_a_confidence_outside_0_to_1_is_refused(confidence: float) -> None:
    Playbook().when(buy(confidence), then=[refused("confidence_invalid")])


def test_a_confidence_of_exactly_1_is_one() -> None:
    Playbook().when(buy(1.0), then=ENTRY)


@pytest.mark.parametrize(
    ("age_seconds", "then"),
    [(120, ENTRY), (120.001, [refused("stale")]), (-5, ENTRY), (-5.001, [refused("from_future")])],
)
def test_age_is_judged_by_the_prediction_s_own_timestamp(age_seconds: float, then: list[str]) -> None:
    Playbook(at(600)).when(predicted("BUY", age_seconds=age_seconds), then=then)


def test_a_prediction_is_used_once_also_after_a_restart() -> None:
    play = Playbook().when(predicted("BUY", age_seconds=10), then=ENTRY)
    play.when(seconds(5)).when(predicted("BUY", age_seconds=15), then=[refused("duplicate")])
    play.when(restarted()).when(predicted("BUY", age_seconds=15), then=[refused("duplicate")])


def test_the_same_moment_with_another_signal_is_another_prediction() -> None:
    Playbook().when(predicted("HOLD", age_seconds=1)).when(predicted("BUY", age_seconds=1), then=ENTRY)


def test_a_refused_prediction_is_used_up_too() -> None:
    play = Playbook().when(suspend, predicted("BUY", age_seconds=0))
    play.when(resume, predicted("BUY", age_seconds=0), then=["phase: trading", refused("duplicate")])


def test_used_predictions_too_old_to_come_again_are_forgotten() -> None:
    play = Playbook()
    play.engine.state.used_predictions.update({f"SOXL|{number}|BUY": number for number in range(10_000)})
    play.when(buy(), then=ENTRY).check("remembered", lambda p: len(p.engine.state.used_predictions), 1)


def test_an_answer_that_cannot_be_parsed_is_one_refusal() -> None:
    Playbook().when(unreadable(), then=[refused("unreadable")])


def test_a_ticker_that_nobody_asked_for_is_refused() -> None:
    play = Playbook().when(predicted("BUY", ticker="TSLA", asked="TSLA"), then=[refused("unknown_ticker")])
    play.when(predicted("BUY", ticker="SOXS", asked="SOXL"), then=[refused("wrong_ticker")])


def test_an_answer_to_another_question_does_not_use_up_the_ticker_s_own() -> None:
    play = Playbook().when(predicted("BUY", ticker="SOXL", asked="SOXS"), then=[refused("wrong_ticker")])
    play.when(buy(), then=[ENTERS, bracket(1, "BUY", 133, "74.80", "75.25")])


def test_what_was_quoted_before_an_outage_is_no_fresh_price_after_it() -> None:
    play = Playbook().when(quoted(75.10, 75.10, 75.10)).when(link_lost, link_back)
    play.when(predicted("BUY", fresh=False), then=[refused("data_stale")])
    play.when(happens(e.MarketDataSeen(0, "SOXL")), seconds(1), predicted("BUY", fresh=False))
    assert play.decisions[-1].refusal is None
    assert play.decisions[-1].price == Decimal("75.1"), "the last bar's, which is newer than the quote"


def test_each_prediction_ends_as_one_numbered_decision() -> None:
    play = Playbook().when(buy(0.4)).when(predicted("HOLD")).when(unreadable()).when(buy(0.9), sell(0.9, "CVNA"))
    assert [decision.number for decision in play.decisions] == [1, 2, 3, 4, 5]
    assert [decision.refusal for decision in play.decisions[:3]] == [
        Refusal.BELOW_THRESHOLD, Refusal.NO_SIDE, Refusal.UNREADABLE,
    ]  # fmt: skip


def test_a_decision_names_the_figures_that_decided() -> None:
    play = Playbook(atr("0.05")).when(buy(0.61))
    decision = play.decisions[0]
    assert decision.order_ref == "DU1-20231114/SOXL/1/entry"
    assert (decision.shares, str(decision.price), decision.signal, decision.confidence) == (133, "75.1", "BUY", 0.61)
    assert decision.capital_efficiency == pytest.approx(133 * 75.10 / 10_000)
    assert dict(decision.values) == {
        "atr": "0.05",
        "confidence_threshold": "0.5",
        "costs_per_share": "0.0150",
        "daily_pnl": "0",
        "price_jump_fraction": "0.000000",
        "spread_fraction": "0.000000",
        "stop_distance": "0.300",
        "target_distance": "0.150",
    }


# --- rule 0: connection and data ------------------------------------------------------------------------------------


def test_signals_while_not_connected_are_refused() -> None:
    play = Playbook().when(link_lost).when(buy(), then=[refused("not_connected")])
    play.when(link_back).when(seconds(1), buy(), then=ENTRY)


def test_a_degraded_link_takes_no_entries() -> None:
    Playbook().when(link_degraded).when(buy(), then=[refused("not_connected")])


def test_no_decision_before_the_broker_was_read_back_after_a_reconnect() -> None:
    play = Playbook().when(link_lost)
    play.broker.mute = True
    play.when(link_back).when(buy(), then=[refused("not_connected")])


def test_before_the_first_read_back_the_session_is_starting() -> None:
    play = Playbook(not_connected())
    play.broker.mute = True
    play.when(link_back, buy(), then=[refused("session_starting")])


def test_data_older_than_5_s_is_stale() -> None:
    Playbook(no_history()).when(predicted("BUY", fresh=False), then=[refused("data_stale")])


# --- rule 1: the session --------------------------------------------------------------------------------------------


def test_no_entry_before_the_open() -> None:
    play = Playbook(at(-1)).when(buy(), then=[refused("market_not_open")])
    play.when(until(OPEN_MS), then=["phase: trading"]).when(buy(), then=ENTRY)


def test_a_suspended_session_takes_no_entry_until_resumed() -> None:
    play = Playbook().when(suspend, then=["phase: suspended"]).when(buy(), then=[refused("session_suspended")])
    play.when(resume, then=["phase: trading"]).when(seconds(1), buy(), then=ENTRY)


def test_whoever_suspends_need_not_say_who_it_is() -> None:
    Playbook().when(happens(e.SuspendRequested(0, ""))).when(buy(), then=[refused("session_suspended")])


def test_entries_stop_60_s_before_the_closure() -> None:
    play = Playbook(at((PLAN.closure_ms - OPEN_MS) // 1000 - 60)).when(buy(), then=ENTRY)
    play.when(seconds(0.001)).when(buy(ticker="CVNA"), then=[refused("session_closing")])
    play.when(until(PLAN.closure_ms)).when(buy(ticker="GLD"), then=[refused("session_closing")])
