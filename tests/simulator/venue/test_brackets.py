"""Parents, children and what is in doubt about them. Rows are those of the table of doubts."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulator.doubts import Doubts
from tests.simulator.venue.stage import CALM, Stage, stage

THIN = {"09:59:00": (10.00, 10.02, 500, 60, 10.01), "10:00:10": (10.00, 10.02, 500, 900, None)}
"""The ask shows 60 shares for ten seconds."""


def _orders(play: Stage) -> dict[int, tuple[str, int]]:
    return {order.order_id: (order.status, order.quantity) for order in play.venue.open_orders()}


def test_nothing_is_said_before_the_last_leg_transmits(tmp_path: Path) -> None:
    play = stage(tmp_path, CALM)
    assert play.place(1, "BUY", 100, "LMT", limit=9.9, transmit=False) == []
    assert play.place(2, "SELL", 100, "STP", stop=9.5, parent_id=1, transmit=False) == []
    assert play.live() == []
    assert play.place(3, "SELL", 100, "LMT", limit=11, parent_id=1) == [
        "open 1 PreSubmitted",
        "status 1 PreSubmitted 0/100",
        "open 2 PreSubmitted",
        "status 2 PreSubmitted 0/100 (child,trigger)",
        "open 3 PreSubmitted",
        "status 3 PreSubmitted 0/100 (child)",
        "open 1 Submitted",
        "status 1 Submitted 0/100",
        "status 1 Submitted 0/100",
    ]


def test_row_1_children_share_a_group_named_by_their_parent(tmp_path: Path) -> None:
    play = stage(tmp_path, CALM)
    play.bracket(1, "BUY", 100, stop=9.5, target=11)
    parent, stop, target = 1, *play.venue.open_orders()
    perm_id = play.ear.executions[0].perm_id
    assert parent == 1
    assert (stop.oca_group, stop.oca_type) == (str(perm_id), 3) == (target.oca_group, target.oca_type)


def test_children_arm_when_the_parent_has_filled(tmp_path: Path) -> None:
    play = stage(tmp_path, CALM)
    heard = play.bracket(1, "BUY", 100, stop=9.5, target=11)
    assert heard[-5:] == [
        "open 2 PreSubmitted",
        "status 2 PreSubmitted 0/100 (trigger)",
        "open 3 Submitted",
        "status 3 Submitted 0/100",
        "status 3 Submitted 0/100",
    ]


def test_one_child_filled_cancels_the_other(tmp_path: Path) -> None:
    play = stage(tmp_path, {**CALM, "10:00:05": (11.00, 11.02, 500, 400, 11.01)})
    play.bracket(1, "BUY", 100, stop=9.5, target=11)
    heard = play.until("10:00:06")
    assert heard[0] == "exec 3 SLD 100 @ 11.0"
    assert play.until("10:00:07") == [
        "status 2 PendingCancel 0/100 (trigger)",
        "status 2 Cancelled 0/100",
        "error 2 202",
    ]
    assert play.position() == 0
    assert play.live() == []


def test_a_parent_cancelled_takes_its_children(tmp_path: Path) -> None:
    play = stage(tmp_path, CALM)
    play.bracket(1, "BUY", 100, stop=9.5, target=11, kind="LMT", limit=9.8)
    assert [word for word in play.cancel(1) if word.startswith("error")] == [
        "error 1 202",
        "error 2 202",
        "error 3 202",
    ]
    assert play.live() == []


@pytest.mark.parametrize("variant", ["refuse_modify", "accept"])
def test_row_1_an_explicit_group_on_children(tmp_path: Path, variant: str) -> None:
    play = stage(tmp_path, CALM, doubts=Doubts(explicit_child_group=variant))
    play.place(1, "BUY", 100, transmit=False)
    play.place(2, "SELL", 100, "STP", stop=9.5, parent_id=1, transmit=False, oca_group="mine", oca_type=2)
    play.place(3, "SELL", 100, "LMT", limit=11, parent_id=1, oca_group="mine", oca_type=2)
    groups = [order.oca_group for order in play.venue.open_orders()]
    assert groups == (["", ""] if variant == "refuse_modify" else ["mine", "mine"])
    heard = play.until("10:00:01")
    assert ("open 2 PreSubmitted" in heard) is (variant == "refuse_modify")
    assert [order.oca_group for order in play.venue.open_orders()] == ["mine", "mine"]
    heard = play.place(2, "SELL", 100, "STP", stop=9.6, oca_group="mine", oca_type=2)
    assert ("error 2 10326" in heard) is (variant == "refuse_modify")
    assert play.venue.open_orders()[0].stop_price == (95_000 if variant == "refuse_modify" else 96_000)


@pytest.mark.parametrize("variant", ["error_135", "accept"])
def test_row_2_a_modify_that_resends_the_parent(tmp_path: Path, variant: str) -> None:
    play = stage(tmp_path, CALM, doubts=Doubts(modify_with_parent_id=variant))
    play.bracket(1, "BUY", 100, stop=9.5, target=11)
    heard = play.place(2, "SELL", 100, "STP", stop=9.6, parent_id=1)
    assert (heard == ["error 2 135"]) is (variant == "error_135")
    assert play.live() == [2, 3]  # whatever a library makes of it, the stop is alive
    play.place(2, "SELL", 100, "STP", stop=9.7)
    assert play.venue.open_orders()[0].stop_price == 97_000


def test_row_3_children_wait_for_the_whole_parent(tmp_path: Path) -> None:
    play = stage(tmp_path, THIN, doubts=Doubts(children_arm="whole"))
    play.bracket(1, "BUY", 100, stop=9.5, target=11)
    assert _orders(play) == {1: ("Submitted", 100), 2: ("PreSubmitted", 100), 3: ("PreSubmitted", 100)}
    play.until("10:00:11")
    assert _orders(play)[3] == ("Submitted", 100)


def test_row_3_children_work_for_the_part_that_has_filled(tmp_path: Path) -> None:
    script = {**THIN, "10:00:03": (9.40, 10.02, 900, 0, 9.45)}
    play = stage(tmp_path, script, doubts=Doubts(children_arm="part"))
    play.bracket(1, "BUY", 100, stop=9.5, target=11)
    assert _orders(play)[3] == ("Submitted", 100)
    heard = play.until("10:00:04")
    assert "exec 2 SLD 60 @ 9.4" in heard
    assert play.position() == 0
    heard = play.until("10:00:12")
    assert "exec 1 BOT 40 @ 10.02" in heard  # the parent goes on, its stop has gone off and sells the rest
    assert play.position() == 0
    assert play.live() == []


@pytest.mark.parametrize("takes", [True, False])
def test_row_4_a_parent_cancelled_after_a_part(tmp_path: Path, takes: bool) -> None:
    play = stage(tmp_path, THIN, doubts=Doubts(cancelled_parent_takes_children=takes))
    play.bracket(1, "BUY", 100, stop=9.5, target=11, kind="LMT", limit=10.02, tif="IOC")
    assert play.position() == 60
    expected = {} if takes else {2: ("PreSubmitted", 60), 3: ("Submitted", 60)}
    assert _orders(play) == expected


def test_rows_3_and_4_children_never_do_more_than_the_parent_did(tmp_path: Path) -> None:
    script = {**THIN, "10:00:03": (11.00, 11.02, 900, 0, None), "10:00:06": (9.4, 9.42, 900, 0, 9.4)}
    play = stage(tmp_path, script, doubts=Doubts(children_arm="part", cancelled_parent_takes_children=False))
    play.bracket(1, "BUY", 100, stop=9.5, target=11)
    assert "exec 3 SLD 60 @ 11.0" in play.until("10:00:04")
    play.cancel(1)
    play.until("10:00:20")
    assert play.position() == 0
    assert play.live() == []


@pytest.mark.parametrize("takes", [True, False])
def test_row_5_cancelling_a_leg_can_cancel_its_siblings(tmp_path: Path, takes: bool) -> None:
    play = stage(tmp_path, CALM, doubts=Doubts(cancel_takes_siblings=takes))
    play.bracket(1, "BUY", 100, stop=9.5, target=11)
    play.cancel(3)
    assert play.live() == ([] if takes else [2])


@pytest.mark.parametrize("takes", [True, False])
def test_row_5_refusing_a_leg_can_cancel_its_siblings(tmp_path: Path, takes: bool) -> None:
    play = stage(tmp_path, CALM, doubts=Doubts(cancel_takes_siblings=takes))
    play.venue.faults.reject_next(201, "Order rejected - reason:test", "LMT")
    heard = play.bracket(1, "BUY", 100, stop=9.5, target=11)
    assert [word for word in heard if word.startswith("error 3")] == ["error 3 201"]
    assert "status 3 Inactive 0/100" in heard
    assert play.live() == ([] if takes else [2])
    assert play.position() == 100


@pytest.mark.parametrize(("variant", "left"), [("accept", [2, 3, 4]), ("refuse", [2, 3]), ("cancel_siblings", [])])
def test_row_8_a_timed_market_child(tmp_path: Path, variant: str, left: list[int]) -> None:
    play = stage(tmp_path, CALM, doubts=Doubts(timed_child=variant))
    play.place(1, "BUY", 100, transmit=False)
    play.place(2, "SELL", 100, "STP", stop=9.5, parent_id=1, transmit=False)
    play.place(3, "SELL", 100, "LMT", limit=11, parent_id=1, transmit=False)
    heard = play.place(4, "SELL", 100, parent_id=1, after="10:00:30")
    assert ("error 4 201" in heard) is (variant != "accept")
    assert play.position() == 100
    assert play.live() == left
    play.until("10:00:35")
    assert play.position() == (0 if variant == "accept" else 100)
    assert play.live() == ([] if variant == "accept" else left)


@pytest.mark.parametrize("counts", [True, False])
def test_row_9_the_total_of_a_modify(tmp_path: Path, counts: bool) -> None:
    play = stage(tmp_path, THIN, doubts=Doubts(quantity_counts_filled=counts))
    play.place(1, "BUY", 100, "LMT", limit=10.02)
    play.place(1, "BUY", 80, "LMT", limit=10.02)
    assert [order.remaining for order in play.venue.open_orders()] == [20 if counts else 80]


def test_a_modify_down_to_the_filled_part_completes_the_order(tmp_path: Path) -> None:
    play = stage(tmp_path, THIN)
    play.bracket(1, "BUY", 100, stop=9.5, target=11)
    assert play.place(1, "BUY", 50) == ["error 1 201"]
    heard = play.place(1, "BUY", 60)
    assert heard[:2] == ["open 1 Filled", "status 1 Filled 60/0"]
    assert _orders(play) == {2: ("PreSubmitted", 100), 3: ("Submitted", 100)}


@pytest.mark.parametrize("allowed", [True, False])
def test_row_12_another_client_cancels_by_number(tmp_path: Path, allowed: bool) -> None:
    play = stage(tmp_path, CALM, doubts=Doubts(foreign_cancel=allowed))
    play.place(7, "BUY", 100, "LMT", limit=9)
    assert ("error 7 10147" in play.cancel(7, client=2)) is not allowed
    assert play.live() == ([] if allowed else [7])
    play.venue.global_cancel()
    assert play.live() == []


@pytest.mark.parametrize("notice", [True, False])
def test_row_13_an_order_preset_fills_in_the_time_in_force(tmp_path: Path, notice: bool) -> None:
    play = stage(tmp_path, CALM, doubts=Doubts(preset_tif_notice=notice))
    heard = play.place(1, "BUY", 100, "LMT", limit=9, tif="")
    assert ("error 1 10349" in heard) is notice
    assert play.venue.open_orders()[0].tif == "DAY"


def test_a_refused_parent_leaves_no_naked_leg(tmp_path: Path) -> None:
    play = stage(tmp_path, CALM)
    assert play.bracket(1, "BUY", 100, stop=9.5, target=11, kind="LMT", limit=9.805) == [
        "error 1 110",
        "error 2 135",
        "error 3 135",
    ]
    assert play.live() == []


def test_a_rejected_parent_ends_its_children(tmp_path: Path) -> None:
    play = stage(tmp_path, CALM)
    play.venue.faults.reject_next(201, "Order rejected - reason:test", "parent")
    heard = play.bracket(1, "BUY", 100, stop=9.5, target=11)
    assert heard[:3] == ["error 1 201", "open 1 Inactive", "status 1 Inactive 0/100"]
    assert [word for word in heard if word.startswith("error")] == ["error 1 201", "error 2 202", "error 3 202"]
    assert play.live() == []


def test_legs_are_modified_in_place(tmp_path: Path) -> None:
    play = stage(tmp_path, CALM)
    play.bracket(1, "BUY", 100, stop=9.5, target=11)
    before = [order.perm_id for order in play.venue.open_orders()]
    heard = play.place(3, "SELL", 100, "LMT", limit=10.9)
    assert heard == ["open 3 Submitted", "status 3 Submitted 0/100", "status 3 Submitted 0/100"]
    assert play.place(2, "SELL", 100, "STP", stop=9.6)[0] == "open 2 PreSubmitted"
    assert [order.perm_id for order in play.venue.open_orders()] == before


def test_a_target_priced_to_the_market_ends_the_trade(tmp_path: Path) -> None:
    play = stage(tmp_path, CALM)
    play.bracket(1, "BUY", 100, stop=9.5, target=11)
    assert "exec 3 SLD 100 @ 10.0" in play.place(3, "SELL", 100, "LMT", limit=9.9)
    play.until("10:00:01")
    assert play.position() == 0
    assert play.live() == []


def test_an_order_vanishes_with_a_restart_without_memory(tmp_path: Path) -> None:
    play = stage(tmp_path, CALM)
    play.place(1, "BUY", 100, "LMT", limit=9)
    play.until("10:00:10")
    play.place(2, "BUY", 100, "LMT", limit=9)
    play.venue.faults.forget_orders(play.venue.clock.now_ms)
    assert play.ear.take() == []
    assert play.live() == [1]
    assert play.cancel(2) == ["error 2 10147"]
    assert play.venue.next_order_id(1) == 3
