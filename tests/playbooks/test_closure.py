"""SEMANTICS 6 and 7: the closure, the deadline, and the early end of a session."""

from __future__ import annotations

from decimal import Decimal

import pytest

from core import events as e
from core.vocabulary import ErrorKind, Leg, Phase
from tests.support.happenings import (
    bar,
    broker_mute,
    broker_speaks,
    buy,
    cancels_end,
    cancels_hang,
    error,
    filled,
    flatten,
    happens,
    link_back,
    link_degraded,
    link_lost,
    market_orders_fill,
    market_orders_wait,
    minutes,
    price_unknown,
    refuses,
    restarted,
    resume,
    seconds,
    sell,
    stop_session,
    trades_at,
    until,
)
from tests.support.in_words import modifies, refused
from tests.support.playbook import OPEN_MS, PLAN, Playbook, at, atr, limits

CANCELS = ["cancel stop#1", "cancel target#1", "cancel timed_exit#1"]


def phase(play: Playbook) -> Phase:
    return play.engine.state.phase


def test_the_loop_closes_at_30_minutes_before_the_close_and_is_closed_only_when_verified() -> None:
    play = Playbook(at((PLAN.closure_ms - OPEN_MS) // 1000 - 600)).when(buy()).when(buy(ticker="CVNA"))
    play.when(until(PLAN.closure_ms - 1), then=[])
    play.when(until(PLAN.closure_ms), then=[
        "phase: closing",
        modifies("target#1", 133, "75.02"), modifies("target#2", 133, "75.02"),
        "trade: long 133 closure +0.00", "trade: long 133 closure +0.00",
        "phase: closed",
    ])  # fmt: skip


def test_flat_means_nothing_works_either() -> None:
    play = Playbook(at((PLAN.closure_ms - OPEN_MS) // 1000 - 120)).when(market_orders_wait, buy())
    play.when(until(PLAN.closure_ms), then=["phase: closing", "cancel entry#1", *CANCELS, "phase: closed"])


def test_trouble_that_outlasts_the_session_is_told_to_be_over_with_it() -> None:
    """Both edges of each outage are told; nobody is left to see this one end."""
    play = Playbook(at((PLAN.closure_ms - OPEN_MS) // 1000 - 120)).when(link_degraded).when(seconds(10))
    play.when(until(PLAN.closure_ms), then=["phase: closing", "over: link", "phase: closed"])


def test_a_session_that_is_flat_asks_before_it_says_so() -> None:
    Playbook(at((PLAN.closure_ms - OPEN_MS) // 1000 - 120)).when(
        until(PLAN.closure_ms), then=["phase: closing", "read: closure", "phase: closed"]
    )


def test_a_fill_that_comes_after_the_closure_began_is_closed_too() -> None:
    play = Playbook(at((PLAN.closure_ms - OPEN_MS) // 1000 - 120)).when(broker_mute, market_orders_wait, buy())
    play.when(until(PLAN.closure_ms)).when(filled("entry", 133, "75.10")).when(broker_speaks, market_orders_fill)
    play.when(minutes(1)).check("flat", lambda p: p.broker.positions, {"SOXL": 0})
    play.check("phase", phase, Phase.CLOSED)


def test_what_is_left_a_minute_before_the_close_gets_a_gtc_stop_and_a_critical_alert() -> None:
    play = Playbook(at((PLAN.closure_ms - OPEN_MS) // 1000 - 120)).when(buy())
    play.when(price_unknown, market_orders_wait).when(until(PLAN.deadline_ms - 1))
    play.when(until(PLAN.deadline_ms)).check("alert", lambda p: p.alerts[-1], "overnight/SOXL")
    (left,) = play.broker.working("SOXL")
    assert (left.leg, left.total, left.stop, left.spec.time_in_force) == (
        "overnight_stop",
        133,
        Decimal("74.80"),
        "GTC",
    )
    play.when(minutes(1), then=[]).check("phase", phase, Phase.CLOSING)
    flat = ["trade: long 133 stop -39.90", "over: exit", "over: overnight", "phase: closed"]
    play.when(filled("overnight_stop", 133, "74.80"), then=flat)


def before_the_deadline() -> Playbook:
    """A market order for all of it has not filled since the closure; the deadline comes in half a second."""
    play = Playbook(at((PLAN.closure_ms - OPEN_MS) // 1000 - 120)).when(buy())
    return play.when(price_unknown, market_orders_wait, until(PLAN.deadline_ms - 500))


def works(play: Playbook) -> dict[str, tuple[str, int]]:
    """What works at the broker: leg, action and shares to fill."""
    return {order.leg: (order.spec.action, order.remaining) for order in play.broker.working("SOXL")}


def test_a_gtc_stop_is_cut_to_what_a_market_order_left_that_filled_in_part_on_its_way_out() -> None:
    play = before_the_deadline().when(broker_mute, filled("exit", 33, "75.00"), broker_speaks)
    play.when(happens(e.Woke(0, "deadline")), seconds(30))
    play.check("cut", works, {"overnight_stop": ("SELL", 100)}).check("left", lambda p: p.engine.position("SOXL"), 100)


def test_an_order_of_unknown_fate_does_not_work_beside_the_gtc_stop() -> None:
    play = before_the_deadline().when(broker_mute, error("exit", ErrorKind.UNKNOWN, 4242))
    play.when(happens(e.Woke(0, "deadline")), broker_speaks, seconds(30))
    play.check("alone", works, {"overnight_stop": ("SELL", 133)})


def test_a_gtc_stop_turns_with_its_position() -> None:
    """More than the position was sold at the last moment: the stop of before would sell still more."""
    play = before_the_deadline().when(happens(e.Woke(0, "deadline")))
    late = play.broker.orders[play.ref("exit")].spec
    play.broker.trade("SOXL", late.action, 150, "75.00", late.order_ref)
    play.when(seconds(10)).check("turned", works, {"overnight_stop": ("BUY", 17)})


def test_a_position_that_has_turned_gets_its_gtc_stop_although_the_one_of_before_hangs() -> None:
    """That one would only sell still more."""
    play = before_the_deadline().when(cancels_hang, happens(e.Woke(0, "deadline")))
    late = play.broker.orders[play.ref("exit")].spec
    play.broker.trade("SOXL", late.action, 150, "75.00", late.order_ref)
    play.when(seconds(9)).check("waits", lambda p: p.broker.orders[p.ref("overnight_stop")].spec.action, "SELL")
    play.when(seconds(5)).check("turned", lambda p: works(p)["overnight_stop"], ("BUY", 17))
    play.when(cancels_end, seconds(5)).check("alone", works, {"overnight_stop": ("BUY", 17)})


def test_a_gtc_stop_that_is_refused_is_tried_three_times() -> None:
    play = Playbook(at((PLAN.closure_ms - OPEN_MS) // 1000 - 120)).when(sell())
    play.when(price_unknown, market_orders_wait, refuses(Leg.OVERNIGHT_STOP)).when(until(PLAN.deadline_ms), minutes(3))
    assert len([ref for ref in play.broker.orders if "overnight" in ref]) == 3
    assert play.broker.orders[play.ref("overnight_stop")].stop == Decimal("75.40")


@pytest.mark.parametrize(("mark", "stop"), [(75.10, "71.34"), (75.20, "71.44"), (float("nan"), "71.34")])
def test_a_gtc_stop_without_a_bracket_lies_5_percent_from_the_mark_else_from_the_average(
    mark: float, stop: str
) -> None:
    play = Playbook(at((PLAN.closure_ms - OPEN_MS) // 1000 - 120)).when(buy())
    play.when(price_unknown, market_orders_wait).when(until(PLAN.deadline_ms - 1))
    play.engine.state.books["SOXL"].brackets.clear()
    play.engine.state.books["SOXL"].mark = mark
    play.setup.warm = False
    play.when(until(PLAN.deadline_ms))
    assert str(play.broker.orders[play.ref("overnight_stop")].stop) == stop


def test_a_deadline_without_a_broker_tells_a_person() -> None:
    play = Playbook(at((PLAN.closure_ms - OPEN_MS) // 1000 - 120)).when(buy()).when(link_lost)
    play.when(until(PLAN.deadline_ms)).check("alerts", lambda p: p.alerts[-1], "deadline")
    play.when(price_unknown, market_orders_wait)
    play.when(link_back).check("stop", lambda p: p.ref("overnight_stop").endswith("overnight_stop"), True)
    play.when(filled("overnight_stop", 133, "74.80"), seconds(2)).check("phase", phase, Phase.CLOSED)
    assert not {"deadline", "overnight/SOXL"} & play.engine.state.alerts.keys(), "nothing is left to do by hand"


def test_a_session_that_starts_late_takes_no_entry_and_closes_what_it_finds() -> None:
    play = Playbook().when(buy())
    play.now_ms = PLAN.closure_ms + 60_000
    play.when(restarted(journal=False), seconds(30)).when(buy(), then=[refused("session_closing")])
    play.check("flat", lambda p: (p.broker.positions["SOXL"], phase(p)), (0, Phase.CLOSED))
    play = Playbook().when(buy())
    play.when(price_unknown, market_orders_wait)
    play.now_ms = PLAN.deadline_ms + 1_000
    play.when(restarted(journal=False)).check(
        "GTC", lambda p: "GTC" in str(p.broker.orders[p.ref("overnight_stop")]), True
    )


def test_the_broker_s_own_timed_exit_is_taken_in() -> None:
    play = Playbook(at((PLAN.closure_ms - OPEN_MS) // 1000 - 120)).when(buy()).when(link_lost)
    play.pass_time(PLAN.timed_exit_ms)
    play.broker.now_ms = play.now_ms
    play.broker.price("SOXL", "75.00")
    play.when(link_back).check("ended by", lambda p: p.trades[1].exit_reason, "timed_exit")
    play.check("phase", phase, Phase.CLOSED)


def test_stop_ends_the_session_early() -> None:
    play = Playbook().when(buy())
    play.when(stop_session, then=[
        "phase: closing", modifies("target#1", 133, "75.02"), "trade: long 133 closure +0.00", "phase: closed",
    ])  # fmt: skip
    play.when(resume, then=[]).when(seconds(1), buy(), then=[refused("session_closing")])


def test_a_closed_session_wakes_up_for_nothing() -> None:
    play = Playbook().when(stop_session)
    play.when(until(PLAN.closure_ms), until(PLAN.deadline_ms), bar(75.0), then=[])


def test_a_loss_during_the_closure_is_remembered_as_a_halt() -> None:
    play = Playbook(limits(max_daily_loss=Decimal(100))).when(buy()).when(price_unknown, market_orders_wait)
    play.when(stop_session).when(bar(74.00)).check("phase", phase, Phase.CLOSING)
    play.check("halted", lambda p: bool(p.engine.state.halted), True)


def test_two_tickers_flatten_independently() -> None:
    play = Playbook(atr("0.05")).when(buy()).when(buy(ticker="CVNA")).when(trades_at("75.10"))
    play.when(flatten(), seconds(1)).check("flat", lambda p: p.engine.is_flat(), True)
