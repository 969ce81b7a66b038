"""The account's position may lag behind its executions: one list without shares that we hold closes nothing."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from core import events as e
from core.orders import PositionRow
from core.vocabulary import Action
from tests.support.happenings import (
    buy,
    filled,
    flatten,
    link_back,
    link_lost,
    market_orders_wait,
    minutes,
    restarted,
    seconds,
    sell,
    traded_by_hand,
)
from tests.support.playbook import Playbook
from tests.support.stuck import stuck


def lags(play: Playbook, monkeypatch: pytest.MonkeyPatch, for_ms: int) -> None:
    """For so long a read-back does not show the position."""
    until_ms, whole = play.now_ms + for_ms, play.broker.read_back

    def answer() -> e.BrokerRead:
        picture = whole()
        return picture if play.now_ms >= until_ms else replace(picture, positions=())

    monkeypatch.setattr(play.broker, "read_back", answer)


def covered(play: Playbook) -> int:
    """Shares for which stops work at the broker."""
    return sum(order.remaining for order in play.broker.working("SOXL") if "stop" in order.leg and order.armed)


def test_a_position_that_has_just_filled_is_not_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    play = Playbook().when(market_orders_wait, buy()).when(filled("entry", 133, "75.10"))
    lags(play, monkeypatch, for_ms=1_500)
    play.when(link_lost, link_back).when(minutes(1))
    play.check("held", lambda p: (p.engine.position("SOXL"), covered(p)), (133, 133))
    play.check("nobody closed it", lambda p: [key for key in p.alerts if "external" in key], [])


def test_a_correction_of_an_earlier_fill_makes_the_newest_no_older(monkeypatch: pytest.MonkeyPatch) -> None:
    play = Playbook().when(buy()).when(filled("target", 133, "75.25"), minutes(5))
    sold = play.broker.executions[-1]
    play.when(market_orders_wait, buy()).when(filled("entry", 133, "75.10"))
    lags(play, monkeypatch, for_ms=1_500)
    play.broker.executions[-2] = replace(sold, exec_id=f"{sold.lineage}.02", price=Decimal("75.26"))
    play.when(link_lost, link_back).when(minutes(1))
    play.check("held", lambda p: (p.engine.position("SOXL"), covered(p)), (133, 133))
    play.check("nobody closed it", lambda p: [key for key in p.alerts if "external" in key], [])


def test_an_exit_is_not_over_while_the_account_lacks_shares_that_nothing_sold(monkeypatch: pytest.MonkeyPatch) -> None:
    play = stuck().when(flatten(), seconds(9)).when(filled("target", 33, "75.00"))
    lags(play, monkeypatch, for_ms=1_500)
    play.when(seconds(6)).when(filled("exit", 100, "75.00"), seconds(3))
    play.check("flat", lambda p: (p.engine.is_flat(), p.broker.positions["SOXL"]), (True, 0))
    play.check("by us", lambda p: p.trades[1].exit_reason, "flatten")


def test_what_was_closed_by_hand_a_moment_after_a_fill_is_believed_a_little_later() -> None:
    play = Playbook().when(buy()).when(traded_by_hand(Action.SELL, 133, "75.00", tell=False))
    play.broker.executions.pop()
    play.when(link_lost, link_back).check("not yet", lambda p: p.engine.position("SOXL"), 133)
    play.when(seconds(10)).check("gone", lambda p: (p.engine.is_flat(), p.broker.working("SOXL")), (True, []))
    assert play.trades[1].exit_reason == "external"


def test_a_reversal_waits_for_the_word_on_a_difference() -> None:
    play = Playbook().when(buy()).when(minutes(1)).when(traded_by_hand(Action.BUY, 10, "75.10", tell=False))
    play.broker.executions.pop()
    play.when(sell(), seconds(10)).check("no entry beside foreign shares", lambda p: p.engine.is_flat(), True)
    assert play.engine.state.books["SOXL"].foreign_shares == 10
    assert any(key.startswith("reversal/") for key in play.alerts)


def test_a_session_without_a_journal_does_not_take_what_it_has_just_sold_for_another_s(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    play = Playbook().when(buy()).when(minutes(1)).when(filled("stop", 133, "74.80"))
    whole = play.broker.read_back
    sold_ms, before = play.now_ms, (PositionRow("SOXL", 133, Decimal(0)),)
    positions: dict[bool, tuple[PositionRow, ...]] = {False: before, True: ()}
    monkeypatch.setattr(
        play.broker, "read_back", lambda: replace(whole(), positions=positions[play.now_ms > sold_ms + 1_500])
    )
    play.when(restarted(journal=False), seconds(10))
    play.check("ours", lambda p: (p.engine.is_flat(), p.engine.state.books["SOXL"].foreign_shares), (True, 0))
