"""Cases from the field, group B: what goes wrong for people who trade through TWS, and what must be true.

By their numbers. Where a switch of the model broker stands for a doubt, both of its positions are played.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from core import events as e
from core.bracket import Stage
from core.orders import OpenOrder, OrderSpec
from core.vocabulary import Action, ErrorKind, Leg, OrderKind, OrderStatus
from tests.support.happenings import (
    broker_mute,
    broker_speaks,
    buy,
    ended,
    error,
    filled,
    filled_unheard,
    flatten,
    happens,
    link_back,
    link_lost,
    market_orders_wait,
    minutes,
    ordered_by_hand,
    price_unknown,
    quoted,
    refuses,
    restarted,
    seconds,
    stop_session,
)
from tests.support.in_words import ENTERS, bracket, emergency, modifies, refused
from tests.support.playbook import Playbook, doubts, settings

LONG = [ENTERS, bracket(1, "BUY", 133, "74.80", "75.25")]
CANCELS = ["cancel stop#1", "cancel target#1", "cancel timed_exit#1"]


def sent(play: Playbook) -> int:
    return play.broker.sent


# --- B: orders ------------------------------------------------------------------------------------------------------


def test_case_12_no_modification_unless_connected() -> None:
    play = Playbook().when(market_orders_wait, buy()).when(filled_unheard("entry", 133, "75.20"))
    play.when(link_lost, seconds(30), then=["critical: link"])
    play.when(link_back, then=["over: link", modifies("stop#1", 133, "74.90"), modifies("target#1", 133, "75.35")])


def test_case_12_two_orders_behind_one_reference_are_told_and_one_goes() -> None:
    play = Playbook().when(buy())
    double = replace(play.broker.row(play.broker.orders[play.ref("stop")]), perm_id=4711)
    play.when(happens(e.OrderReported(0, double)), then=["critical: doubled", "cancel stop#1 permId 4711"])
    play.when(happens(e.OrderReported(0, double)), then=[])
    gone = e.OrderStatusReported(0, double.order_ref, 4711, OrderStatus.CANCELLED, 0, 133, "")
    ended_echo = e.OrderReported(0, replace(double, status=OrderStatus.CANCELLED))
    play.when(happens(gone, ended_echo), seconds(30), then=[]).check("live", lambda p: p.engine.working_orders(), 3)


@pytest.mark.parametrize("older", [1, 9_999])
def test_case_12_a_double_that_only_the_read_back_shows_goes_and_the_one_that_we_know_stays(older: int) -> None:
    play = Playbook().when(buy())
    stop = play.broker.orders[play.ref("stop")]
    play.broker.lists_by_echo = False
    play.broker.foreign.append(replace(play.broker.row(stop), perm_id=older))
    play.when(link_lost, link_back, then=["critical: doubled", f"cancel stop#1 permId {older}"])
    play.when(minutes(5), then=[]).check("one is left", lambda p: p.broker.foreign, [])
    order = play.engine.state.books["SOXL"].orders[play.ref("stop")]
    assert (order.perm_id, stop.is_live) == (stop.perm_id, True)


def test_case_12_without_a_journal_the_older_of_two_is_ours() -> None:
    play = Playbook().when(buy())
    stop = play.broker.orders[play.ref("stop")]
    play.broker.lists_by_echo = False
    play.broker.foreign.append(replace(play.broker.row(stop), perm_id=9_999))
    play.when(restarted(journal=False)).check("one is left", lambda p: p.broker.foreign, [])
    assert play.engine.state.books["SOXL"].orders[play.ref("stop")].perm_id == stop.perm_id


@pytest.mark.parametrize("journal", [True, False])
def test_case_13_a_killed_session_comes_back_and_manages_every_order(journal: bool) -> None:
    play = Playbook().when(buy()).when(minutes(4), buy(ticker="CVNA")).when(restarted(journal=journal))
    orders = {ref for ref, order in play.broker.orders.items() if order.is_live}
    assert {ref for book in play.engine.state.books.values() for ref in book.orders} == orders
    play.when(seconds(30), then=[]).when(filled("stop", 133, "74.80"), then=["trade: long 133 stop -39.90"])
    play.when(flatten(), seconds(10)).check("flat", lambda p: p.broker.positions, {"SOXL": 0, "CVNA": 0})


def test_case_13_killed_before_the_bracket_left_the_decision_is_not_repeated() -> None:
    """The journal has the bracket, the broker does not: nothing is sent again. The ticker pauses; nobody refused."""
    play = Playbook()
    play.broker.connected = False
    play.when(buy(), then=LONG)
    play.broker.connected = True
    play.when(restarted(), then=["warning: rejected"]).when(seconds(1), then=[]).check("sent", sent, 0)
    play.when(buy(), then=[refused("reject_pause")])
    play.check("rejections in a row", lambda p: p.engine.state.rejects_in_a_row, 0)


@pytest.mark.parametrize("journal", [True, False])
def test_case_14_twenty_restarts_send_nothing(journal: bool) -> None:
    play = Playbook().when(buy())
    for _ in range(20):
        play.when(restarted(journal=journal), seconds(7))
    play.check("sent", sent, 4)


def test_case_15_an_order_without_any_callback_is_unknown_and_resolved_by_query() -> None:
    play = Playbook().when(broker_mute, market_orders_wait, buy())
    play.when(seconds(4.999), then=[]).when(seconds(0.001), then=["read: orders of SOXL without an answer"])
    play.when(broker_speaks).when(seconds(10)).check("resolved", lambda p: p.engine.working_orders(), 4)
    play.check("sent once", sent, 4).when(filled("entry", 133, "75.10"), seconds(5), then=[])


def test_case_15_an_order_that_vanished_is_given_up_and_not_sent_again() -> None:
    play = Playbook()
    play.broker.connected = False
    play.when(buy())
    play.broker.connected = True
    play.when(seconds(5), then=["warning: rejected"]).check("nothing", lambda p: p.engine.working_orders(), 0)
    play.when(minutes(1), then=[]).check("sent", sent, 0)


def test_case_16_manual_orders_are_kept_apart_by_their_perm_id_and_left_alone() -> None:
    play = Playbook(settings(allow_foreign_positions=True))
    play.when(
        ordered_by_hand(perm_id=7),
        ordered_by_hand(perm_id=8),
        then=["warning: foreign_order", "warning: foreign_order"],
    )
    play.when(buy()).when(stop_session, seconds(10)).check("left alone", lambda p: len(p.broker.foreign), 2)
    assert set(play.engine.state.foreign_orders) == {7, 8}


def test_case_16_a_reference_of_somebody_else_s_may_look_nearly_like_ours() -> None:
    row = OpenOrder("DU1-20231114/SOXL/²/entry", 0, 0, 7, "SOXL", Action.BUY, "LMT", 10, OrderStatus.SUBMITTED)
    Playbook().when(happens(e.OrderReported(0, row)), then=["warning: foreign_order"])


def test_case_16_a_manual_order_that_ended_is_forgotten() -> None:
    play = Playbook().when(ordered_by_hand()).when(buy(), then=[refused("foreign_position")])
    gone = replace(play.broker.foreign.pop(), status=OrderStatus.CANCELLED)
    play.when(happens(e.OrderReported(0, gone))).when(seconds(1), buy(), then=LONG)


@pytest.mark.parametrize("code", [10349, 399, 404, 2109])
def test_case_17_and_18_a_warning_ends_no_order(code: int) -> None:
    play = Playbook().when(market_orders_wait, buy()).when(error("entry", ErrorKind.WARNING, code), then=[])
    play.when(seconds(30), then=[]).check("live", lambda p: p.engine.working_orders(), 4)
    play.when(filled("entry", 133, "75.10"), then=[]).check("taken in", lambda p: p.engine.position("SOXL"), 133)


@pytest.mark.parametrize("name", ["entry", "stop"])
def test_a_code_that_no_table_holds_makes_the_order_unknown_until_it_is_read_back(name: str) -> None:
    """Neither an end nor a remark: the broker is asked at once. It lists the order: nothing else has happened."""
    play = Playbook().when(market_orders_wait, buy())
    play.when(error(name, ErrorKind.UNKNOWN, code=4242), then=["warning: unknown_code"])
    play.check("in flight", lambda p: [o.stage for o in p.engine.state.books["SOXL"].orders.values()], [Stage.LIVE] * 4)


def test_a_code_that_no_table_holds_may_have_been_the_end_of_a_stop() -> None:
    play = Playbook().when(buy())
    play.broker.orders[play.ref("stop")].status = OrderStatus.INACTIVE
    play.when(error("stop", ErrorKind.UNKNOWN, code=4242), then=[
        "warning: unknown_code", emergency(2, "SELL", 133, "74.80", "75.25"), "critical: emergency",
        "cancel target#1", "cancel timed_exit#1",
    ])  # fmt: skip


def test_case_17_a_cap_on_what_is_sent_again() -> None:
    play = Playbook().when(buy()).when(refuses(Leg.EMERGENCY_STOP, Leg.EXIT)).when(ended("stop"))
    play.when(minutes(10))
    groups = [ref for ref in play.broker.orders if ref.endswith("emergency_stop")]
    exits = [ref for ref in play.broker.orders if ref.endswith("/exit")]
    assert len(groups) <= 25
    assert len(exits) <= 21


def test_case_19_a_fill_during_a_cancel_is_taken_in_and_nothing_is_sold_twice() -> None:
    play = (
        Playbook()
        .when(buy())
        .when(price_unknown, market_orders_wait, quoted(75.1, 75.1, 75.1))
        .when(flatten(), seconds(5))
    )
    play.broker.mute = True
    play.when(seconds(5), then=CANCELS)
    play.broker.mute = False
    ref = play.ref("stop")
    play.broker.orders[ref].status = OrderStatus.SUBMITTED
    play.when(filled("stop", 133, "74.80"), error("stop", ErrorKind.NOT_CANCELLABLE, 10148))
    play.when(seconds(10)).check("flat", lambda p: (p.broker.positions["SOXL"], sent(p)), (0, 4))
    play.check("settled", lambda p: (p.engine.has_working_orders(), p.engine.state.books["SOXL"].exit), (False, None))


@pytest.mark.parametrize(("kind", "code"), [(ErrorKind.NOT_FOUND, 10147), (ErrorKind.NOT_CANCELLABLE, 10148)])
def test_case_19_the_broker_s_no_ends_the_wait(kind: ErrorKind, code: int) -> None:
    play = Playbook().when(market_orders_wait, buy()).when(broker_mute, flatten(), then=["cancel entry#1", *CANCELS])
    for order in play.broker.orders.values():
        order.status = OrderStatus.CANCELLED
    play.when(broker_speaks, *(error(name, kind, code) for name in ("entry", "stop", "target", "timed_exit")))
    play.when(seconds(11)).check("over", lambda p: p.engine.has_working_orders(), False)


def test_case_20_a_message_about_an_unknown_order_is_told() -> None:
    status = e.OrderStatusReported(0, "", 99, OrderStatus.SUBMITTED, 0, 10, "")
    problem = e.OrderErrorReported(0, "", 201, ErrorKind.REJECTED, "no")
    play = Playbook().when(happens(status), then=["warning: unknown_order"])
    play.when(happens(problem), then=["warning: unknown_order"]).when(happens(status, problem), then=[])
    play.when(ordered_by_hand(perm_id=5)).when(happens(replace(status, perm_id=5)), then=[])


@pytest.mark.parametrize("told_by", ["status", "echo"])
def test_case_20_an_unknown_order_of_our_own_is_asked_for_adopted_and_serving_nothing_cancelled(told_by: str) -> None:
    play = Playbook()
    ref = "DU1-20231114/SOXL/77/stop"
    play.broker._place(OrderSpec(ref, "SOXL", Action.SELL, OrderKind.STOP, 10, stop_price=Decimal(70)))
    events = [event for event in play.broker.outbox if (type(event) is e.OrderReported) == (told_by == "echo")]
    play.broker.outbox.clear()
    again = "read: what was sent since the last question"
    play.when(happens(*events), then=[f"read: order {ref} is unknown", "warning: adopted", "cancel stop#77", again])
    play.when(seconds(5)).check("gone", lambda p: (p.engine.working_orders(), p.broker.working("SOXL")), (0, []))


def test_case_27_once_the_exits_run_the_rest_of_the_entry_is_cancelled() -> None:
    play = Playbook(doubts(arm_on_part=True, cancel_takes_children=False)).when(market_orders_wait, buy())
    play.when(filled("entry", 50, "75.00"), seconds(1))
    play.when(filled("stop", 20, "74.80")).check("cancelled", lambda p: p.broker.orders[p.ref("entry")].is_live, False)
    play.when(seconds(10)).check("covered", lambda p: p.broker.orders[p.ref("stop")].remaining, 30)
