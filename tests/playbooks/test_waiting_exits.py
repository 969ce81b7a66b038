"""SEMANTICS 6: an exit at the market that does not fill, say in a halt: it stays while it works alone."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from core.vocabulary import Action, ErrorKind, Leg, OrderStatus
from tests.support.happenings import (
    cancels_hang,
    ended,
    filled,
    flatten,
    link_back,
    link_lost,
    lost_on_the_way,
    minutes,
    refuses,
    seconds,
    traded_by_hand,
)
from tests.support.in_words import emergency, market_exit, modifies, name_of
from tests.support.model_broker import Resting
from tests.support.playbook import Playbook
from tests.support.stuck import CANCELS, stuck


def works(play: Playbook) -> list[str]:
    """Orders that may fill at the broker."""
    return [name_of(ref) for ref, order in play.broker.orders.items() if order.is_live]


def fill_all(play: Playbook, names: Iterable[str]) -> int:
    """The ticker reopens: everything fills; what the account holds then."""
    for name in names:
        play.broker.fill(play.ref(name), play.broker.orders[play.ref(name)].remaining, "75.00")
    play.listen()
    return play.broker.positions.get("SOXL", 0)


def at_the_market() -> Playbook:
    """A market order for the whole position has arrived and does not fill, since the ticker is halted."""
    play = stuck().when(flatten())
    play.when(seconds(5), then=[modifies("target#1", 133, "74.72")])
    return play.when(seconds(5), then=[*CANCELS, market_exit(2, "SELL", 133)])


def test_then_further_then_as_market_and_that_stays_while_it_works() -> None:
    play = at_the_market().when(seconds(10), then=["read: exit of SOXL is not filled", "critical: exit"])
    play.when(filled("exit#2", 100, "75.00"), then=[]).when(seconds(10), then=["read: exit of SOXL is not filled"])
    play.when(filled("exit#2", 33, "75.00"), then=["trade: long 133 flatten -13.30", "over: exit"])
    play.when(minutes(5), then=[]).check("flat", lambda p: p.engine.is_flat(), True)


def test_a_market_order_that_waits_outlives_an_outage() -> None:
    play = at_the_market().when(seconds(3), link_lost, seconds(20), link_back)
    play.when(minutes(1)).check(
        "one", lambda p: [ref for ref in p.broker.orders if ref.endswith("/exit")], [play.ref("exit#2")]
    )
    play.when(filled("exit#2", 133, "75.00")).check("flat", lambda p: p.engine.is_flat(), True)


def test_a_market_order_that_the_broker_ended_is_followed_by_another_until_it_is_flat() -> None:
    play = at_the_market().when(ended("exit#2"), then=[market_exit(3, "SELL", 133), "critical: exit"])
    play.when(filled("exit#3", 133, "75.00"), then=["trade: long 133 flatten -13.30", "over: exit"])


def test_a_broker_that_cancels_every_market_order_gets_two_and_then_a_stop_stands_in_for_30_s() -> None:
    """A venue in a halt, say: 202 each time. One followed the other as fast as the answers came."""
    play = stuck().when(refuses(Leg.EXIT, code=202, kind=ErrorKind.CANCELLED), flatten()).when(seconds(5))
    play.when(
        seconds(5),
        then=[
            *CANCELS,
            market_exit(2, "SELL", 133),
            market_exit(3, "SELL", 133),
            "critical: exit",
            emergency(4, "SELL", 133, "74.80", "75.25"),
            "critical: emergency",
        ],
    )
    play.when(seconds(29.999), then=[]).when(refuses(), seconds(1)).check("one", works, ["exit#5"])
    play.when(filled("exit#5", 133, "75.00")).check("flat", lambda p: p.engine.is_exited(), True)


def test_an_excess_whose_repairs_are_cancelled_is_tried_again_every_30_s() -> None:
    """Beside an order that hangs no read-back was even waited for."""
    play = stuck().when(cancels_hang, flatten()).when(seconds(20)).when(filled("exit", 133, "75.00"), seconds(60))
    play.when(refuses(Leg.REPAIR, code=202, kind=ErrorKind.CANCELLED), filled("stop", 50, "74.80"), seconds(29))
    play.check("two", lambda p: sum(order.leg == Leg.REPAIR for order in p.broker.orders.values()), 2)
    play.when(refuses(), seconds(2)).when(filled("repair", 50, "74.81"))
    play.check("flat", lambda p: p.broker.positions["SOXL"], 0)


def test_a_market_order_for_more_than_is_left_is_replaced_at_once() -> None:
    play = at_the_market().when(traded_by_hand(Action.SELL, 33, "75.00")).check("less", works, ["exit#3"])
    play.check("shares", lambda p: p.broker.orders[p.ref("exit#3")].total, 100)


def test_a_market_order_for_nothing_is_cancelled_at_once() -> None:
    at_the_market().when(traded_by_hand(Action.SELL, 133, "75.00")).check("nothing works", works, [])


def test_a_market_order_for_less_than_is_left_is_replaced_when_it_has_waited() -> None:
    play = at_the_market()
    play.broker.trade("SOXL", Action.BUY, 7, "75.10", play.ref("entry"))
    play.when(seconds(5)).check("the same", works, ["exit#2"]).when(seconds(6)).check("more", works, ["exit#3"])
    assert fill_all(play, ["exit#3"]) == 0


def test_a_market_order_that_was_taken_for_lost_does_not_work_beside_its_successor() -> None:
    """It reaches the broker late: both are ended, and one is sent for what is left."""
    play = stuck().when(flatten()).when(seconds(5)).when(lost_on_the_way(Leg.EXIT)).when(seconds(5))
    first = play.engine.state.books["SOXL"].find(play.engine.state.books["SOXL"].exit.order).spec
    play.when(lost_on_the_way()).when(seconds(3)).check("sent again", works, ["exit#3"])
    late = Resting(first, 5_000, first.shares, None, None, OrderStatus.SUBMITTED, armed=True)
    play.broker.orders[first.order_ref] = late
    play.broker._report(late)
    play.when(seconds(30))
    (left,) = works(play)
    assert fill_all(play, [left]) == 0


def test_a_leg_that_works_although_it_was_told_to_be_cancelled_is_cancelled_again() -> None:
    play = at_the_market()
    play.broker.orders[play.ref("stop#1")].status = OrderStatus.PRE_SUBMITTED
    play.when(seconds(11)).when(seconds(11))
    (left,) = works(play)
    assert left.startswith("exit")
    assert fill_all(play, [left]) == 0


def test_a_cancel_that_got_lost_is_repeated_while_a_repair_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stop and target both fill in a halt; the timed exit of the same side would fill as well, later."""
    play = stuck()
    play.broker.hears_cancels = False
    monkeypatch.setattr(play.broker, "_siblings", lambda order: [])
    play.when(filled("stop#1", 133, "74.80"), filled("target#1", 133, "75.25"))
    play.broker.hears_cancels = True
    play.when(minutes(1))
    (left,) = works(play)
    assert left.startswith("repair")
    assert fill_all(play, [left]) == 0
