"""Messages that come at the worst moment: what is known changes between a question and its answer."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from core import events as e
from core.commands import ModifyOrder, ReadBroker
from core.protection import aim
from core.vocabulary import Action, ErrorKind, Leg, OrderKind, OrderStatus
from tests.support.happenings import (
    broker_mute,
    broker_speaks,
    buy,
    cancels_hang,
    corrected,
    ended,
    error,
    filled,
    flatten,
    happens,
    link_back,
    link_lost,
    market_orders_wait,
    minutes,
    price_unknown,
    quoted,
    refuses,
    restarted,
    seconds,
    sell,
    traded_by_hand,
)
from tests.support.in_words import refused
from tests.support.playbook import Playbook, doubts, not_connected, settings


def test_a_cancel_that_was_confirmed_and_did_not_happen() -> None:
    """The broker says Cancelled, the read-back lists the order: it lives, and is cancelled again."""
    play = (
        Playbook()
        .when(buy())
        .when(price_unknown, market_orders_wait, quoted(75.1, 75.1, 75.1))
        .when(flatten(), seconds(5))
    )
    stop = play.broker.orders[play.ref("stop")]
    play.broker.mute = True
    play.when(seconds(5))
    stop.status = OrderStatus.PRE_SUBMITTED
    said = [
        e.OrderStatusReported(0, order.spec.order_ref, order.perm_id, OrderStatus.CANCELLED, 0, 133, "")
        for order in play.broker.orders.values()
        if order.leg != Leg.ENTRY
    ]
    play.when(broker_speaks, happens(*said)).check(
        "lives", lambda p: p.broker.orders[p.ref("stop")].status, "Cancelled"
    )
    play.when(seconds(1)).check("left", lambda p: p.broker.orders[p.ref("exit")].total, 133)


def test_an_order_that_comes_back_to_life_without_a_position_is_cancelled() -> None:
    play = Playbook().when(buy()).when(filled("target", 133, "75.25"), seconds(3))
    play.broker.orders[play.ref("stop")].status = OrderStatus.PRE_SUBMITTED
    play.when(link_lost, link_back, then=["cancel stop#1"]).when(seconds(5), then=[])


def test_a_bracket_that_has_ended_while_its_legs_are_still_going_is_not_exited_again() -> None:
    play = Playbook().when(buy()).when(minutes(1))
    play.broker.prices["SOXL"] = Decimal("75.15")
    play.when(buy(0.9)).when(price_unknown, quoted(75.15, 75.15, 75.15), seconds(5))
    for ref in (play.ref("stop#2"), play.ref("timed_exit#2")):
        play.broker.orders[ref].spec = replace(play.broker.orders[ref].spec, parent_ref="")  # out of its group
    play.when(filled("target#2", 66, "75.26"))
    play.when(flatten(), then=["modify target#1: 133 at 75.07"])


def test_a_fill_after_the_last_word_of_its_entry_is_closed_at_once() -> None:
    """Rejected, forgotten, and then an execution after all: nothing protects it, so it goes."""
    play = Playbook().when(refuses(Leg.ENTRY)).when(buy()).when(refuses(), seconds(5))
    play.broker.trade("SOXL", Action.BUY, 10, "75.10", play.ref("entry"))
    play.when(happens(), seconds(5)).check("closed", lambda p: p.broker.positions["SOXL"], 0)
    play.when(minutes(5), buy(), then=[refused("ticker_blocked")])


def test_a_status_that_counts_on_before_any_execution() -> None:
    play = Playbook().when(market_orders_wait, buy())
    entry = play.broker.orders[play.ref("entry")]
    for count in (20, 60, 40):
        told = e.OrderStatusReported(
            0, entry.spec.order_ref, entry.perm_id, OrderStatus.SUBMITTED, count, 133 - count, ""
        )
        play.when(happens(told), then=[])
    play.check("behind", lambda p: p.engine.state.books["SOXL"].behind, [play.ref("entry")])
    play.when(seconds(2), then=["warning: fills"])


def test_pending_cancel_confirms_nothing() -> None:
    play = Playbook().when(buy())
    stop = play.broker.orders[play.ref("stop")]
    told = e.OrderStatusReported(0, stop.spec.order_ref, stop.perm_id, OrderStatus.PENDING_CANCEL, 0, 133, "trigger")
    listed = play.broker.read_back()
    rows = tuple(
        replace(row, status=OrderStatus.PENDING_CANCEL) if row.order_ref == stop.spec.order_ref else row
        for row in listed.orders
    )
    play.when(happens(told), seconds(30), then=[])
    play.broker.mute = True
    play.when(link_lost, link_back).when(happens(replace(listed, orders=rows)), then=[])
    play.check("still live", lambda p: p.engine.working_orders(), 3)


def test_an_answer_that_leaves_an_order_unknown_is_followed_by_a_pause() -> None:
    """Listed as PendingCancel it neither works nor has ended: asked for a second time, and then once a second."""
    play = Playbook().when(buy())
    stop, listed = play.ref("stop"), play.broker.read_back()
    rows = [replace(row, status=OrderStatus.PENDING_CANCEL) if row.order_ref == stop else row for row in listed.orders]
    answer = happens(replace(listed, orders=tuple(rows)))
    play.when(broker_mute, error("stop", ErrorKind.UNKNOWN, code=4242), then=["warning: unknown_code"])
    play.when(answer, then=["read: orders of SOXL without an answer"]).when(answer, then=[])
    play.when(seconds(0.9), then=[]).when(seconds(0.1), then=["read: orders of SOXL without an answer"])


def test_a_leg_that_was_not_listed_and_is_heard_of_is_asked_for_again_at_once() -> None:
    """Its row came behind the end of the list: until that is known two stops work for one position."""
    play = Playbook().when(buy()).when(broker_mute, minutes(2)).when(broker_speaks)
    whole, late = play.broker.read_back(), play.broker.orders[play.ref("stop")]
    listed = tuple(row for row in whole.orders if row.perm_id != late.perm_id)
    play.when(happens(replace(whole, orders=listed)))
    play.check("replaced", lambda p: p.broker.orders[p.ref("emergency_stop")].is_live, True)
    word = e.OrderStatusReported(0, late.spec.order_ref, late.perm_id, OrderStatus.PRE_SUBMITTED, 0, 133, "trigger")
    play.when(happens(word), seconds(5))
    play.check("one stop", lambda p: [o.spec.kind for o in p.broker.working("SOXL")].count(OrderKind.STOP), 1)
    play.check("exits", lambda p: {o.total for o in p.broker.working("SOXL")}, {133})


def test_an_order_sent_a_moment_ago_is_not_given_up_by_a_read_back_without_it() -> None:
    play = Playbook().when(broker_mute, market_orders_wait, buy())
    play.broker.orders.clear()
    play.when(broker_speaks, traded_by_hand(Action.BUY, 1, "75.10", "CVNA"), seconds(1))
    play.check("waiting", lambda p: p.engine.working_orders(), 4)
    play.when(seconds(5)).check("given up", lambda p: p.engine.working_orders(), 0)


def test_a_leg_rejected_before_its_entry_filled_is_no_alarm() -> None:
    play = Playbook().when(market_orders_wait, buy()).when(error("target", ErrorKind.REJECTED), then=[])
    play.when(filled("entry", 133, "75.10"), then=[])


def test_an_echo_of_an_order_that_nobody_changed() -> None:
    play = Playbook().when(buy())
    echo = e.OrderReported(0, play.broker.row(play.broker.orders[play.ref("stop")]))
    play.when(happens(echo, echo), then=[])


def test_an_exit_leg_of_the_whole_account_fills_in_parts() -> None:
    play = Playbook(not_connected(), settings(allow_foreign_positions=True))
    play.broker.positions["SOXL"] = 50
    play.when(link_back, market_orders_wait).when(flatten(whole_account=True))
    play.when(filled("exit", 20, "75.10")).when(filled("exit", 30, "75.10"), seconds(5))
    play.check("flat", lambda p: (p.broker.positions["SOXL"], p.engine.state.books["SOXL"].foreign_shares), (0, 0))
    play.check("no trade of ours", lambda p: p.engine.trades_closed, 0)


@pytest.mark.parametrize("shares", [20, 10])
def test_a_correction_is_no_further_part_of_an_exit_leg_of_the_whole_account(shares: int) -> None:
    play = Playbook(not_connected(), settings(allow_foreign_positions=True))
    play.broker.positions["SOXL"] = 40
    play.when(link_back, market_orders_wait).when(flatten(whole_account=True))
    play.when(filled("exit", 20, "75.10")).when(corrected("75.11", shares), seconds(1))
    play.check("filled", lambda p: p.engine.state.books["SOXL"].orders[p.ref("exit")].filled, shares)
    play.check("one order", lambda p: [order.total for order in p.broker.working("SOXL")], [40])


def test_an_exit_leg_of_the_whole_account_that_is_listed_is_not_sent_twice() -> None:
    play = Playbook(not_connected(), settings(allow_foreign_positions=True))
    play.broker.positions["SOXL"] = 50
    play.when(link_back, market_orders_wait).when(flatten(whole_account=True)).when(seconds(2))
    play.when(link_lost, seconds(1), link_back, seconds(1))
    play.check("one order", lambda p: [order.total for order in p.broker.working("SOXL")], [50])


def test_a_lost_journal_a_stop_but_neither_target_nor_atr() -> None:
    """The stop that the broker has is enough to be protected; no target is invented."""
    play = Playbook(doubts(cancel_takes_siblings=False)).when(buy()).when(minutes(1), ended("target"))
    play.restart(journal=False)
    play.setup.warm = False
    play.when(link_lost, link_back, seconds(30)).check("held", lambda p: p.engine.position("SOXL"), 133)
    play.when(ended("stop"), seconds(2))
    assert [order.leg for order in play.broker.working("SOXL")] == ["emergency_stop"]


def test_a_lost_journal_and_an_emergency_group_too_many() -> None:
    play = Playbook(doubts(cancel_takes_siblings=False)).when(buy()).when(minutes(1), ended("stop"), seconds(2))
    group = play.broker.orders[play.ref("emergency_stop")]
    double = replace(group.spec, order_ref=group.spec.order_ref.replace("/2/", "/9/"))
    play.broker._place(double)
    play.when(restarted(journal=False), seconds(30))
    stops = [order for order in play.broker.working("SOXL") if "stop" in order.leg]
    assert sum(order.remaining for order in stops) == 133


def test_a_lost_journal_while_an_entry_is_partly_filled_behind_an_emergency_group() -> None:
    """Its own legs are held, the group works: the group stays."""
    play = Playbook().when(market_orders_wait, buy()).when(filled("entry", 40, "75.10"), seconds(2))
    play.when(restarted(journal=False), seconds(1)).when(seconds(30), then=[])
    assert [order.leg for order in play.broker.working("SOXL") if order.armed] == [
        "entry", "emergency_stop", "emergency_target",
    ]  # fmt: skip


def test_nothing_is_aimed_at_without_a_position() -> None:
    play = Playbook().when(buy())
    (bracket,) = play.engine.state.books["SOXL"].brackets.values()
    play.when(filled("stop", 133, "74.80"))
    aim(play.engine._desk, play.engine.state.books["SOXL"], bracket)
    assert (bracket.stop_price, bracket.target_price) == (0, Decimal("0.15"))


def test_an_add_without_an_atr_is_left_to_the_last_rules() -> None:
    play = Playbook().when(buy()).when(minutes(1))
    play.engine.state.books["SOXL"].atr.value = None
    play.setup.warm = False
    play.when(seconds(1), buy(0.9), then=[refused("atr_not_ready")])


def test_the_net_of_a_trade_is_known_with_its_last_commission() -> None:
    play = Playbook().when(buy()).when(filled("target", 133, "75.25"))
    assert [str(trade.net_pnl) for trade in play.trades.values()] == ["17.95"]
    assert replace(play.trades[1], commissions=None).net_pnl is None


def test_trades_are_counted() -> None:
    play = Playbook().when(buy()).check("open", lambda p: p.engine.trades_closed, 0)
    play.when(filled("target", 133, "75.25")).when(seconds(3), sell()).check("one", lambda p: p.engine.trades_closed, 1)


def test_a_status_that_overtakes_its_execution_is_not_denied_by_an_answer_of_before_it() -> None:
    """The stop has filled; what was asked for earlier cannot list that, and nothing may be sold because of it."""
    play = Playbook().when(buy()).when(minutes(1)).when(broker_mute, minutes(1.2))
    old = play.broker.read_back()
    sold, stop = play.broker.fill(play.ref("stop"), 133, "74.80"), play.broker.orders[play.ref("stop")]
    row = e.OrderStatusReported(0, stop.spec.order_ref, stop.perm_id, OrderStatus.FILLED, 133, 0, "")
    play.when(broker_speaks, happens(row, old), then=[]).when(seconds(1.5), then=[])
    play.when(happens(e.ExecutionReported(0, sold)), seconds(5)).check("flat", lambda p: p.engine.is_flat(), True)
    assert not any(key.startswith(("fills/", "emergency/")) for key in play.alerts)


def test_an_order_that_is_listed_as_being_cancelled_is_asked_for_once_a_second_at_most() -> None:
    """That is no answer, and it comes at once: questions must not follow each other as fast as they are answered."""
    play = Playbook().when(buy()).when(price_unknown, cancels_hang, flatten()).when(seconds(11)).when(seconds(8))
    asked = [command for command in play._seen if isinstance(command, ReadBroker)]
    assert 2 <= len(asked) <= 10
    play.check(
        "waited for", lambda p: {order.stage for order in p.engine.state.books["SOXL"].orders.values()}, {"unknown"}
    )


def test_an_entry_that_only_makes_up_for_an_over_fill_nobody_had_heard_of_leaves_nothing_working() -> None:
    play = Playbook().when(buy()).when(filled("target", 133, "75.25"), minutes(4))
    play.broker.trade("SOXL", Action.SELL, 133, "74.80", play.ref("stop#1"), tell=False)
    play.when(buy()).check("ours, as far as is known", lambda p: p.engine.position("SOXL"), 133)
    play.when(restarted(journal=False), seconds(10)).check("flat", lambda p: p.engine.is_flat(), True)
    play.check("nothing works", lambda p: p.broker.working("SOXL"), []).when(minutes(5), then=[])
    assert any(key.startswith("overfill/") for key in play.alerts)


def test_shares_of_both_sides_that_a_lost_journal_leaves_are_not_tended_beside_each_other() -> None:
    """A hand trade in the moment of our entry: first it had closed a part of ours, now it is foreign from before."""
    play = Playbook().when(traded_by_hand(Action.BUY, 99, "75.10", tell=False)).when(sell(), link_lost, link_back)
    play.when(seconds(5)).when(filled("target", 34, "74.95"), minutes(4)).when(buy())
    play.when(restarted(journal=False), seconds(30)).check("nothing works", lambda p: p.broker.working("SOXL"), [])
    play.check("ours", lambda p: (p.engine.position("SOXL"), p.broker.positions["SOXL"]), (0, 99))


def test_a_broker_that_keeps_another_number_of_shares_is_asked_once_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each echo drew the same change anew, as fast as they came."""
    play = Playbook(doubts(reduces_siblings=False)).when(buy()).when(price_unknown)
    monkeypatch.setattr(play.broker, "_modify", lambda ref, *_: play.broker._report(play.broker.orders[ref]))
    play.when(filled("target", 33, "75.25"), seconds(2))
    play.when(seconds(9.999))
    changes = [one for one in play._seen if isinstance(one, ModifyOrder) and one.order_ref == play.ref("stop")]
    assert len(changes) == 9
    monkeypatch.undo()
    play.when(seconds(1)).check("follows", lambda p: p.broker.orders[p.ref("stop")].total, 100)
