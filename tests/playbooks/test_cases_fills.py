"""Cases from the field, groups C, D and E: what goes wrong for people who trade through TWS, and what must be true.

By their numbers. Where a switch of the model broker stands for a doubt, both of its positions are played.
"""

from __future__ import annotations

from decimal import Decimal

import pytest

from core import commands as c
from core import events as e
from core.orders import PositionRow
from core.vocabulary import Action, ErrorKind, Leg, OrderStatus, Phase
from tests.support.happenings import (
    broker_mute,
    broker_speaks,
    buy,
    corrected,
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
    position_pushed,
    price_unknown,
    quoted,
    refuses,
    repeated,
    seconds,
    sell,
    traded_by_hand,
)
from tests.support.in_words import ENTERS, bracket, emergency, market_exit, modifies, refused
from tests.support.playbook import Playbook, doubts

LONG = [ENTERS, bracket(1, "BUY", 133, "74.80", "75.25")]
CANCELS = ["cancel stop#1", "cancel target#1", "cancel timed_exit#1"]


def sent(play: Playbook) -> int:
    return play.broker.sent


# --- C: fills and money ---------------------------------------------------------------------------------------------


def test_case_21_unknown_is_not_flat() -> None:
    """A position that the broker's list does not show, while its executions do, is looked at twice."""
    play = Playbook().when(buy()).when(minutes(4))
    play.broker.positions["SOXL"] = 0
    play.broker.mute = True
    play.when(link_lost, link_back).when(happens(play.broker.read_back()))
    play.check("still ours", lambda p: p.engine.position("SOXL"), 133).when(sell(), then=[refused("order_in_flight")])
    play.broker.positions["SOXL"] = 133
    play.when(happens(play.broker.read_back()), then=[]).when(seconds(1), sell())
    assert play.decisions[-1].outcome == "reverse"


@pytest.mark.parametrize("told", [True, False])
def test_case_22_a_position_closed_by_hand_is_noticed_and_its_legs_are_cancelled(told: bool) -> None:
    play = Playbook().when(buy()).when(minutes(1)).when(traded_by_hand(Action.SELL, 133, "75.00", tell=told))
    play.when(position_pushed, seconds(2), seconds(2)).when(seconds(3))
    play.check("flat", lambda p: (p.engine.is_flat(), p.engine.has_working_orders()), (True, False))
    play.check("the ledger says", lambda p: p.trades[1].exit_reason, "external")
    assert play.broker.positions["SOXL"] == 0


def test_case_22_closed_by_hand_while_we_were_away() -> None:
    play = (
        Playbook().when(buy()).when(minutes(1), link_lost).when(traded_by_hand(Action.SELL, 133, "75.00", tell=False))
    )
    play.when(link_back, seconds(5)).check("flat", lambda p: p.engine.working_orders(), 0)
    play.check("the ledger says", lambda p: p.trades[1].exit_reason, "external")


def test_case_22_a_part_sold_by_hand_leaves_the_rest_covered() -> None:
    play = (
        Playbook()
        .when(buy())
        .when(minutes(1))
        .when(traded_by_hand(Action.SELL, 33, "75.00"), then=["warning: external"])
    )
    play.when(seconds(2), then=[modifies("stop#1", 100), modifies("target#1", 100), modifies("timed_exit#1", 100)])


def test_case_22_more_sold_by_hand_than_ours_is_a_foreign_position() -> None:
    play = Playbook().when(buy()).when(minutes(1)).when(traded_by_hand(Action.SELL, 200, "75.00"))
    play.when(seconds(5)).check("foreign", lambda p: p.engine.state.books["SOXL"].foreign_shares, -67)
    play.when(minutes(4), buy(), then=[refused("foreign_position")])


def test_case_22_what_only_the_positions_show_is_believed_the_second_time() -> None:
    play = Playbook().when(buy()).when(minutes(1))
    play.broker.positions["SOXL"] = 0  # transferred away: there is no execution at all
    play.when(position_pushed, then=[]).when(seconds(2), seconds(3))
    play.check("external", lambda p: (p.engine.position("SOXL"), p.trades[1].exit_reason), (0, "external"))
    play.check("nothing works", lambda p: p.engine.has_working_orders(), False)
    play.broker.positions["SOXL"] = 40
    play.when(position_pushed, seconds(2), seconds(1))
    play.check("foreign", lambda p: p.engine.state.books["SOXL"].foreign_shares, 40)


def test_case_22_a_pushed_position_that_the_executions_explain_asks_nothing() -> None:
    pushed = e.PositionReported(0, PositionRow("SOXL", 133, Decimal(0)))
    play = Playbook().when(market_orders_wait, buy()).when(happens(pushed), then=[])
    play.when(filled("entry", 133, "75.10"), seconds(5), then=[])
    other = e.PositionReported(0, PositionRow("TSLA", 5, Decimal(0)))
    play.when(happens(other), then=[])


def test_case_23_repeated_executions_count_once() -> None:
    play = Playbook().when(market_orders_wait, buy()).when(filled("entry", 100, "75.10"), filled("entry", 33, "75.20"))
    before = play.engine.daily_pnl()
    play.when(repeated(3), then=[]).check("position", lambda p: p.engine.position("SOXL"), 133)
    assert play.engine.daily_pnl() == before


def test_case_23_a_status_that_goes_backwards_changes_nothing() -> None:
    play = Playbook().when(buy())
    entry = play.broker.orders[play.ref("entry")]
    for status in (OrderStatus.SUBMITTED, OrderStatus.PRE_SUBMITTED, OrderStatus.PENDING_SUBMIT):
        old = e.OrderStatusReported(0, entry.spec.order_ref, entry.perm_id, status, 20, 113, "")
        play.when(happens(old), then=[])
    play.check("live", lambda p: p.engine.working_orders(), 3)


def test_case_24_executions_are_the_truth_also_without_a_filled_status() -> None:
    play = Playbook().when(market_orders_wait, buy())
    execution = play.broker.fill(play.ref("entry"), 133, "75.10", tell=False)
    play.when(happens(e.ExecutionReported(0, execution))).check("held", lambda p: p.engine.position("SOXL"), 133)
    play.when(seconds(0.9), then=[]).check(
        "entry over", lambda p: p.engine.state.books["SOXL"].find(p.ref("entry")).stage, "filled"
    )


def test_case_24_a_filled_status_ahead_of_its_execution_waits_for_it() -> None:
    play = Playbook().when(market_orders_wait, buy())
    play.broker.fill(play.ref("entry"), 133, "75.10")
    late = [event for event in play.broker.outbox if isinstance(event, e.ExecutionReported)]
    for event in [event for event in play.broker.outbox if event not in late]:
        play.feed(event)
    play.broker.outbox.clear()
    play.when(seconds(1), buy(), then=[refused("order_in_flight")]).when(happens(*late), seconds(30), then=[])


def test_case_24_an_execution_that_stays_away_is_asked_for() -> None:
    play = Playbook().when(buy()).when(minutes(1))
    stop = play.broker.orders[play.ref("stop")]
    play.broker.fill(stop.spec.order_ref, 133, "74.80", tell=False)
    told = e.OrderStatusReported(0, stop.spec.order_ref, stop.perm_id, OrderStatus.FILLED, 133, 0, "")
    play.when(happens(told), then=[]).when(seconds(2), then=[
        "read: executions of SOXL are missing", "trade: long 133 stop -39.90",
    ])  # fmt: skip
    play.check("flat", lambda p: (p.engine.is_flat(), p.trades[1].exit_reason), (True, "stop"))


def test_case_24_fills_that_only_a_status_told_of_did_not_happen() -> None:
    play = Playbook().when(buy()).when(minutes(1))
    target = play.broker.orders[play.ref("target")]
    told = e.OrderStatusReported(0, target.spec.order_ref, target.perm_id, OrderStatus.SUBMITTED, 50, 83, "")
    play.when(happens(told), then=[]).when(seconds(2), then=["warning: fills"]).when(seconds(30), then=[])
    play.check("position", lambda p: p.engine.position("SOXL"), 133)


def test_case_25_a_missing_commission_is_pending_and_not_zero() -> None:
    play = Playbook().when(buy())
    execution = play.broker.executions[0]
    play.engine.state.ledger.reported_commissions.clear()
    play.engine.state.ledger.commission_total = Decimal(0)
    play.when(filled("target", 133, "75.25"), then=[]).check("pending", lambda p: p.trades[1].commissions, None)
    play.when(happens(e.CommissionReported(0, execution.exec_id, None, None)), then=[])
    play.when(
        happens(e.CommissionReported(0, execution.exec_id, Decimal("-0.35"), None)),
        then=["trade: long 133 target +19.95"],
    )
    play.check("a rebate is real", lambda p: str(p.trades[1].commissions), "0.65")
    play.check("net", lambda p: p.engine.daily_pnl(), Decimal("19.30"))


def test_case_25_a_commission_before_its_execution_and_for_none() -> None:
    play = Playbook().when(happens(e.CommissionReported(0, "0000e0d5.00000001.01.01", Decimal(7), None)), then=[])
    play.when(buy()).check("counted once", lambda p: p.engine.daily_pnl(), Decimal(-1))


def test_case_26_a_correction_replaces_the_execution() -> None:
    play = (
        Playbook()
        .when(buy())
        .when(seconds(5))
        .when(filled("target", 133, "75.25"), then=["trade: long 133 target +19.95"])
    )
    play.when(corrected("75.35"), then=["trade: long 133 target +33.25"]).when(corrected("75.35"), then=[])


def test_case_26_a_correction_of_shares_moves_the_position_and_its_legs() -> None:
    play = Playbook().when(buy()).when(corrected("75.10", 130))
    play.when(seconds(3)).check("legs", lambda p: {o.total for o in p.broker.working("SOXL")}, {130})


# --- D: brackets and flat -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("arm_on_part", [True, False])
@pytest.mark.parametrize("takes_children", [True, False])
def test_case_27_the_stop_fires_while_the_entry_is_partly_filled(arm_on_part: bool, takes_children: bool) -> None:
    given = doubts(arm_on_part=arm_on_part, cancel_takes_children=takes_children)
    play = Playbook(given).when(market_orders_wait, buy()).when(filled("entry", 40, "75.10"), seconds(2))
    play.when(filled("stop" if arm_on_part else "emergency_stop", 40, "74.80"))
    play.when(seconds(30)).check("over", lambda p: (p.engine.is_flat(), p.broker.working("SOXL")), (True, []))
    assert play.broker.positions["SOXL"] == 0


def test_case_27_what_fills_after_the_stop_is_protected_too() -> None:
    play = Playbook(doubts(arm_on_part=True)).when(market_orders_wait, buy()).when(filled("entry", 40, "75.10"))
    play.when(broker_mute).when(
        filled_unheard("stop", 40, "74.80"), filled_unheard("entry", 93, "75.00"), broker_speaks
    )
    play.when(repeated(), seconds(30)).check("position", lambda p: p.engine.position("SOXL"), 93)
    play.check("stops", lambda p: sum(o.remaining for o in p.broker.working("SOXL") if o.armed and "stop" in o.leg), 93)


def test_case_28_flatten_leaves_no_sibling_behind() -> None:
    play = Playbook().when(buy()).when(flatten(), seconds(5))
    play.check("nothing", lambda p: (p.broker.positions["SOXL"], p.broker.working("SOXL")), (0, []))


def test_case_29_a_stop_that_fills_during_the_flatten_is_not_over_sold() -> None:
    play = Playbook().when(buy()).when(price_unknown, market_orders_wait, quoted(75.1, 75.1, 75.1)).when(flatten())
    play.when(filled("stop", 133, "74.80"), then=["trade: long 133 stop -39.90"])
    play.when(minutes(1), then=[]).check("flat", lambda p: p.broker.positions["SOXL"], 0)


def test_case_29_a_stop_that_fills_in_part_while_everything_is_being_cancelled() -> None:
    play = (
        Playbook()
        .when(buy())
        .when(price_unknown, market_orders_wait, quoted(75.1, 75.1, 75.1))
        .when(flatten(), seconds(5))
    )
    play.when(broker_mute, seconds(5), then=CANCELS)
    play.broker.orders[play.ref("stop")].status = OrderStatus.SUBMITTED
    play.when(filled_unheard("stop", 33, "74.80"), broker_speaks, seconds(20))
    play.check("the rest", lambda p: p.broker.orders[p.ref("exit")].total, 100)


def test_case_32_a_halt_is_remembered_at_a_restart() -> None:
    play = Playbook().when(buy())
    play.engine.state.books["SOXL"].mark = float("nan")
    play.when(filled("stop", 100, "74.80")).check("halted", lambda p: p.engine.state.phase, Phase.HALTED)
    play.engine.state.books["SOXL"].mark = 75.0
    state = play.engine.state
    play.when(happens(e.ResumeRequested(0, "a person"))).check("stays", lambda p: p.engine.state.phase, Phase.HALTED)
    assert state.halted


def test_case_44_135_on_a_change_is_believed_only_after_a_read_back() -> None:
    play = Playbook().when(market_orders_wait, buy())
    execution = play.broker.fill(play.ref("entry"), 133, "75.20")
    assert execution.shares == 133
    play.when(error("stop", ErrorKind.NOT_FOUND, 135)).when(seconds(30), then=[])
    play.check("the stop lives", lambda p: p.engine.state.books["SOXL"].orders[p.ref("stop")].stage, "live")
    play.check("one stop", lambda p: sent(p), 4)


@pytest.mark.parametrize("code", [10326, 105])
def test_case_45_a_refused_change_leaves_the_order_as_it_was(code: int) -> None:
    """Three refusals, then a person is told; the stop stays, at its old price."""
    play = Playbook().when(market_orders_wait, buy()).when(price_unknown)
    play.broker.refuse_changes = (code, ErrorKind.MODIFY_REFUSED)
    play.when(filled("entry", 133, "75.20"), seconds(30))
    assert play.alerts == [f"refused/{play.ref('stop')}", f"refused/{play.ref('target')}"]
    assert str(play.broker.orders[play.ref("stop")].stop) == "74.80"
    assert play.engine.state.books["SOXL"].orders[play.ref("stop")].stop_price == Decimal("74.80")


@pytest.mark.parametrize("kind", [ErrorKind.MODIFY_REFUSED, ErrorKind.NOT_FOUND, ErrorKind.UNKNOWN])
def test_a_change_that_is_refused_over_and_over_is_tried_again_every_30_s(kind: ErrorKind) -> None:
    """Neither a storm of messages, nor exits that exceed the position for the rest of the day."""
    play = Playbook().when(market_orders_wait, buy()).when(price_unknown)
    play.broker.refuse_changes = (4242, kind)

    def changes(of: Playbook) -> int:
        sent = [command for _, commands in of.journal for command in commands if isinstance(command, c.ModifyOrder)]
        return sum(command.order_ref == of.ref("stop") for command in sent)

    play.when(filled("entry", 133, "75.20"), seconds(29)).check("at once", changes, 3)
    play.when(seconds(1)).check("after 30 s", changes, 4)
    play.broker.refuse_changes = None
    play.when(filled("stop", 33, "74.80"), seconds(31)).check("obeys", changes, 5)
    legs = [play.broker.orders[play.ref(leg)] for leg in ("stop", "target", "timed_exit")]
    assert [(leg.remaining, leg.stop or leg.limit) for leg in legs] == [
        (100, Decimal("74.90")), (100, Decimal("75.35")), (100, None),
    ]  # fmt: skip


@pytest.mark.parametrize("hears_cancels", [True, False])
def test_case_46_stop_and_target_both_fill(hears_cancels: bool) -> None:
    """The excess is closed at once, or in a second: what is left of the legs cannot close it."""
    play = Playbook().when(buy())
    play.broker.hears_cancels = hears_cancels
    play.broker.mute = True
    play.when(filled("stop", 133, "74.80"))
    target = play.broker.orders[play.ref("target")]
    play.broker.mute = False
    execution = play.broker.trade("SOXL", Action.SELL, 133, "75.25", target.spec.order_ref, tell=False)
    target.filled, target.status = 133, OrderStatus.FILLED
    told, repair = ["critical: overfill", "cancel timed_exit#1"], market_exit(2, "BUY", 133, "repair")
    closed = ["trade: long 133 stop -39.90", repair, "trade: short 133 overfill +19.95"]
    play.when(repeated(), then=[*told, *closed] if hears_cancels else told)
    play.when(seconds(1), then=[] if hears_cancels else [repair])
    assert execution.shares == 133
    play.when(minutes(5)).when(buy(), then=[refused("ticker_blocked")])
    play.check("flat", lambda p: (p.broker.positions["SOXL"], p.engine.has_working_orders()), (0, False))


def test_case_46_each_over_fill_is_told() -> None:
    """The target's shares were two executions, and the second came late: the ticker was flat again in between."""
    play = Playbook().when(buy()).when(filled("stop", 133, "74.80")).when(seconds(5))
    target = play.ref("target")
    for _ in range(2):
        play.broker.trade("SOXL", Action.SELL, 20, "75.25", target)
        play.when(seconds(5)).check("flat", lambda p: p.broker.positions["SOXL"], 0)
    assert [key.partition("/")[0] for key in play.alerts] == ["overfill", "overfill"]


def test_case_46_an_over_fill_during_an_exit_is_closed_by_it() -> None:
    play = Playbook().when(buy()).when(price_unknown, market_orders_wait, quoted(75.1, 75.1, 75.1)).when(flatten())
    target = play.broker.orders[play.ref("target")]
    play.broker.trade("SOXL", Action.SELL, 150, "75.05", target.spec.order_ref)
    target.filled, target.status = 133, OrderStatus.FILLED
    play.when(happens(), then=[
        "critical: overfill", "cancel stop#1", "cancel timed_exit#1", "trade: long 133 flatten -6.65",
        market_exit(2, "BUY", 17, "repair"),
    ])  # fmt: skip
    play.when(filled("repair", 17, "75.10")).check("flat", lambda p: p.engine.is_flat(), True)


# --- E: prices and permissions --------------------------------------------------------------------------------------


def test_case_33_110_on_the_entry_is_a_clean_refusal() -> None:
    play = Playbook().when(refuses(Leg.ENTRY, code=110))
    play.when(buy(), then=[*LONG, "warning: rejected"])
    play.when(minutes(1), then=[]).check(
        "nothing", lambda p: (p.engine.working_orders(), p.broker.working("SOXL")), (0, [])
    )


def test_case_33_an_entry_that_the_broker_does_not_find_is_refused_too() -> None:
    lost = error("entry", ErrorKind.NOT_FOUND, 135)
    Playbook().when(broker_mute, buy()).when(lost, then=["warning: rejected"])


def test_case_36_rejections_are_told_and_never_retried_and_three_in_a_row_break_the_circuit() -> None:
    play = Playbook().when(refuses(Leg.ENTRY, code=321))
    for ticker in ("SOXL", "CVNA", "GLD"):
        play.when(buy(ticker=ticker))
    play.when(refuses(), minutes(10), then=[]).when(buy(ticker="SLV"), then=[refused("rejects_in_a_row")])
    play.check("alerts", lambda p: [key.split("/")[0] for key in p.alerts], ["rejected"] * 3)


def test_case_36_an_inactive_entry_counts_as_rejected() -> None:
    play = Playbook().when(market_orders_wait, buy())
    entry = play.broker.orders[play.ref("entry")]
    entry.status = OrderStatus.INACTIVE
    told = e.OrderStatusReported(0, entry.spec.order_ref, entry.perm_id, OrderStatus.INACTIVE, 0, 133, "")
    play.when(happens(told), then=["warning: rejected"]).when(seconds(2), then=CANCELS)


def test_an_unprotected_remainder_gets_its_own_group() -> None:
    play = (
        Playbook(doubts(cancel_takes_children=True)).when(market_orders_wait, buy()).when(filled("entry", 1, "75.10"))
    )
    play.when(ended("entry"), seconds(2), then=[emergency(2, "SELL", 1, "74.80", "75.25"), "critical: emergency"])
