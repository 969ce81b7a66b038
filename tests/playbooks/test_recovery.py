"""SEMANTICS 9 and ARCHITECTURE: outages, restarts, a lost journal; history that fills a gap; what people are told."""

from __future__ import annotations

from decimal import Decimal

from broker.gateway import REQUEST_SECONDS
from core import events as e
from core.commands import ReadBroker
from core.vocabulary import Action, ErrorKind, Leg, Link, Phase, Side
from tests.support.happenings import (
    bar,
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
    link_degraded,
    link_lost,
    market_orders_wait,
    minutes,
    price_unknown,
    restarted,
    seconds,
    sell,
    suspend,
    traded_by_hand,
)
from tests.support.in_words import ENTERS, bracket, emergency, market_exit, modifies, refused
from tests.support.playbook import PLAN, Playbook, doubts, not_connected, settings

ENTRY_2 = [ENTERS, bracket(2, "BUY", 133, "74.80", "75.25")]


def atr_of(play: Playbook, ticker: str = "SOXL") -> float | None:
    return play.engine.state.books[ticker].atr.value


# --- outages --------------------------------------------------------------------------------------------------------


def test_what_the_broker_did_meanwhile_is_taken_in_exactly_once() -> None:
    play = Playbook().when(buy()).when(minutes(1), link_lost).when(filled_unheard("stop", 133, "74.80"))
    play.when(seconds(5), link_back, then=["trade: long 133 stop -39.90"])
    play.when(link_lost, link_back, then=[]).check("position", lambda p: p.engine.is_flat(), True)


def test_an_outage_is_told_after_10_s_once_and_its_end_too() -> None:
    play = Playbook().when(link_lost, seconds(9.999), then=[]).when(seconds(0.001), then=["critical: link"])
    play.when(minutes(5), then=[]).when(link_back, then=["over: link"])
    play.when(link_lost, seconds(10), then=["critical: link"])


def test_a_short_outage_is_told_to_nobody() -> None:
    Playbook().when(link_lost, seconds(5)).when(link_back, seconds(20), then=[])


def test_what_the_broker_did_while_ib_was_away_is_read_back_at_once_whatever_else_is_in_the_way() -> None:
    play = Playbook().when(link_degraded, seconds(10), then=["critical: link"])
    farm = "2103: Market data farm connection is broken"
    play.when(happens(e.LinkChanged(0, Link.DEGRADED, farm)), then=[])
    restored = e.LinkChanged(0, Link.DEGRADED, farm, restored=True)
    play.when(happens(restored), then=["read: the link came up"])
    play.when(minutes(1), then=[]).when(link_back, then=["over: link", "read: the link came up"])


def test_a_degraded_link_is_told_too_and_a_loss_after_it() -> None:
    play = Playbook().when(link_degraded, seconds(10), then=["critical: link"])
    play.when(link_lost, minutes(1), then=[]).when(link_degraded, then=["read: the link came up"])
    play.when(link_back, then=["over: link"])


def test_after_every_return_of_the_link_the_broker_is_read_first() -> None:
    play = Playbook().when(link_degraded).when(link_back, then=["read: the link came up"])
    play.when(link_lost).when(link_back, then=["read: the link came up"])


def test_a_question_that_nobody_answers_is_asked_again() -> None:
    play = Playbook(not_connected()).when(broker_mute, link_back)
    play.when(seconds(REQUEST_SECONDS))  # until then the broker's side may still answer
    assert not any(isinstance(command, ReadBroker) for command in play._seen)
    play.when(seconds(5), then=["read: the last question was not answered"])
    play.when(broker_speaks, seconds(20), then=["read: the last question was not answered", "phase: trading"])
    play.when(minutes(1), then=[])


def test_an_answer_to_a_question_of_before_the_link_came_up_tells_nothing_of_what_was_sent_after_it() -> None:
    """An order that nobody has answered is not given up for a list that was asked for before it left."""
    play = Playbook().when(buy(ticker="CVNA")).when(broker_mute, happens(e.Woke(0, "audit")))
    old = play.broker.read_back()
    play.when(market_orders_wait, buy()).when(link_degraded, link_back, seconds(6), broker_speaks)
    play.when(happens(old)).check("not given up", lambda p: [key for key in p.alerts if "rejected" in key], [])
    play.check("live", lambda p: len(p.engine.state.books["SOXL"].orders), 4)


def test_an_answer_that_comes_after_the_link_was_lost_starts_nothing() -> None:
    play = Playbook(not_connected())
    play.feed(e.LinkChanged(0, Link.CONNECTED, "test"))
    play.broker.outbox.clear()
    play.when(link_lost).when(happens(play.broker.read_back())).check(
        "not known", lambda p: p.engine.is_reconciled(), False
    )


def test_nothing_is_sent_while_the_link_is_lost() -> None:
    play = Playbook().when(buy()).when(link_lost)
    play.when(happens(), seconds(1), flatten(), minutes(1), bar(74.0), then=["critical: link"])


def test_a_leg_that_vanished_during_an_outage_is_replaced_at_once() -> None:
    """The broker's whole picture lacks it: no fill that explains it can still be on its way."""
    play = Playbook().when(buy()).when(link_lost)
    play.broker._end(play.broker.orders[play.ref("stop")], "Cancelled")
    play.when(link_back, then=[emergency(2, "SELL", 133, "74.80", "75.25"), "critical: emergency"])


def test_while_anything_is_open_the_broker_is_read_every_two_minutes() -> None:
    play = Playbook().when(minutes(3), then=[])
    play.when(buy(), filled_unheard("stop", 133, "74.80")).when(minutes(2))
    play.check("noticed", lambda p: p.engine.is_flat(), True)


def test_an_order_sent_after_the_question_is_left_to_the_next_answer() -> None:
    play = Playbook().when(buy(ticker="CVNA")).when(broker_mute, minutes(2))
    before = play.broker.read_back()
    play.when(buy(), then=ENTRY_2).when(happens(before), then=[])
    play.check("in flight", lambda p: len(p.engine.state.books["SOXL"].orders), 4)
    play.when(broker_speaks, seconds(10)).check("known", lambda p: p.engine.position("SOXL"), 133)


# --- restarts -------------------------------------------------------------------------------------------------------


def test_a_suspension_survives_a_restart() -> None:
    play = Playbook().when(suspend).when(restarted()).check("phase", lambda p: p.engine.state.phase, Phase.SUSPENDED)
    play.when(seconds(1), buy(), then=[refused("session_suspended")])


def test_a_halt_that_a_replay_does_not_come_to_is_one_all_the_same() -> None:
    remembered = happens(e.ReplayDiffered(0, "daily P&L -1010.00 reached the limit of -1000", 1))
    play = Playbook().when(buy()).when(remembered, seconds(30))
    play.when(remembered, then=[]).when(buy(ticker="GLD"), then=[refused("session_halted")])
    play.check("flat", lambda p: p.engine.is_exited(), True)
    assert play.alerts == ["halt"]


def test_no_reference_that_only_the_journal_knows_is_used_again() -> None:
    play = Playbook().when(happens(e.ReplayDiffered(0, "", 2)), then=[]).when(buy(), then=ENTRY_2)
    play.check("phase", lambda p: p.engine.state.phase, Phase.TRADING)


def test_a_lost_journal_leaves_positions_orders_and_numbers_as_the_broker_tells_them() -> None:
    play = Playbook().when(buy()).when(minutes(1)).when(restarted(journal=False))
    book = play.engine.state.books["SOXL"]
    assert (book.position, book.cooldown_ms.keys()) == (133, {Side.LONG})
    assert play.engine.state.next_number == 1_200
    (bracket_back,) = book.brackets.values()
    assert (bracket_back.stop_distance, bracket_back.target_distance) == (Decimal("0.30"), Decimal("0.15"))
    play.when(minutes(4), sell()).check("turned", lambda p: p.engine.position("SOXL"), -133)


def test_a_lost_journal_and_a_lost_stop_give_a_new_stop_by_the_atr_of_now() -> None:
    play = (
        Playbook(doubts(cancel_takes_siblings=False)).when(buy()).when(minutes(1)).when(ended("stop"), ended("target"))
    )
    play.restart(journal=False)
    play.keep_warm()
    play.when(link_lost, link_back, then=[
        "warning: adopted", "warning: adopted", "phase: trading",
        emergency(1_200, "SELL", 133, "74.80", "75.25"), "critical: emergency", "cancel timed_exit#1",
    ])  # fmt: skip


def test_a_lost_journal_a_lost_stop_and_no_atr_mean_flat() -> None:
    play = Playbook(doubts(cancel_takes_siblings=False)).when(buy()).when(minutes(1)).when(ended("stop"))
    play.restart(journal=False)
    play.setup.warm = False
    play.when(link_lost, link_back, seconds(5)).check(
        "flat", lambda p: (p.engine.is_flat(), p.broker.working("SOXL")), (True, [])
    )


def test_a_lost_journal_finds_the_bracket_that_a_hand_trade_left_covered() -> None:
    """133 and an add of 66; 145 sold by hand leave 54 of the add, behind its stop. That stop stays where it is."""
    play = Playbook(settings(scale_in_min_move_atr=0.0)).when(buy(), minutes(1), buy())
    play.when(traded_by_hand(Action.SELL, 145, "75.10"), seconds(30)).when(restarted(journal=False), seconds(30))
    held = {number: bracket.held for number, bracket in play.engine.state.books["SOXL"].brackets.items()}
    assert held == {2: 54}
    assert [leg.leg for leg in play.broker.working("SOXL")] == ["stop", "target", "timed_exit"]


def test_what_is_heard_before_the_first_read_back_waits_for_what_came_before_it() -> None:
    """Long 133, 47 of them sold by hand, the rest by its target; short 133. Whose were the 47? The order tells."""
    play = Playbook().when(buy()).when(seconds(1), traded_by_hand(Action.SELL, 47, "75.10"))
    play.when(seconds(5), filled("target", 86, "75.25"), seconds(5), market_orders_wait, sell(), seconds(1))
    short = play.broker.fill(play.ref("entry"), 133, "75.10", tell=False)
    play.restart(journal=False)
    play.keep_warm()
    play.when(happens(e.LinkChanged(0, Link.LOST, "x"), e.ExecutionReported(0, short)), then=[])
    play.when(link_back, seconds(30))
    book = play.engine.state.books["SOXL"]
    assert (book.position, book.foreign_shares, play.broker.positions["SOXL"]) == (-133, 0, -133)
    assert [(bracket.held, bracket.side) for bracket in book.brackets.values()] == [(133, Side.SHORT)]


def test_a_stop_that_ends_unheard_between_the_first_two_answers_is_replaced_by_the_second() -> None:
    play = Playbook(doubts(cancel_takes_siblings=False)).when(buy()).when(minutes(1))
    play.restart(journal=False)
    play.keep_warm()
    play.when(broker_mute, happens(e.LinkChanged(0, Link.LOST, "x"), e.LinkChanged(0, Link.CONNECTED, "x")))
    first = play.broker.read_back()
    play.when(ended("stop"), happens(first)).when(happens(play.broker.read_back()), then=[
        emergency(1_200, "SELL", 133, "74.80", "75.25"),
        "critical: emergency", "cancel target#1", "cancel timed_exit#1",
    ])  # fmt: skip


def test_a_lost_journal_finds_emergency_groups_again() -> None:
    play = (
        Playbook().when(market_orders_wait, buy()).when(filled("entry", 40, "75.10")).when(ended("entry"), seconds(2))
    )
    play.when(restarted(journal=False), seconds(30))
    (bracket_back,) = play.engine.state.books["SOXL"].brackets.values()
    assert (bracket_back.emergency.stop, bracket_back.emergency.target) == (
        play.ref("emergency_stop"),
        play.ref("emergency_target"),
    )
    play.when(filled("emergency_stop", 40, "74.80"), then=["trade: long 40 stop -12.00"])


def test_a_lost_journal_with_two_brackets_one_of_them_on_an_emergency_group() -> None:
    play = Playbook().when(buy()).when(minutes(1))
    play.broker.prices["SOXL"] = Decimal("75.15")
    play.when(buy(0.9)).when(seconds(5), ended("stop#2"), seconds(5)).when(restarted(journal=False), seconds(30))
    assert play.engine.position("SOXL") == 199
    assert sum(order.remaining for order in play.broker.working("SOXL") if "stop" in order.leg) == 199
    play.when(flatten(), seconds(30)).check("flat", lambda p: p.broker.positions["SOXL"], 0)


def test_a_lost_journal_after_trades_with_every_kind_of_exit() -> None:
    play = (
        Playbook()
        .when(buy())
        .when(flatten())
        .when(minutes(4), buy())
        .when(price_unknown, market_orders_wait)
        .when(flatten())
    )
    play.when(seconds(11)).when(filled("exit", 133, "75.00")).when(restarted(journal=False))
    play.check("the same money", lambda p: p.engine.daily_pnl(), Decimal("-17.30"))
    play.check("trades", lambda p: len(p.trades), 2).check("idle", lambda p: p.engine.state.books["SOXL"].is_idle, True)


def test_a_reference_of_a_form_that_we_do_not_know_is_still_ours() -> None:
    play = Playbook()
    play.broker.trade("SOXL", Action.BUY, 10, "75.00", f"{PLAN.session}/SOXL/77/conversion")
    play.when(happens(), seconds(30)).check("closed", lambda p: p.broker.positions["SOXL"], 0)
    assert play.engine.state.next_number > 77


def test_a_position_of_yesterday_or_of_another_client_is_foreign() -> None:
    play = Playbook(not_connected(), settings())
    play.broker.positions["SOXL"] = 10
    play.broker.positions["TSLA"] = 99
    play.when(
        traded_by_hand(Action.BUY, 5, "75.00", tell=False), traded_by_hand(Action.BUY, 5, "75.00", "TSLA", tell=False)
    )
    play.when(link_back, then=["warning: foreign_position", "phase: trading"])
    play.check("foreign", lambda p: p.engine.state.books["SOXL"].foreign_shares, 15)
    play.when(buy(), then=[refused("foreign_position")]).check(
        "no book", lambda p: "TSLA" in p.engine.state.books, False
    )


def test_an_own_position_in_a_ticker_that_left_the_universe_is_closed_at_the_closure() -> None:
    play = Playbook()
    play.broker.prices["TSLA"] = Decimal(200)
    play.broker.trade("TSLA", Action.BUY, 10, "200", f"{PLAN.session}/TSLA/5/entry")
    play.when(happens(), seconds(30)).check("closed", lambda p: p.broker.positions["TSLA"], 0)


def test_hand_trades_next_to_foreign_shares_cut_those_first() -> None:
    play = Playbook(not_connected(), settings(allow_foreign_positions=True))
    play.broker.positions["SOXL"] = 50
    play.when(link_back, seconds(1)).when(buy()).when(traded_by_hand(Action.SELL, 60, "75.10"), seconds(3))
    book = play.engine.state.books["SOXL"]
    assert (book.position, book.foreign_shares) == (123, 0)
    play.when(traded_by_hand(Action.BUY, 20, "75.10"), seconds(3)).check("bought", lambda p: book.foreign_shares, 20)
    play.when(flatten(), seconds(10)).check("theirs stay", lambda p: p.broker.positions["SOXL"], 20)


def test_a_foreign_short_is_cut_by_a_foreign_buy() -> None:
    play = Playbook(not_connected(), settings(allow_foreign_positions=True))
    play.broker.positions["SOXL"] = -50
    play.when(link_back, seconds(1)).when(sell()).when(traded_by_hand(Action.BUY, 60, "75.10"), seconds(3))
    book = play.engine.state.books["SOXL"]
    assert (book.position, book.foreign_shares) == (-123, 0)


def test_what_another_client_did_is_taken_in_once_and_its_correction_not_again() -> None:
    play = Playbook().when(buy()).when(minutes(1)).when(traded_by_hand(Action.SELL, 33, "75.00"))
    old = play.broker.executions[-1]
    corrected = e.ExecutionReported(
        0, type(old)(**{**{k: getattr(old, k) for k in old.__slots__}, "exec_id": f"{old.lineage}.02"})
    )
    play.when(happens(e.ExecutionReported(0, old), corrected), seconds(3)).check(
        "once", lambda p: p.engine.position("SOXL"), 100
    )


def test_the_exit_sells_no_more_than_the_account_has() -> None:
    play = Playbook().when(buy()).when(price_unknown, market_orders_wait).when(flatten(), seconds(5))
    play.broker.positions["SOXL"] = 100
    play.when(seconds(5)).check("less", lambda p: p.broker.orders[p.ref("exit")].total, 100)
    play = Playbook().when(sell()).when(price_unknown, market_orders_wait).when(flatten(), seconds(5))
    play.broker.positions["SOXL"] = -100
    play.when(seconds(5)).check("less", lambda p: p.broker.orders[p.ref("exit")].total, 100)


# --- the prediction source ------------------------------------------------------------------------------------------


def test_a_dead_prediction_source_is_told_once_and_stops_nothing_else() -> None:
    gone, back = e.PredictionSourceChanged(0, False, "3 polls failed"), e.PredictionSourceChanged(0, True, "")
    play = Playbook().when(buy()).when(happens(gone), then=["warning: predictions"]).when(happens(gone), then=[])
    play.when(flatten()).check("exits work", lambda p: p.engine.is_flat(), True)
    play.when(happens(back), then=["over: predictions"]).when(happens(back), then=[])


def test_an_error_that_answers_nothing_changes_nothing() -> None:
    play = (
        Playbook()
        .when(buy())
        .when(error("stop", ErrorKind.NOT_CANCELLABLE, 161), error("entry", ErrorKind.NOT_FOUND), then=[])
    )
    play.when(error("target", ErrorKind.CANCELLED, 202)).check("ended", lambda p: p.engine.working_orders(), 2)


def test_the_exit_of_a_leg_that_is_refused_outright_is_told() -> None:
    play = Playbook().when(buy()).when(price_unknown, market_orders_wait).when(flatten(), seconds(5))
    play.broker.refuse = {Leg.EXIT: (201, ErrorKind.REJECTED)}
    play.when(seconds(5), then=[
        "cancel stop#1", "cancel target#1", "cancel timed_exit#1", market_exit(2, "SELL", 133),
        "warning: rejected", "critical: exit", emergency(3, "SELL", 133, "74.80", "75.25"), "critical: emergency",
    ])  # fmt: skip


def test_modifications_follow_the_echo_of_the_broker() -> None:
    """A leg that the broker shows at another price than it was asked for is changed again."""
    play = Playbook().when(buy())
    stop = play.broker.orders[play.ref("stop")]
    stop.stop = Decimal("74.00")
    play.when(link_lost, link_back, then=[modifies("stop#1", 133, "74.80")])


def test_a_change_that_never_arrived_does_not_leave_the_order_unknown_for_ever() -> None:
    play = Playbook().when(buy())
    play.broker.connected = False  # before we notice
    play.when(flatten()).when(link_lost, link_back, seconds(15))
    play.check("flat", lambda p: p.engine.is_flat(), True)
    play.check("nothing works", lambda p: p.engine.working_orders(), 0)
