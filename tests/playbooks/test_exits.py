"""SEMANTICS 6 and 7: protection, the exit protocol and flatten."""

from __future__ import annotations

import sys
from dataclasses import replace
from decimal import Decimal

import pytest

from core.commands import PlaceOrders, ReadBroker
from core.vocabulary import Action, ErrorKind, Leg, OrderStatus, Phase
from tests.support.happenings import (
    broker_mute,
    broker_speaks,
    buy,
    ended,
    error,
    filled,
    filled_unheard,
    flatten,
    link_back,
    link_degraded,
    link_lost,
    lost_on_the_way,
    market_orders_fill,
    market_orders_wait,
    minutes,
    ordered_by_hand,
    price_unknown,
    quoted,
    refuses,
    seconds,
    sell,
    stop_session,
    traded_by_hand,
)
from tests.support.in_words import ENTERS, bracket, emergency, market_exit, modifies
from tests.support.playbook import Playbook, doubts, settings
from tests.support.stuck import CANCELS, stuck


def phase(play: Playbook) -> Phase:
    return play.engine.state.phase


# --- protected within 2 s -------------------------------------------------------------------------------------------


def test_a_stop_that_is_seen_working_needs_no_other() -> None:
    Playbook().when(market_orders_wait, buy()).when(filled("entry", 133, "75.10")).when(seconds(60), then=[])


@pytest.mark.parametrize("arm_on_part", [True, False])
def test_a_part_that_waits_for_the_rest_is_protected_in_2_s_either_way(arm_on_part: bool) -> None:
    """ORDERS 3: do children work on a part of their parent? Where they do, nothing is missing."""
    play = Playbook(doubts(arm_on_part=arm_on_part)).when(market_orders_wait, buy()).when(filled("entry", 40, "75.10"))
    play.when(seconds(0.999), then=[])  # sent a second before the limit, to be seen working by then
    group = [emergency(2, "SELL", 40, "74.80", "75.25"), "critical: emergency"]
    play.when(seconds(0.001), then=[] if arm_on_part else group)
    play.when(filled("entry", 93, "75.10"), then=[] if arm_on_part else [
        modifies("emergency_stop#2", 133), modifies("emergency_target#2", 133),
        "cancel emergency_stop#2", "cancel emergency_target#2",
    ])  # fmt: skip
    play.when(seconds(10), then=[])


@pytest.mark.parametrize("rest", [93, 53])
def test_a_part_that_is_cut_off_before_its_stop_is_due_is_looked_after_when_the_link_is_back(rest: int) -> None:
    """ORDERS 3: nothing can be sent meanwhile. Either the rest has filled and armed the legs, or a stop is overdue."""
    play = Playbook().when(market_orders_wait, buy()).when(filled("entry", 40, "75.10"), seconds(0.999))
    play.when(link_lost, seconds(5)).when(filled_unheard("entry", rest, "75.10"), seconds(3), then=[])
    filling = [emergency(2, "SELL", 93, "74.80", "75.25"), "critical: emergency"]
    play.when(link_back, then=[] if rest == 93 else filling).when(seconds(10), then=[])


def test_an_emergency_group_grows_with_the_fills_of_its_entry() -> None:
    play = Playbook().when(market_orders_wait, buy()).when(filled("entry", 40, "75.10"), seconds(2))
    play.when(filled("entry", 20, "75.10"), then=[modifies("emergency_stop#2", 60), modifies("emergency_target#2", 60)])


def test_a_stop_rejected_under_an_open_position_is_replaced_at_once() -> None:
    play = Playbook().when(buy())
    play.when(error("stop", ErrorKind.REJECTED), then=[
        "critical: rejected", emergency(2, "SELL", 133, "74.80", "75.25"), "critical: emergency",
        "cancel target#1", "cancel timed_exit#1",
    ])  # fmt: skip
    play.when(seconds(30), then=[]).when(
        filled("emergency_target", 133, "75.25"), then=["trade: long 133 target +19.95"]
    )


def test_a_stop_that_the_broker_cancelled_is_replaced_within_2_s() -> None:
    """ORDERS 5: one leg's cancel may cancel its siblings; not at once, because the target may just have filled."""
    play = Playbook().when(buy()).when(ended("stop"), then=[])
    play.when(seconds(2), then=[emergency(2, "SELL", 133, "74.80", "75.25"), "critical: emergency"])


def test_without_its_siblings_only_the_stop_is_replaced_and_the_rest_goes() -> None:
    play = Playbook(doubts(cancel_takes_siblings=False)).when(buy()).when(ended("stop"), then=[])
    play.when(seconds(2), then=[
        emergency(2, "SELL", 133, "74.80", "75.25"), "critical: emergency", "cancel target#1", "cancel timed_exit#1",
    ])  # fmt: skip


def test_a_lost_target_leaves_the_position_to_its_stop() -> None:
    play = Playbook(doubts(cancel_takes_siblings=False)).when(buy())
    play.when(error("target", ErrorKind.REJECTED), then=["warning: rejected"]).when(seconds(30), then=[])
    play.when(filled("stop", 133, "74.80"), then=["trade: long 133 stop -39.90"])


def test_a_refused_timed_exit_is_told_and_stop_and_target_go_on() -> None:
    play = Playbook(doubts(timed_exit_refused=True)).when(buy(), then=[
        ENTERS, bracket(1, "BUY", 133, "74.80", "75.25"), "warning: rejected",
    ])  # fmt: skip
    play.when(seconds(30), then=[])


def test_after_three_groups_that_never_worked_the_position_is_closed() -> None:
    play = Playbook().when(refuses(Leg.EMERGENCY_STOP, Leg.EMERGENCY_TARGET)).when(buy()).when(ended("stop"))
    play.when(seconds(1)).when(seconds(1)).when(seconds(1))
    play.when(seconds(1), then=[market_exit(5, "SELL", 133), "trade: long 133 recovery +0.00"])
    play.check("flat", lambda p: (p.engine.is_flat(), p.engine.has_working_orders()), (True, False))


def test_the_unprotected_time_is_measured() -> None:
    play = Playbook().when(market_orders_wait, buy()).when(filled("entry", 40, "75.10")).when(seconds(2))
    play.when(minutes(1)).when(filled("emergency_stop", 40, "74.80"))
    play.check("unprotected", lambda p: p.trades[1].unprotected_ms, 1_000)
    play = Playbook().when(buy()).when(ended("stop")).when(seconds(0.5)).when(traded_by_hand(Action.SELL, 133, "75.00"))
    play.check("until flat", lambda p: p.trades[1].unprotected_ms, 500)


def test_protection_goes_on_while_the_link_is_degraded() -> None:
    play = Playbook().when(buy()).when(link_degraded).when(ended("stop"))
    play.when(seconds(2), then=[emergency(2, "SELL", 133, "74.80", "75.25"), "critical: emergency"])


# --- the exit protocol ----------------------------------------------------------------------------------------------


def test_first_the_target_is_made_marketable() -> None:
    play = stuck().when(flatten(), then=[modifies("target#1", 133, "75.02")])
    play.when(filled("target", 133, "75.05"), then=["trade: long 133 flatten -6.65", "read: exit of SOXL"])
    play.when(minutes(5), then=[])


def test_a_short_position_buys() -> None:
    play = Playbook().when(sell()).when(price_unknown, quoted(75.10, 75.10, 75.10))
    play.when(flatten(), then=[modifies("target#1", 133, "75.18")])
    play.when(seconds(5), then=[modifies("target#1", 133, "75.48")])


def test_what_the_target_already_sold_is_not_sold_again() -> None:
    play = stuck().when(flatten()).when(filled("target", 33, "75.05"))
    play.when(seconds(5), then=[modifies("target#1", 133, "74.72")])
    play.when(seconds(5)).check("left", lambda p: p.broker.orders[p.ref("exit")].total, 100)


def test_a_target_that_cannot_be_moved_is_not_waited_for() -> None:
    play = stuck()
    play.broker.refuse = {}
    play.when(broker_mute).when(flatten())
    play.when(error("target", ErrorKind.MODIFY_REFUSED, 105), broker_speaks)
    play.when(seconds(20)).check("as market", lambda p: p.broker.orders[p.ref("exit")].total, 133)


def test_no_target_means_market_at_once() -> None:
    play = Playbook(doubts(cancel_takes_siblings=False)).when(buy()).when(error("target", ErrorKind.REJECTED))
    play.when(
        flatten(),
        then=["cancel stop#1", "cancel timed_exit#1", market_exit(2, "SELL", 133), "trade: long 133 flatten +0.00"],
    )


def test_no_price_means_market_at_once() -> None:
    play = Playbook().when(buy())
    book = play.engine.state.books["SOXL"]
    book.quote, book.last_close = None, None
    play.when(flatten(), then=[*CANCELS, market_exit(2, "SELL", 133), "trade: long 133 flatten +0.00"])


def test_a_target_that_ends_during_the_exit_is_not_waited_for() -> None:
    play = stuck().when(flatten()).when(ended("target"))
    play.check("as market", lambda p: p.broker.orders[p.ref("exit")].total, 133)


def test_an_entry_in_flight_is_cancelled_and_what_it_filled_is_closed() -> None:
    play = Playbook().when(market_orders_wait, buy()).when(filled("entry", 40, "75.10"))
    play.when(flatten(), then=["cancel entry#1", *CANCELS, market_exit(2, "SELL", 40)])
    play.when(filled("exit", 40, "75.00"), then=["trade: long 40 flatten -4.00"])


def test_a_sibling_that_stays_is_cancelled_after_2_s() -> None:
    play = stuck().when(flatten())
    stop = play.broker.orders[play.ref("stop")]
    stop.spec = replace(stop.spec, parent_ref="")  # out of its group
    play.when(filled("target", 133, "75.05"), then=["trade: long 133 flatten -6.65"])
    play.when(seconds(2), then=["cancel stop#1"])
    play.when(seconds(2)).check("nothing works", lambda p: p.engine.has_working_orders(), False)


def test_a_refused_market_order_is_tried_again_behind_a_stop() -> None:
    """Rejections: the ticker ends protected or flat, never naked."""
    play = stuck().when(refuses(Leg.EXIT)).when(flatten()).when(seconds(5))
    play.when(seconds(5), then=[
        *CANCELS, market_exit(2, "SELL", 133), "warning: rejected", "critical: exit",
        emergency(3, "SELL", 133, "74.80", "75.25"), "critical: emergency",
    ])  # fmt: skip
    play.when(refuses(), market_orders_fill, seconds(29.999), then=[])
    play.broker.prices["SOXL"] = Decimal("75.00")
    play.when(seconds(0.001), then=[
        "cancel emergency_stop#3", "cancel emergency_target#3", market_exit(4, "SELL", 133),
        "trade: long 133 flatten -13.30", "over: exit",
    ])  # fmt: skip


def test_a_market_order_that_never_arrived_is_asked_for_in_a_second_and_sent_again() -> None:
    """Every stop has been cancelled by then: nothing covers the position (SEMANTICS 6: 2 s)."""
    play = stuck().when(lost_on_the_way(Leg.EXIT)).when(flatten()).when(seconds(5))
    play.when(seconds(5), then=[*CANCELS, market_exit(2, "SELL", 133)])
    play.when(lost_on_the_way(), seconds(0.999), then=[])
    play.when(
        seconds(0.001), then=["read: orders of SOXL without an answer", market_exit(3, "SELL", 133), "critical: exit"]
    )
    play.when(filled("exit#3", 133, "75.00"), then=["trade: long 133 flatten -13.30", "over: exit"])
    play.when(minutes(5), then=[])


def test_after_an_outage_one_read_back_that_shows_nothing_working_is_enough() -> None:
    """Cut off while its legs were being cancelled: nothing covers the position any more."""
    play = stuck().when(flatten()).when(seconds(5)).when(broker_mute).when(seconds(5), then=CANCELS)
    play.when(link_lost, broker_speaks)
    before = len(play.journal)
    play.when(link_back, then=[market_exit(2, "SELL", 133)])
    asked = [
        command for _, commands in play.journal[before:] for command in commands if isinstance(command, ReadBroker)
    ]
    assert [question.reason for question in asked] == ["the link came up"]
    play.when(filled("exit", 133, "75.00"), then=["trade: long 133 flatten -13.30"])


def test_a_stop_that_stands_in_may_be_what_ends_it() -> None:
    play = stuck().when(refuses(Leg.EXIT)).when(flatten()).when(seconds(5)).when(seconds(5))
    play.when(filled("emergency_stop", 133, "74.80"), then=["trade: long 133 stop -39.90", "over: exit"])


def test_an_outage_in_the_middle_of_an_exit_ends_flat() -> None:
    play = stuck().when(flatten()).when(link_lost, seconds(7), then=[])
    play.when(link_back, then=[modifies("target#1", 133, "74.72")])
    play.when(seconds(1)).when(link_lost, seconds(60))
    play.when(link_back, then=["over: link", *CANCELS, market_exit(2, "SELL", 133)])
    play.when(link_lost).when(filled("exit", 133, "75.00")).when(link_back)
    play.check("trade", lambda p: (p.trades[1].exit_reason, str(p.trades[1].gross_pnl)), ("flatten", "-13.30"))


def test_only_one_exit_works_at_a_time() -> None:
    play = stuck().when(flatten()).when(flatten(), then=[]).when(stop_session, then=["phase: closing"])
    play.when(filled("target", 133, "75.05")).check("reason", lambda p: p.trades[1].exit_reason, "flatten")


def test_named_tickers_only() -> None:
    play = Playbook().when(buy()).when(buy(ticker="CVNA")).when(flatten("SOXL"))
    play.check("positions", lambda p: p.engine.positions(), {"CVNA": 133})


def test_a_flatten_is_no_suspension() -> None:
    play = Playbook().when(buy()).when(flatten()).when(minutes(3), buy())
    assert play.decisions[-1].refusal is None


@pytest.mark.parametrize("nonsense", [5e-324, 1e30, sys.float_info.max])
def test_a_quote_that_is_no_price_stops_no_exit(nonsense: float) -> None:
    play = Playbook().when(buy()).when(quoted(nonsense, nonsense, nonsense)).when(flatten(), seconds(30))
    play.check("flat", lambda p: p.engine.is_exited(), True)


def test_flatten_with_nothing_to_do() -> None:
    Playbook().when(flatten(), then=[]).when(flatten("TSLA"), then=[])


def test_the_whole_account_means_other_people_s_shares_too() -> None:
    play = Playbook(settings(allow_foreign_positions=True))
    play.broker.positions.update({"SOXL": 50, "TSLA": -20})
    play.broker.prices["TSLA"] = Decimal(200)
    play.engine.state.ever_reconciled = False
    play.when(link_lost, link_back).when(buy(), ordered_by_hand("TSLA"))
    play.when(flatten(), seconds(30)).check("ours only", lambda p: p.broker.positions, {"SOXL": 50, "TSLA": -20})
    play.when(flatten(whole_account=True), seconds(30)).check("verified", lambda p: p.engine.is_exited(), True)
    assert all(shares == 0 for shares in play.broker.positions.values())
    assert play.engine.is_flat()
    assert not play.broker.foreign
    play.when(stop_session).check("phase", phase, Phase.CLOSED)


def test_other_people_s_shares_are_sold_only_after_their_orders_had_time_to_end() -> None:
    """The first read-back tells what there is; another is asked for behind the cancel of everything."""
    play = Playbook(settings(allow_foreign_positions=True)).when(ordered_by_hand("TSLA"))
    play.broker.positions["TSLA"], play.broker.prices["TSLA"] = 20, Decimal(200)
    before = len(play.journal)
    play.when(flatten(whole_account=True))
    told = [command for _, commands in play.journal[before:] for command in commands]
    (sold,) = (number for number, command in enumerate(told) if isinstance(command, PlaceOrders))
    assert sum(isinstance(command, ReadBroker) for command in told[:sold]) == 2


def test_a_refused_sale_of_other_people_s_shares_is_tried_again_after_30_s_not_at_once() -> None:
    play = Playbook(settings(allow_foreign_positions=True)).when(refuses(Leg.EXIT))
    play.broker.positions["TSLA"], play.broker.prices["TSLA"] = 20, Decimal(200)
    play.when(flatten(whole_account=True), seconds(1)).check("one", lambda p: p.broker.sent, 1)
    play.when(seconds(60)).check("three", lambda p: p.broker.sent, 3)
    play.when(refuses(), seconds(31)).check("sold", lambda p: p.broker.positions["TSLA"], 0)


def test_the_whole_account_asked_for_during_an_outage_is_flat_after_it() -> None:
    play = Playbook().when(ordered_by_hand("TSLA"), buy()).when(link_lost)
    play.when(flatten(whole_account=True), then=["cancel everything"])
    cancels = [f"cancel {leg}#1" for leg in ("stop", "target", "timed_exit")]
    closes = [market_exit(2, "SELL", 133), "trade: long 133 flatten +0.00"]
    play.check("not yet", lambda p: p.engine.is_exited(), False)
    play.when(link_back, then=["cancel everything", *cancels, *closes])
    play.when(seconds(30)).check("flat", lambda p: (p.broker.positions, p.broker.foreign), ({"SOXL": 0}, []))


def test_what_a_stop_still_has_beyond_a_change_that_was_lost_is_cancelled() -> None:
    """It has filled what it was to be cut to; its status tells that the rest works on."""
    given = doubts(reduces_siblings=False, cancel_takes_siblings=False)
    play = Playbook(given).when(buy()).when(filled("target", 33, "75.25"))
    play.broker.refuse_changes = (135, ErrorKind.NOT_FOUND)
    play.when(broker_mute, seconds(2), then=[modifies("stop#1", 100), modifies("timed_exit#1", 100)])
    play.when(broker_speaks, filled("stop", 100, "74.80"), seconds(5))
    play.check("nothing works", lambda p: p.broker.working("SOXL"), [])
    play.check("flat", lambda p: p.broker.positions["SOXL"], 0)


def test_an_order_that_has_filled_and_is_still_listed_is_no_working_one() -> None:
    play = Playbook().when(buy()).when(seconds(10))
    play.broker.orders[play.ref("entry")].status = OrderStatus.SUBMITTED  # the list lags behind the executions
    play.when(minutes(3), then=[])
    play.check("ended", lambda p: p.ref("entry") in p.engine.state.books["SOXL"].ended, True)
