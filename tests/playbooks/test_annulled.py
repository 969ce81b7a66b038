"""Executions that the broker takes back: a correction down to no shares."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from core.vocabulary import Action
from tests.support.happenings import (
    buy,
    corrected,
    filled,
    link_back,
    link_lost,
    market_orders_fill,
    market_orders_wait,
    minutes,
    restarted,
    seconds,
    traded_by_hand,
)
from tests.support.playbook import Playbook


def is_bare(play: Playbook) -> bool:
    """Flat at the broker and in the books, and nothing works."""
    held = (play.broker.positions.get("SOXL", 0), play.engine.position("SOXL"))
    return held == (0, 0) and not play.broker.working("SOXL") and not play.engine.has_working_orders()


@pytest.mark.parametrize("earlier", [False, True])
def test_a_fill_that_is_annulled_before_anything_covers_it(earlier: bool) -> None:
    play = Playbook()
    if earlier:
        play.when(buy()).when(filled("target", 133, "75.25"), minutes(4))
    play.when(market_orders_wait, buy()).when(filled("entry", 50, "75.10"), seconds(0.5))
    play.when(corrected("75.10", 0), seconds(0.5)).check("flat", lambda p: p.engine.is_flat(), True)
    assert [note.unprotected_ms for note in play.engine.state.books["SOXL"].trades] == [0] * earlier
    play.when(restarted())
    play.when(filled("entry", 83, "75.10"), market_orders_fill, seconds(5))
    play.check("on", lambda p: p.engine.position("SOXL"), 83)


def test_an_entry_that_is_annulled_leaves_nothing_behind() -> None:
    Playbook().when(buy()).when(corrected("75.10", 0), seconds(30)).check("bare", is_bare, True)


def test_a_fill_that_is_heard_of_only_once_it_is_annulled() -> None:
    play = Playbook().when(market_orders_wait, buy()).when(link_lost)
    gone = play.broker.fill(play.ref("entry"), 133, "75.10")
    play.broker.executions[-1] = replace(gone, exec_id=f"{gone.lineage}.02", shares=0)
    play.broker.positions["SOXL"] = 0
    play.when(link_back, seconds(30)).check("bare", is_bare, True)


def test_an_exit_that_is_annulled_leaves_its_position_to_be_closed_at_once() -> None:
    play = Playbook().when(buy()).when(filled("stop", 133, "74.80"), minutes(1))
    play.when(corrected("74.80", 0)).check("closed", is_bare, True)
    assert any(key.startswith("overfill/") for key in play.alerts)


def recorded(play: Playbook) -> list[tuple[int, Decimal]]:
    """The round trips as the database has them: shares and P&L."""
    return sorted((trade.shares, trade.gross_pnl) for trade in play.trades.values())


def made(play: Playbook) -> list[tuple[int, Decimal]]:
    """The round trips of the ledger."""
    trips = play.engine.state.ledger.trades()
    return sorted((trip.most_held, trip.gross_pnl) for trip in trips if trip.gross_pnl is not None)


def test_a_trade_whose_exit_is_annulled_is_none_until_it_has_ended_again() -> None:
    play = Playbook().when(buy()).when(filled("stop", 133, "74.80"), minutes(1))
    play.when(market_orders_wait, corrected("74.80", 0)).check("open", recorded, [])
    play.when(filled("repair", 133, "74.70"), seconds(30)).check("closed", recorded, made(play))
    assert len(play.trades) == 1


def test_trades_that_a_correction_joins_are_one() -> None:
    """Three shares of the first exit are taken back: the position was never flat between the two trades."""
    play = Playbook().when(buy()).when(filled("target", 133, "75.25"), minutes(4))
    first = play.broker.executions[-1]
    play.when(buy()).when(filled("stop", 133, "74.80"), minutes(1))
    assert len(play.trades) == 2
    play.broker.executions.append(play.broker.executions.pop(play.broker.executions.index(first)))
    play.when(corrected("75.25", 130), seconds(30)).check("bare", is_bare, True)
    assert len(play.trades) == 1
    play.check("as in the ledger", recorded, made(play))


def test_a_close_by_another_that_is_corrected_restates_its_trade() -> None:
    play = Playbook().when(buy()).when(traded_by_hand(Action.SELL, 133, "75.00"), seconds(5))
    play.check("closed by another", recorded, [(133, Decimal("-13.30"))])
    play.when(corrected("75.20")).check("restated", recorded, [(133, Decimal("13.30"))])
    play.check("as in the ledger", recorded, made(play)).when(seconds(30)).check("bare", is_bare, True)


def test_a_close_by_another_that_is_annulled_leaves_our_shares_to_be_closed_at_once() -> None:
    play = Playbook().when(buy()).when(traded_by_hand(Action.SELL, 133, "75.00"), seconds(5))
    play.when(corrected("75.00", 0), seconds(30)).check("closed", is_bare, True)
    assert play.engine.state.books["SOXL"].foreign_shares == 0
    play.check("as in the ledger", recorded, made(play))


def test_a_correction_of_what_others_traded_for_themselves_changes_no_trade() -> None:
    play = Playbook().when(buy()).when(traded_by_hand(Action.BUY, 5, "75.00"), seconds(5))
    play.when(corrected("75.20"), seconds(5)).check("none", recorded, [])
    play.check("ours", lambda p: p.engine.position("SOXL"), 133)
