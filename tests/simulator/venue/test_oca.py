"""OCA groups of the three types, over-fills, and groups that have finished."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulator.doubts import Doubts
from tests.simulator.venue.stage import CALM, Stage, stage

BOTH = {**CALM, "10:00:05": (10.00, 10.02, 60, 400, 9.40), "10:00:06": (10.0, 10.02, 900, 400, None)}
"""At 10:00:05 a print at 9.40 sets off the stop, while a sale at 10.00 is possible for 60 shares."""


def _pair(play: Stage, oca_type: int, group: str = "g", first_id: int = 1) -> None:
    play.place(first_id, "SELL", 100, "STP", stop=9.50, oca_group=group, oca_type=oca_type)
    play.place(first_id + 1, "SELL", 100, "LMT", limit=10.01, oca_group=group, oca_type=oca_type)


def test_type_1_cancels_the_others_on_any_fill(tmp_path: Path) -> None:
    play = stage(tmp_path, BOTH)
    _pair(play, 1)
    heard = play.until("10:00:06")
    assert "exec 1 SLD 60 @ 10.0" in heard
    assert heard[-1] == "error 2 202"
    assert play.live() == [1]
    play.until("10:00:07")
    assert play.position() == -100


def test_type_2_reduces_the_others(tmp_path: Path) -> None:
    play = stage(tmp_path, BOTH)
    _pair(play, 2)
    play.until("10:00:06")
    assert [(order.order_id, order.quantity, order.remaining) for order in play.venue.open_orders()] == [
        (1, 100, 40),
        (2, 40, 40),
    ]
    play.until("10:00:07")
    assert play.live() == []
    assert play.position() == -100


@pytest.mark.parametrize("oca_type", [1, 2])
def test_types_1_and_2_never_overfill_even_with_the_switch(tmp_path: Path, oca_type: int) -> None:
    script = {**CALM, "10:00:05": (10.01, 10.02, 900, 400, 9.40)}
    play = stage(tmp_path, script, doubts=Doubts(oca3_overfill_probability=1.0))
    _pair(play, oca_type)
    play.until("10:00:10")
    assert play.position() == -100
    assert play.live() == []


def test_type_3_overfills_when_the_switch_says_so(tmp_path: Path) -> None:
    script = {**CALM, "10:00:05": (10.01, 10.02, 900, 400, 10.01)}
    for chance, expected in ((0.0, -100), (1.0, -200)):
        play = stage(tmp_path, script, doubts=Doubts(oca3_overfill_probability=chance))
        _pair(play, 3)
        play.until("10:00:10")
        assert play.position() == expected


def test_type_3_overfills_in_the_second_before_the_cancel_lands(tmp_path: Path) -> None:
    script = {**CALM, "10:00:05": (10.01, 10.02, 900, 400, 9.40)}
    for delay, expected in ((1, -200), (0, -100)):
        play = stage(tmp_path, script, doubts=Doubts(oca3_cancel_delay_seconds=delay))
        _pair(play, 3)
        play.until("10:00:10")
        assert play.position() == expected


def test_an_overfill_can_be_planned(tmp_path: Path) -> None:
    play = stage(tmp_path, {**CALM, "10:00:05": (11.00, 11.02, 500, 400, 11.01)})
    play.bracket(1, "BUY", 100, stop=9.5, target=11)
    play.venue.faults.overfill_next()
    play.until("10:00:06")
    assert play.position() == -100


@pytest.mark.parametrize("variant", ["refuse", "accept"])
def test_a_finished_group_takes_no_one_in(tmp_path: Path, variant: str) -> None:
    play = stage(tmp_path, CALM, doubts=Doubts(group_name_reuse=variant))
    play.place(1, "BUY", 100, oca_group="g", oca_type=1)
    heard = play.place(2, "SELL", 100, "LMT", limit=11, oca_group="g", oca_type=1)
    assert (heard == ["error 2 201"]) is (variant == "refuse")


@pytest.mark.parametrize("holds", [True, False])
def test_with_block_a_market_order_waits_behind_a_working_limit(tmp_path: Path, holds: bool) -> None:
    play = stage(tmp_path, CALM, doubts=Doubts(block_holds_market=holds, cancel_takes_siblings=False))
    play.place(1, "SELL", 100, "LMT", limit=11, oca_group="g", oca_type=2)
    play.place(2, "SELL", 100, "MKT", oca_group="g", oca_type=2)
    assert play.position() == (0 if holds else -100)
    if holds:
        play.cancel(1)
        play.until("10:00:01")
        assert play.position() == -100


def test_cancelling_one_order_of_a_group_takes_the_others_by_default(tmp_path: Path) -> None:
    play = stage(tmp_path, CALM)
    _pair(play, 2)
    play.cancel(1)
    assert play.live() == []
