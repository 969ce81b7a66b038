"""ADR 21: an order whose cancel nobody confirms. It is waited for during 10 s, and then passed over."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from core.bracket import Stage
from core.commands import ReadBroker
from core.vocabulary import Action, Leg, OrderStatus, Phase
from tests.support.happenings import (
    being_cancelled,
    broker_mute,
    broker_speaks,
    buy,
    cancels_are_lost,
    cancels_end,
    cancels_hang,
    ended,
    filled,
    flatten,
    happens,
    link_back,
    link_lost,
    market_orders_fill,
    market_orders_wait,
    minutes,
    refuses,
    restarted,
    seconds,
    sell,
    stop_session,
    traded_by_hand,
    trades_at,
    until,
)
from tests.support.in_words import emergency, market_exit, modifies
from tests.support.playbook import PLAN, Given, Playbook, Step, doubts, settings
from tests.support.stuck import CANCELS, stuck

HANGS = "critical: hanging"


def account(play: Playbook) -> int:
    """What the account holds of the ticker."""
    return play.broker.positions["SOXL"]


def sent(play: Playbook, leg: Leg) -> list[int]:
    """The shares of the orders that were sent as this leg."""
    return [order.spec.shares for order in play.broker.orders.values() if order.leg == leg]


def passed_over(*givens: Given) -> Playbook:
    """Every leg hangs, and the market order is at the broker, where it waits."""
    return stuck(*givens).when(cancels_hang, flatten()).when(seconds(20))


# --- exits ----------------------------------------------------------------------------------------------------------


def test_an_exit_waits_10_s_for_a_cancel_and_then_goes_to_the_market() -> None:
    play = stuck().when(cancels_hang, flatten()).when(seconds(5)).when(seconds(5), then=CANCELS)
    play.when(seconds(9.999), then=[]).when(seconds(0.001), then=[HANGS, market_exit(2, "SELL", 133)])
    play.when(filled("exit", 133, "75.00"), then=["trade: long 133 flatten -13.30"])
    play.when(minutes(5), then=[]).check("not verified: they may fill", lambda p: p.engine.is_exited(), False)
    play.when(cancels_end, seconds(10), then=["over: hanging"]).check("flat", lambda p: p.engine.is_exited(), True)


def test_cancels_that_are_lost_are_repeated_and_then_hang_too() -> None:
    """The read-backs list the legs as working all the time."""
    play = stuck().when(cancels_are_lost, flatten()).when(seconds(5)).when(seconds(5), then=CANCELS)
    play.when(seconds(9.999)).check("repeated", lambda p: "hanging/SOXL" in p.alerts, False)
    play.when(seconds(0.001)).check("passed over", lambda p: (p.alerts, sent(p, Leg.EXIT)), (["hanging/SOXL"], [133]))
    play.when(seconds(29.999), then=["critical: exit"]).when(seconds(0.001), then=CANCELS)
    play.check("stays", lambda p: p.broker.orders[p.ref("exit")].is_live, True)
    play.when(cancels_end, seconds(30)).when(filled("exit", 133, "75.00"))
    play.check("flat", lambda p: p.engine.is_exited(), True)


def test_a_single_order_whose_cancels_are_lost_hangs_too() -> None:
    """The echo before each read-back drew a new cancel, and so no read-back told of the order."""
    play = stuck(doubts(cancel_takes_siblings=False, timed_exit_refused=True)).when(ended("target"))
    play.when(cancels_are_lost, flatten(), seconds(20)).check("passed over", lambda p: sent(p, Leg.EXIT), [133])


def test_a_cancel_that_is_slow_is_none_that_hangs() -> None:
    play = stuck().when(cancels_hang, flatten()).when(seconds(19))
    play.when(cancels_end, then=[market_exit(2, "SELL", 133)])


@pytest.mark.parametrize("how", [cancels_hang, cancels_are_lost])
def test_a_reversal_closes_and_does_not_enter(how: Step) -> None:
    play = stuck().when(how, sell(), then=["decided: reverse", modifies("target#1", 133, "75.02")]).when(seconds(20))
    play.when(filled("exit", 133, "75.10"), minutes(5)).check("flat", account, 0)
    play.when(cancels_end, minutes(5)).check("no entry", lambda p: sent(p, Leg.ENTRY), [133])
    assert "reversal/SOXL/1" in play.alerts


@pytest.mark.parametrize("how", [cancels_hang, cancels_are_lost])
def test_the_closure_closes_and_the_session_ends_only_once_nothing_can_fill(how: Step) -> None:
    play = stuck().when(how, until(PLAN.closure_ms)).when(seconds(20)).when(filled("exit", 133, "75.00"), minutes(5))
    play.check("phase", lambda p: (account(p), p.engine.state.phase), (0, Phase.CLOSING))
    play.when(cancels_end, seconds(31)).check("phase", lambda p: p.engine.state.phase, Phase.CLOSED)


def test_a_timed_exit_whose_time_has_come_is_not_doubled_by_another_market_order() -> None:
    """It is at the market already: a second order would fill no sooner, and then both."""
    play = stuck().when(cancels_hang, until(PLAN.closure_ms - 1000)).when(link_lost, until(PLAN.timed_exit_ms + 60_000))
    play.when(link_back, minutes(3)).check("none", lambda p: sent(p, Leg.EXIT), [])
    play.when(filled("timed_exit", 133, "75.00"), seconds(5)).check("flat", account, 0)


def test_a_timed_exit_whose_time_has_not_come_is_passed_over() -> None:
    passed_over().check("one", lambda p: sent(p, Leg.EXIT), [133])


def test_a_timed_exit_of_which_nobody_knows_the_time_is_passed_over() -> None:
    play = stuck().when(restarted(journal=False)).when(cancels_hang, flatten()).when(seconds(20))
    assert sent(play, Leg.EXIT) == [133]


def test_other_people_s_shares_are_sold_beside_an_order_of_ours_that_hangs() -> None:
    play = Playbook(settings(allow_foreign_positions=True)).when(buy()).when(cancels_hang)
    play.when(being_cancelled("stop"), filled("target", 133, "75.25"))
    play.when(traded_by_hand(Action.BUY, 50, "75.10"), seconds(30), flatten(whole_account=True), seconds(30))
    play.check("sold", account, 0).check("not verified", lambda p: p.engine.is_exited(), False)


def test_the_excess_of_what_hung_is_bought_back_within_a_second_each_time() -> None:
    """By the executions: the account's position may lag behind them."""
    play = (
        passed_over(doubts(positions_lag=True))
        .when(filled("exit", 133, "75.00"), seconds(60))
        .when(filled("stop", 50, "74.80"))
    )
    play.when(seconds(1)).check("repair", lambda p: sent(p, Leg.REPAIR), [50])
    play.when(filled("repair", 50, "74.81"), seconds(60)).check("flat", account, 0)
    play.when(filled("target", 133, "75.25"), seconds(1)).check("again", lambda p: sent(p, Leg.REPAIR), [50, 133])
    play.when(filled("repair", 133, "75.26"), seconds(5)).check("flat", account, 0)
    play.check("blocked", lambda p: p.engine.state.books["SOXL"].blocked, "over-fill")
    play.when(cancels_end, seconds(30)).check("over", lambda p: p.engine.is_exited(), True)


def test_what_hung_and_the_market_order_fill_in_the_same_second() -> None:
    play = passed_over().when(filled("exit", 133, "75.00"), filled("stop", 133, "74.80"), market_orders_fill)
    play.broker.prices["SOXL"] = Decimal("74.50")  # out of reach of the target
    play.when(seconds(1)).check("flat", account, 0).check("once", lambda p: sent(p, Leg.REPAIR), [133])


def test_a_market_order_gives_way_when_what_hung_sells_a_part() -> None:
    play = passed_over().when(filled("stop", 33, "74.80"))
    play.check("hangs itself", lambda p: sent(p, Leg.EXIT), [133]).when(minutes(1))
    play.check("not doubled", lambda p: sent(p, Leg.EXIT), [133]).when(filled("exit", 133, "75.00"), seconds(1))
    play.check("excess", lambda p: (account(p), sent(p, Leg.REPAIR)), (-33, [33]))


def test_a_market_order_that_can_still_be_cancelled_is_replaced_by_one_for_less() -> None:
    play = passed_over()
    play.broker.cancels_hang = False
    play.when(filled("stop", 33, "74.80"), seconds(2)).check("less", lambda p: sent(p, Leg.EXIT), [133, 100])
    play.check("one", lambda p: [o.total for o in p.broker.working("SOXL") if o.leg == Leg.EXIT], [100])


def test_an_entry_that_hangs_may_fill_after_the_exit_and_is_sold_as_well() -> None:
    play = Playbook().when(market_orders_wait, buy()).when(filled("entry", 40, "75.10")).when(cancels_hang, flatten())
    play.when(seconds(10)).when(filled("exit", 40, "75.00"), seconds(30)).check("flat", account, 0)
    play.when(filled("entry", 93, "75.10"), seconds(5)).check("sold", lambda p: sent(p, Leg.EXIT), [40, 93])


def test_an_entry_that_hangs_hides_no_over_fill() -> None:
    play = Playbook(doubts(arm_on_part=True)).when(market_orders_wait, buy()).when(filled("entry", 40, "75.10"))
    play.when(cancels_hang, flatten()).when(seconds(10)).when(filled("exit", 40, "75.00"), seconds(30))
    play.when(filled("stop", 40, "74.80"), seconds(2)).check("repair", lambda p: sent(p, Leg.REPAIR), [40])


def test_an_outage_gives_a_cancel_its_time_anew() -> None:
    """It may have been lost with the link."""
    play = (
        stuck()
        .when(cancels_hang, flatten())
        .when(seconds(15), link_lost, seconds(60))
        .when(link_back, then=["over: link"])
    )
    play.when(seconds(9.999), then=[])
    play.when(seconds(1), then=[HANGS, market_exit(2, "SELL", 133)])


def test_a_restart_goes_on_beside_what_hangs() -> None:
    play = passed_over().when(restarted(), seconds(30)).check("one", lambda p: sent(p, Leg.EXIT), [133])
    play.when(filled("exit", 133, "75.00"), seconds(30)).check("flat", account, 0)


def test_what_hangs_is_asked_for_every_10_s() -> None:
    play = passed_over().when(filled("exit", 133, "75.00"), seconds(10)).when(seconds(100))
    assert 10 <= sum(isinstance(command, ReadBroker) for command in play._seen) <= 11


def test_a_refused_market_order_places_no_third_stop_beside_two_that_hang() -> None:
    play = stuck().when(cancels_hang, refuses(Leg.EXIT), flatten()).when(seconds(20))
    play.check("one stands in", lambda p: sent(p, Leg.EMERGENCY_STOP), [133])
    play.when(minutes(10)).check("no more", lambda p: sent(p, Leg.EMERGENCY_STOP), [133])
    assert len(sent(play, Leg.EXIT)) > 2


# --- a position that is kept ----------------------------------------------------------------------------------------


def test_a_stop_that_is_being_cancelled_covers_for_10_s_and_is_then_replaced() -> None:
    play = stuck().when(being_cancelled("stop"), seconds(9.999), then=[])
    play.when(
        seconds(0.001),
        then=[HANGS, emergency(2, "SELL", 133, "74.80", "75.25"), "critical: emergency", *CANCELS[1:]],
    )
    play.when(seconds(1)).check("covered", lambda p: p.engine.state.books["SOXL"].exposed_since_ms, None)
    play.when(cancels_end, then=["over: hanging"]).when(minutes(5), then=[])


def test_a_stop_that_is_changed_while_it_is_being_cancelled_is_replaced_for_what_is_left() -> None:
    play = stuck().when(being_cancelled("stop"), filled("target", 33, "75.25"), minutes(1))
    play.check("what is left", lambda p: sent(p, Leg.EMERGENCY_STOP), [100])


def test_a_cancel_that_the_exchange_refused_leaves_the_stop_as_it_was() -> None:
    play = stuck()
    stop = play.broker.orders[play.ref("stop")]
    works = stop.status
    play.when(being_cancelled("stop"))
    stop.status = works
    play.when(minutes(5), then=[])
    play.when(cancels_hang, flatten(), seconds(19)).check("time anew", lambda p: p.alerts, [])


def test_a_change_that_is_not_answered_is_no_cancel_that_hangs() -> None:
    """Somebody had cancelled the stop before, and thought better of it."""
    play = stuck(doubts(reduces_siblings=False))
    play.broker.lists_by_echo = False  # an echo shows only a change of the price that got lost
    stop = play.broker.orders[play.ref("stop")]
    works = stop.status
    play.when(being_cancelled("stop"))
    stop.status = works
    play.when(seconds(8), filled("target", 33, "75.25"), broker_mute, seconds(10)).when(broker_speaks, seconds(30))
    play.check("none", lambda p: p.alerts, []).check("follows", lambda p: stop.total, 100)


def test_an_order_that_has_ended_and_is_still_listed_as_being_cancelled_does_not_hang() -> None:
    """The list lags behind the executions."""
    play = stuck()
    play.broker.orders[play.ref("entry")].status = OrderStatus.PENDING_CANCEL
    play.when(minutes(5), then=[]).check("three", lambda p: p.engine.working_orders(), 3)


def test_an_answer_that_tells_nothing_of_a_stop_is_not_asked_for_again_at_once() -> None:
    play = stuck().when(being_cancelled("stop"), broker_mute, seconds(10))
    listed, stop = play.broker.read_back(), play.ref("stop")
    rows = [replace(row, status=OrderStatus.INACTIVE) if row.order_ref == stop else row for row in listed.orders]
    play.when(happens(replace(listed, orders=tuple(rows))))
    assert not any(isinstance(command, ReadBroker) for command in play._seen)


def test_a_target_that_somebody_is_cancelling_is_left_alone() -> None:
    stuck().when(being_cancelled("target"), minutes(5), then=[])


def test_old_stop_and_new_stop_both_fill_and_the_excess_is_bought_back() -> None:
    play = stuck().when(being_cancelled("stop"), seconds(11))
    play.when(filled("stop", 133, "74.80"), filled("emergency_stop", 133, "74.79"), seconds(1))
    play.check("repair", lambda p: sent(p, Leg.REPAIR), [133])


def test_a_second_stop_that_hangs_is_not_replaced_the_position_is_closed() -> None:
    play = stuck().when(cancels_hang, being_cancelled("stop"), seconds(11))
    play.when(being_cancelled("emergency_stop"), seconds(11))
    play.when(seconds(20)).check("closed", lambda p: (sent(p, Leg.EMERGENCY_STOP), sent(p, Leg.EXIT)), ([133], [133]))


def test_a_group_that_was_given_up_and_hangs_is_told_of_and_never_chosen_again() -> None:
    play = Playbook(doubts(cancel_takes_siblings=False)).when(market_orders_wait, buy())
    play.when(filled("entry", 40, "75.10"), seconds(2)).when(cancels_hang, filled("entry", 93, "75.10"), minutes(1))
    assert "hanging/SOXL" in play.alerts
    book = play.engine.state.books["SOXL"]
    assert [order.leg for order in book.orders.values() if not order.hangs] == ["stop", "target", "timed_exit"]
    assert book.exposed_since_ms is None
    play.when(filled("stop", 133, "74.80"), minutes(1)).check("flat", account, 0)
    play.when(buy()).check("no entry beside it", lambda p: p.decisions[-1].refusal, "order_in_flight")


def test_nothing_is_added_to_a_position_beside_what_hangs_though_it_is_listed_as_working() -> None:
    play = Playbook(doubts(cancel_takes_siblings=False)).when(market_orders_wait, buy())
    play.when(filled("entry", 40, "75.10"), seconds(2)).when(cancels_are_lost, filled("entry", 93, "75.10"), minutes(1))
    play.when(seconds(8), trades_at("75.18"), buy(0.9))
    assert all(order.stage is Stage.LIVE for order in play.engine.state.books["SOXL"].orders.values())
    play.check("refused", lambda p: p.decisions[-1].refusal, "order_in_flight")


def test_an_emergency_stop_that_hangs_alone_is_replaced() -> None:
    play = stuck().when(ended("stop"), minutes(1)).when(cancels_hang, being_cancelled("emergency_stop"), seconds(12))
    play.check("another", lambda p: sent(p, Leg.EMERGENCY_STOP), [133, 133])
    play.check("held", lambda p: (account(p), sent(p, Leg.EXIT)), (133, []))


def test_without_a_journal_an_order_that_is_being_cancelled_keeps_the_session_open() -> None:
    """It may fill, whoever asked for its end."""
    play = stuck().when(being_cancelled("stop"), filled("target", 133, "75.25")).when(restarted(journal=False))
    play.when(stop_session, seconds(30)).check("closing", lambda p: p.engine.state.phase, Phase.CLOSING)
    play.when(filled("stop", 133, "74.80"), market_orders_fill, seconds(1)).check("repair", account, -133)
    play.when(filled("repair", 133, "74.80"), seconds(30)).check("closed", lambda p: p.engine.state.phase, Phase.CLOSED)


def test_stop_session_beside_a_hanging_order() -> None:
    play = passed_over().when(stop_session, then=["phase: closing"]).when(filled("exit", 133, "75.00"), seconds(30))
    play.check("not closed", lambda p: p.engine.state.phase, Phase.CLOSING)
