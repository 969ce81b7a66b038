"""What is refused, with which code, and that a live order stays as it was."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from simulator.doubts import Doubts
from simulator.model import OrderRequest
from tests.simulator.venue.stage import CALM, Moment, stage


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"kind": "MIDPRICE"}, 387),
        ({"kind": "BANANA"}, 321),
        ({"kind": "LMT"}, 321),
        ({"kind": "STP"}, 321),
        ({"kind": "TRAIL"}, 321),
        ({"kind": "LMT", "limit": 10.005}, 110),
        ({"kind": "STP", "stop": 9.999}, 110),
        ({"kind": "LMT", "limit": 10, "price_off_grid": True}, 110),
        ({"kind": "LMT", "limit": -1}, 321),
        ({"tif": "FOREVER"}, 321),
        ({"tif": "GTD"}, 321),
        ({"account": "U1"}, 321),
        ({"quantity": 0}, 434),
        ({"quantity": -5}, 321),
        ({"parent_id": 99}, 135),
    ],
)
def test_a_refused_order_never_exists(tmp_path: Path, fields: dict[str, object], code: int) -> None:
    play = stage(tmp_path, CALM)
    chosen = {"kind": "MKT", "quantity": 100, **fields}
    assert play.place(1, "BUY", **chosen) == [f"error 1 {code}"]
    assert play.live() == []
    assert play.cancel(1) == ["error 1 10147"]


def test_fractions_of_a_share(tmp_path: Path) -> None:
    play = stage(tmp_path, CALM)
    play.venue.place(1, OrderRequest(1, play.venue.instruments()[0], "BUY", Decimal("1.5"), "MKT"))
    assert play.ear.take() == ["error 1 10243"]


def test_below_a_dollar_the_increment_is_finer(tmp_path: Path) -> None:
    penny: dict[str, Moment] = {"09:59:00": (0.98, 0.99, 500, 400, 0.985)}
    play = stage(tmp_path, penny)
    assert play.place(1, "BUY", 100, "LMT", limit="0.9501")[-1] == "status 1 Submitted 0/100"
    assert play.place(2, "SELL", 100, "LMT", limit="1.0001") == ["error 2 110"]
    assert play.place(3, "SELL", 100, "LMT", limit="1.01")[-1] == "status 3 Submitted 0/100"


def test_cancels_that_come_too_late(tmp_path: Path) -> None:
    play = stage(tmp_path, CALM)
    play.place(1, "BUY", 100)
    assert play.cancel(1) == ["error 1 10148"]
    assert play.cancel(2) == ["error 2 10147"]
    play.venue.doubts = Doubts(legacy_cancel_codes=True)
    assert play.cancel(1) == ["error 1 161"]
    assert play.cancel(2) == ["error 2 135"]


def test_modifications_that_come_too_late(tmp_path: Path) -> None:
    play = stage(tmp_path, CALM)
    play.place(1, "BUY", 100)
    assert play.place(1, "BUY", 200) == ["error 1 104"]
    play.place(2, "BUY", 100, "LMT", limit=9)
    play.cancel(2)
    assert play.place(2, "BUY", 100, "LMT", limit=9) == ["error 2 103"]


@pytest.mark.parametrize(
    ("action", "fields", "code"),
    [("BUY", {"limit": 9.005}, 110), ("SELL", {"limit": 9}, 105), ("BUY", {"limit": 9, "oca_group": "x"}, 10326)],
)
def test_an_invalid_modification_leaves_the_order_alone(
    tmp_path: Path, action: str, fields: dict[str, object], code: int
) -> None:
    play = stage(tmp_path, CALM)
    play.place(1, "BUY", 100, "LMT", limit=9.5)
    assert play.place(1, action, 100, "LMT", **fields) == [f"error 1 {code}"]
    assert [order.request.limit_price for order in play.venue.open_orders()] == [95_000]


def test_a_fill_during_a_slow_cancel(tmp_path: Path) -> None:
    script = {**CALM, "10:00:01": (9.40, 9.42, 500, 400, None)}
    play = stage(tmp_path, script, doubts=Doubts(cancel_delay_seconds=3))
    play.place(1, "BUY", 100, "LMT", limit=9.5)
    play.until("10:00:01")
    assert play.cancel(1) == ["status 1 PendingCancel 0/100"]
    assert play.cancel(1) == ["error 1 10148"]
    assert "status 1 Filled 100/0" in play.until("10:00:02")
    assert play.until("10:00:05") == ["error 1 10148"]
    assert play.position() == 100


def test_a_slow_cancel_arrives(tmp_path: Path) -> None:
    play = stage(tmp_path, CALM, doubts=Doubts(cancel_delay_seconds=3))
    play.place(1, "BUY", 100, "LMT", limit=9.5)
    play.cancel(1)
    assert play.until("10:00:02") == []
    assert play.until("10:00:03") == ["status 1 Cancelled 0/100", "error 1 202"]


def test_more_than_the_margin_allows(tmp_path: Path) -> None:
    play = stage(tmp_path, CALM, cash=10_000 * 10_000)
    assert play.place(1, "BUY", 10_000) == [
        "error 1 201",
        "open 1 Inactive",
        "status 1 Inactive 0/10000",
    ]
    assert play.place(2, "BUY", 2_000, "LMT", limit=9.5)[-1] == "status 2 Submitted 0/2000"
    assert play.place(3, "BUY", 2_500, "LMT", limit=9.5)[0] == "error 3 201"  # the resting order counts


def test_what_only_reduces_needs_no_margin(tmp_path: Path) -> None:
    play = stage(tmp_path, {**CALM, "10:00:05": (3.0, 3.02, 9000, 9000, 3.01)}, cash=10_000 * 10_000)
    play.place(1, "BUY", 3_000)
    play.until("10:00:10")
    assert "error 2 201" not in play.place(2, "SELL", play.position())
    assert play.position() == 0


def test_shares_that_can_not_be_borrowed(tmp_path: Path) -> None:
    play = stage(tmp_path, CALM)
    instrument = play.venue.instruments()[0]
    play.venue.faults.set_shortable(instrument, 0)
    assert play.place(1, "SELL", 100)[0] == "error 1 201"
    play.place(2, "BUY", 100)
    assert "exec 3 SLD 100 @ 10.0" in play.place(3, "SELL", 100)


def test_held_while_shares_are_located(tmp_path: Path) -> None:
    play = stage(tmp_path, CALM, doubts=Doubts(unshortable="locate"))
    instrument = play.venue.instruments()[0]
    play.venue.faults.set_shortable(instrument, 0)
    heard = play.place(1, "SELL", 100)
    assert "error 1 404" in heard
    assert heard[-1] == "status 1 PreSubmitted 0/100 (locate)"
    play.venue.faults.set_shortable(instrument, 1000)
    assert play.position() == -100


def test_a_cash_account_borrows_neither_money_nor_shares(tmp_path: Path) -> None:
    play = stage(tmp_path, CALM, cash=1_000 * 10_000, cash_only=True)
    assert play.place(1, "SELL", 10)[0] == "error 1 201"
    assert play.place(2, "BUY", 100)[0] == "error 2 201"
    assert "exec 3 BOT 90 @ 10.02" in play.place(3, "BUY", 90)
    assert "exec 4 SLD 90 @ 10.0" in play.place(4, "SELL", 90)


def test_ids_never_move_backwards(tmp_path: Path) -> None:
    play = stage(tmp_path, CALM)
    play.place(41, "BUY", 100, "BANANA")
    play.place(7, "BUY", 100, "LMT", limit=9)
    assert play.venue.next_order_id(1) == 42
    assert play.venue.next_order_id(2) == 1
