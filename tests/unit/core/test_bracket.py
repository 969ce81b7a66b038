"""The table of an order's life: complete, consistent, and drawn as it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.bracket import IN_FLIGHT_STAGES, LIVE_STAGES, TRANSITIONS, Heard, Stage, after
from core.errors import InvalidValueError
from tests.support.order_life import draw

ENDED = set(Stage) - LIVE_STAGES


def test_every_stage_has_its_row() -> None:
    assert set(TRANSITIONS) == set(Stage)


@pytest.mark.parametrize("stage", sorted(LIVE_STAGES))
def test_every_live_order_can_be_filled_cancelled_or_rejected(stage: Stage) -> None:
    assert after(stage, Heard.FILLED) is Stage.FILLED
    assert after(stage, Heard.CANCELLED) is Stage.CANCELLED
    assert after(stage, Heard.REJECTED) in (Stage.REJECTED, Stage.UNKNOWN)


@pytest.mark.parametrize("stage", sorted(IN_FLIGHT_STAGES))
def test_whatever_is_in_flight_becomes_unknown_with_the_link(stage: Stage) -> None:
    assert after(stage, Heard.LINK_LOST) is Stage.UNKNOWN
    assert after(stage, Heard.SILENCE) is Stage.UNKNOWN


def test_what_is_settled_is_not_made_unknown_by_the_link() -> None:
    for stage in {Stage.LIVE, *ENDED}:
        assert after(stage, Heard.LINK_LOST) is stage


def test_unknown_is_resolved_by_the_broker_s_word_only() -> None:
    deaf_to = {heard for heard in Heard if heard not in (Heard.CHANGE_SENT, Heard.CANCEL_SENT)}
    assert deaf_to - set(TRANSITIONS[Stage.UNKNOWN]) == {
        Heard.STATUS, Heard.CHANGE_REFUSED, Heard.CANCEL_REFUSED, Heard.NOT_FOUND, Heard.UNKNOWN_ERROR, Heard.SILENCE,
        Heard.LINK_LOST,
    }  # fmt: skip
    assert after(Stage.UNKNOWN, Heard.READ_LIVE) is Stage.LIVE
    assert after(Stage.UNKNOWN, Heard.READ_ABSENT) is Stage.ABSENT


@pytest.mark.parametrize("stage", sorted(ENDED))
def test_only_a_read_back_or_a_fill_brings_an_ended_order_back(stage: Stage) -> None:
    late = {
        heard for heard in Heard if heard not in (Heard.CHANGE_SENT, Heard.CANCEL_SENT, Heard.READ_LIVE, Heard.FILLED)
    }
    assert {after(stage, heard) for heard in late} == {stage}
    assert after(stage, Heard.FILLED) is Stage.FILLED


def test_what_has_filled_stays_so_unless_a_read_back_lists_more_of_it() -> None:
    """It filled what was asked for: the change down to that may never have arrived."""
    told = {heard for heard in Heard if heard not in (Heard.CHANGE_SENT, Heard.CANCEL_SENT, Heard.READ_LIVE)}
    assert {after(Stage.FILLED, heard) for heard in told} == {Stage.FILLED}
    assert after(Stage.FILLED, Heard.READ_LIVE) is Stage.LIVE


@pytest.mark.parametrize("stage", sorted({Stage.UNKNOWN, Stage.CHANGING, Stage.CANCELLING, *ENDED}))
def test_no_change_is_sent_to_an_order_that_is_not_settled(stage: Stage) -> None:
    with pytest.raises(InvalidValueError) as refused:
        after(stage, Heard.CHANGE_SENT)
    assert str(refused.value) == f"stage = {stage!r} is not allowed: one that can take 'change sent'"


@pytest.mark.parametrize("stage", sorted({Stage.UNKNOWN, Stage.CANCELLING, *ENDED}))
def test_no_cancel_is_sent_twice_or_blindly(stage: Stage) -> None:
    with pytest.raises(InvalidValueError, match="can take 'cancel sent'"):
        after(stage, Heard.CANCEL_SENT)


def test_135_on_a_change_is_no_end() -> None:
    """II#647: the number may be the parent's."""
    assert after(Stage.CHANGING, Heard.NOT_FOUND) is Stage.UNKNOWN
    assert after(Stage.LIVE, Heard.NOT_FOUND) is Stage.UNKNOWN
    assert after(Stage.SENT, Heard.NOT_FOUND) is Stage.REJECTED


@pytest.mark.parametrize("stage", sorted(LIVE_STAGES))
def test_a_code_that_nobody_knows_makes_a_live_order_unknown(stage: Stage) -> None:
    assert after(stage, Heard.UNKNOWN_ERROR) is Stage.UNKNOWN


def test_the_diagram_is_drawn_from_the_table() -> None:
    page = Path(__file__).parents[3] / "docs" / "order-life.md"
    assert page.read_text() == draw(), "docs/order-life.md is out of date: python -m tests.support.order_life"
