"""SEMANTICS 5, rules 4 to 7: orders in flight, cooldowns, scaling in, reversing."""

from __future__ import annotations

from decimal import Decimal

import pytest

from core.vocabulary import Side
from tests.support.happenings import (
    broker_mute,
    broker_speaks,
    buy,
    filled,
    filled_unheard,
    flatten,
    market_orders_fill,
    market_orders_wait,
    minutes,
    predicted,
    price_unknown,
    quoted,
    restarted,
    seconds,
    sell,
    suspend,
    trades_at,
)
from tests.support.in_words import ENTERS, REVERSES, SCALES_IN, bracket, market_exit, modifies, refused
from tests.support.playbook import Playbook, atr, doubts, price, settings

COOLDOWN = refused("cooldown")


def cooldown_of(play: Playbook) -> set[Side]:
    return set(play.engine.state.books["SOXL"].cooldown_ms)


# --- rule 4: in flight ----------------------------------------------------------------------------------------------


def test_no_second_entry_while_one_is_in_flight() -> None:
    play = Playbook().when(market_orders_wait, buy())
    play.when(seconds(1), buy(), then=[refused("order_in_flight")])
    play.when(filled("entry", 100, "75.10"), seconds(0.5), buy(), then=[refused("order_in_flight")])


def test_no_decision_while_a_modification_is_in_flight() -> None:
    play = Playbook().when(market_orders_wait, buy()).when(broker_mute)
    play.broker.mute = False
    execution = play.broker.fill(play.ref("entry"), 133, "75.20")
    assert execution.shares == 133
    heard = [event for event in play.broker.outbox if "OrderReported" not in type(event).__name__]
    play.broker.outbox.clear()
    play.broker.mute = True
    for event in heard:
        play.feed(event)
    play.when(seconds(1), sell(), then=[refused("order_in_flight")])
    play.when(broker_speaks, seconds(20)).when(sell())
    assert play.decisions[-1].refusal is None


def test_no_decision_while_an_exit_runs() -> None:
    play = Playbook().when(buy()).when(price_unknown).when(flatten()).when(quoted(75.1, 75.1, 75.1))
    play.when(predicted("SELL", fresh=False), then=[refused("order_in_flight")])


# --- rule 5: cooldown -----------------------------------------------------------------------------------------------


def test_the_cooldown_starts_at_the_first_fill_and_blocks_its_side_for_less_than_3_min() -> None:
    play = Playbook().when(market_orders_wait, buy()).when(seconds(30)).when(filled("entry", 33, "75.10"))
    play.when(seconds(30)).when(filled("entry", 100, "75.10")).when(filled("target", 133, "75.25"))
    play.when(seconds(149.999), buy(), then=[COOLDOWN])
    play.when(market_orders_fill, seconds(0.001), buy(), then=[ENTERS, bracket(3, "BUY", 133, "74.80", "75.25")])


def test_the_other_side_is_free() -> None:
    play = Playbook().when(buy()).when(filled("target", 133, "75.25"))
    play.when(seconds(1), sell(), then=[ENTERS, bracket(2, "SELL", 133, "75.40", "74.95")])


def test_a_cooldown_survives_a_restart() -> None:
    play = Playbook().when(buy()).when(filled("target", 133, "75.25")).when(restarted())
    play.when(seconds(1), buy(), then=[COOLDOWN])


def test_a_stop_clears_both_sides_at_once() -> None:
    play = Playbook().when(buy()).when(filled("target", 133, "75.25")).when(seconds(5), sell())
    assert cooldown_of(play) == {Side.LONG, Side.SHORT}
    play.when(filled("stop", 133, "75.40"), then=["trade: short 133 stop -39.90"])
    assert cooldown_of(play) == set()
    play.when(seconds(5), buy(), then=[ENTERS, bracket(3, "BUY", 133, "74.80", "75.25")])


def test_a_stop_that_is_heard_of_before_its_entry_clears_them_too() -> None:
    play = Playbook().when(market_orders_wait, buy()).when(filled_unheard("entry", 133, "75.10"))
    play.when(filled("stop", 133, "74.80"))  # the read-back that it asks for tells of the entry
    play.check("trades", lambda p: p.engine.trades_closed, 1)
    assert cooldown_of(play) == set()


@pytest.mark.parametrize("ends_by", ["target", "timed_exit"])
def test_other_ends_do_not_clear_it(ends_by: str) -> None:
    play = Playbook().when(buy()).when(filled(ends_by, 133, "75.10"), then=[f"trade: long 133 {ends_by} +0.00"])
    play.when(seconds(5), buy(), then=[COOLDOWN])


def test_a_manual_exit_does_not_clear_it() -> None:
    play = (
        Playbook()
        .when(buy())
        .when(flatten(), then=[modifies("target#1", 133, "75.02"), "trade: long 133 flatten +0.00"])
    )
    play.when(seconds(5), buy(), then=[COOLDOWN])


def test_an_entry_that_never_fills_starts_none() -> None:
    play = (
        Playbook()
        .when(market_orders_wait, buy())
        .when(flatten(), then=["cancel entry#1", "cancel stop#1", "cancel target#1", "cancel timed_exit#1"])
    )
    assert cooldown_of(play) == set()


# --- rule 6: scale in -----------------------------------------------------------------------------------------------


def risen(cents: int) -> Playbook:
    """Long 133 SOXL from 75.10 with an ATR of 0.05, the market so many cents higher and below the target."""
    play = Playbook(atr("0.05")).when(buy()).when(minutes(1))
    play.broker.prices["SOXL"] += Decimal(cents) / 100
    return play


def test_an_add_is_half_the_size_and_a_bracket_of_its_own_and_both_follow_the_common_average() -> None:
    play = risen(5)
    play.when(buy(0.55), then=[
        SCALES_IN,
        bracket(2, "BUY", 66, "74.85", "75.30"),
        modifies("stop#1", 133, "74.81"), modifies("target#1", 133, "75.26"),
        modifies("stop#2", 66, "74.81"), modifies("target#2", 66, "75.26"),
    ])  # fmt: skip
    play.check("position", lambda p: p.engine.position("SOXL"), 199)


@pytest.mark.parametrize(
    ("confidence", "cents", "then"),
    [(0.55, 5, SCALES_IN), (0.5499, 5, "refused: same_side_weak"), (0.55, 4, "refused: same_side_no_move")],
)
def test_when_an_add_is_made(confidence: float, cents: int, then: str) -> None:
    play = risen(cents).when(buy(confidence))
    decision = play.decisions[-1]
    assert then == (f"refused: {decision.refusal}" if decision.refusal else f"decided: {decision.outcome}")


def test_a_short_position_is_added_to_after_a_fall() -> None:
    play = Playbook(atr("0.05")).when(sell()).when(minutes(1))
    play.broker.prices["SOXL"] -= Decimal("0.05")
    play.when(sell(0.60)).check("outcome", lambda p: p.decisions[-1].outcome, "scale_in")
    play.check("position", lambda p: p.engine.position("SOXL"), -199)


def test_one_add_is_made_at_most() -> None:
    play = risen(5).when(buy(0.60)).when(minutes(4))
    play.broker.prices["SOXL"] = Decimal("75.25")
    play.when(buy(0.90), then=[refused("same_side_max_adds")])


def test_an_add_that_is_gone_still_counts() -> None:
    play = risen(5).when(buy(0.60)).when(seconds(5)).when(filled("target#2", 66, "75.26"), minutes(4))
    play.broker.prices["SOXL"] = Decimal("75.25")
    play.when(buy(0.90), then=[refused("same_side_max_adds")])


def test_an_add_starts_no_cooldown_and_an_ignored_signal_changes_no_timer() -> None:
    play = risen(5)
    before = dict(play.engine.state.books["SOXL"].cooldown_ms)
    play.when(seconds(10), buy(0.60)).when(seconds(10), buy(0.51))
    assert play.engine.state.books["SOXL"].cooldown_ms == before


def test_an_add_that_fills_after_its_position_ended_is_an_entry() -> None:
    """The stop was faster. The shares open a trade of their own: with its ATR, its cooldown, and an add to come."""
    play = risen(5).when(market_orders_wait, buy(0.60)).when(filled("stop#1", 133, "74.80"), seconds(1))
    assert cooldown_of(play) == set()
    play.when(filled("entry#2", 66, "74.80")).when(filled("target#2", 66, "75.00"))
    assert [(trade.adds, trade.shares, round(trade.atr or 0, 9)) for trade in play.trades.values()] == [
        (0, 133, 0.05), (0, 66, 0.05),
    ]  # fmt: skip
    assert cooldown_of(play) == {Side.LONG}


def test_an_add_is_known_as_one_also_without_a_journal() -> None:
    play = risen(5).when(buy(0.60)).when(restarted(journal=False)).when(minutes(4))
    play.broker.prices["SOXL"] = Decimal("75.25")
    play.when(buy(0.90), then=[refused("same_side_max_adds")])


def test_the_trade_tells_of_its_add() -> None:
    play = risen(5).when(buy(0.60)).when(seconds(1)).when(filled("stop#2", 66, "74.81"), filled("stop#1", 133, "74.81"))
    assert [(trade.adds, trade.shares, trade.exit_reason) for trade in play.trades.values()] == [(1, 199, "stop")]


def test_both_brackets_exit_together() -> None:
    play = risen(5).when(buy(0.60)).when(price_unknown)
    play.when(flatten(), then=[modifies("target#1", 133, "75.07"), modifies("target#2", 66, "75.07")])
    play.when(filled("target#1", 133, "75.10"), filled("target#2", 66, "75.10"), seconds(1))
    play.check("flat", lambda p: (p.engine.is_flat(), p.engine.has_working_orders()), (True, False))


# --- rule 7: reverse ------------------------------------------------------------------------------------------------


def test_a_reversal_exits_verifies_and_enters() -> None:
    play = Playbook().when(buy()).when(minutes(1))
    play.when(sell(), then=[
        REVERSES,
        modifies("target#1", 133, "75.02"),
        "trade: long 133 reversal +0.00",
        "read: exit of SOXL",
        bracket(2, "SELL", 133, "75.40", "74.95"),
    ])  # fmt: skip
    play.check(
        "one decision", lambda p: (len(p.decisions), p.decisions[-1].order_ref), (2, "DU1-20231114/SOXL/2/entry")
    )
    play.check("position", lambda p: p.engine.position("SOXL"), -133)


def test_a_reversal_from_short() -> None:
    play = Playbook().when(sell()).when(minutes(1)).when(buy())
    play.check("position", lambda p: p.engine.position("SOXL"), 133)


def test_a_reversal_needs_its_side_free_of_cooldown() -> None:
    play = Playbook().when(buy()).when(filled("target", 133, "75.25")).when(seconds(5), sell())
    play.when(seconds(5), buy(), then=[COOLDOWN])


def test_a_reversal_s_entry_starts_a_cooldown() -> None:
    play = Playbook().when(buy()).when(minutes(1), sell()).when(minutes(1))
    assert cooldown_of(play) == {Side.LONG, Side.SHORT}
    play.when(filled("target", 133, "74.95"), sell(), then=["trade: short 133 target +19.95", COOLDOWN])


def test_not_flat_in_10_s_means_no_entry() -> None:
    play = Playbook().when(buy()).when(minutes(1), price_unknown, market_orders_wait, quoted(75.1, 75.1, 75.1))
    play.when(predicted("SELL", fresh=False), then=[REVERSES, modifies("target#1", 133, "75.02")])
    play.when(seconds(5), then=[modifies("target#1", 133, "74.72")])
    play.when(seconds(5), then=[
        "warning: reversal", "cancel stop#1", "cancel target#1", "cancel timed_exit#1", market_exit(3, "SELL", 133),
    ])  # fmt: skip
    play.when(filled("exit", 133, "75.00"), then=["trade: long 133 reversal -13.30"]).when(minutes(1), then=[])


def test_the_signal_must_still_hold_when_flat() -> None:
    play = Playbook().when(buy()).when(minutes(1), price_unknown, quoted(75.1, 75.1, 75.1))
    play.when(predicted("SELL", fresh=False), suspend)
    play.when(filled("target", 133, "75.10"), then=["trade: long 133 reversal +0.00", "warning: reversal"])


def test_a_signal_that_grew_old_on_the_way_is_dropped() -> None:
    play = Playbook().when(buy()).when(minutes(3), price_unknown, quoted(75.1, 75.1, 75.1))
    play.when(predicted("SELL", age_seconds=118, fresh=False)).when(seconds(3), quoted(75.1, 75.1, 75.1))
    play.when(filled("target", 133, "75.10"), then=["trade: long 133 reversal +0.00", "warning: reversal"])


def test_a_closure_takes_a_reversal_s_entry_away() -> None:
    play = Playbook().when(buy()).when(minutes(1), price_unknown, quoted(75.1, 75.1, 75.1))
    play.when(predicted("SELL", fresh=False)).when(flatten(), then=[])
    play.when(filled("target", 133, "75.10"), then=["trade: long 133 flatten +0.00"])


def test_a_reversal_that_its_own_stop_ends_goes_on() -> None:
    play = Playbook().when(buy()).when(minutes(1), price_unknown, quoted(75.1, 75.1, 75.1))
    play.when(predicted("SELL", fresh=False)).when(filled("stop", 133, "74.80"), then=[
        "trade: long 133 stop -39.90", bracket(2, "SELL", 133, "75.40", "74.95"),
    ])  # fmt: skip


def test_unrelated_tickers_do_not_touch_each_other() -> None:
    play = Playbook().when(buy()).when(buy(ticker="CVNA")).when(trades_at("74.00", "SOXL"))
    play.check("positions", lambda p: p.engine.positions(), {"CVNA": 133})


def test_settings_decide_all_of_it() -> None:
    wide = settings(scale_in_max_adds=2, scale_in_min_move_atr=0.5, scale_in_confidence_margin=0.0)
    play = Playbook(wide, atr("0.05"), price("75.10"), doubts()).when(buy()).when(minutes(1))
    play.broker.prices["SOXL"] = Decimal("75.13")
    play.when(buy(0.50)).when(minutes(1))
    play.broker.prices["SOXL"] = Decimal("75.20")
    play.when(buy(0.50)).check("adds", lambda p: [d.outcome for d in p.decisions], ["enter", "scale_in", "scale_in"])


def test_an_over_fill_is_closed_at_once_also_while_an_add_waits_to_be_filled() -> None:
    """The add's entry would hide it for as long as it waits."""
    play = Playbook().when(buy()).when(seconds(70), trades_at("75.18"), market_orders_wait, buy(0.9))
    play.check("added", lambda p: p.decisions[-1].outcome, "scale_in").when(filled("stop#1", 133, "74.80"))
    late = play.broker.orders[play.ref("target#1")].spec  # the group's cancel came too late
    play.broker.trade("SOXL", late.action, 133, "75.25", late.order_ref)
    play.when(seconds(1)).check("repair", lambda p: p.broker.orders[p.ref("repair")].total, 133)
    play.check("no entry", lambda p: p.broker.orders[p.ref("entry#2")].is_live, False)
