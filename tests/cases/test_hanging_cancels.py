"""A gateway that answers a cancel with `PendingCancel` and nothing more (ADR 21)."""

from __future__ import annotations

from pathlib import Path

from core.commands import PlaceOrders
from core.vocabulary import Leg
from tests.cases.field import SESSION_CLIENT_ID, Field, field
from tests.cases.test_c_fills import STILL

HANG = {"doubt": {"set": {"cancel_delay_seconds": 900}}}
HEAR = {"doubt": {"set": {"cancel_delay_seconds": 0}}}


def placed(day: Field, leg: Leg) -> list[int]:
    """The shares of every stand-alone order of that leg, in the order in which they were sent."""
    specs = [spec for command in day.commands(PlaceOrders) for spec in command.orders]
    return [spec.shares for spec in specs if spec.order_ref.endswith(f"/{leg}")]


async def test_the_closure_goes_to_the_market_beside_cancels_that_hang_and_repairs_what_fills_twice(
    tmp_path: Path,
) -> None:
    """A halt: target and market order both fill when it ends, since the target's cancel was never carried out."""
    async with field(tmp_path, "SOXL", **STILL) as day:
        day.predict(60, "SOXL", "BUY")
        day.fault({"at": "+590", **HANG})
        day.fault({"at": "+590", "halt": {"symbol": "SOXL", "seconds": 60}})
        day.fault({"at": "+645", **HEAR})
        await day.live()
        (held,) = placed(day, Leg.EXIT)
        assert placed(day, Leg.REPAIR) == [held]
        assert day.alerts("hanging/") == ["raised hanging/SOXL", "over hanging/SOXL"]
        assert day.alerts("overfill/") == ["raised overfill/SOXL/1"]
        day.check_laws()


async def test_a_stop_that_hangs_while_it_is_cancelled_by_hand_is_replaced(tmp_path: Path) -> None:
    async with field(tmp_path, "SOXL", **STILL) as day:
        day.predict(60, "SOXL", "BUY")
        day.fault({"at": "+89", **HANG})
        await day.live(90)
        orders = day.gateway.venue.open_orders(SESSION_CLIENT_ID)
        (stop,) = [order for order in orders if order.request.order_ref.endswith("/stop")]
        day.gateway.venue.cancel(SESSION_CLIENT_ID, stop.order_id)
        await day.live(130)
        assert placed(day, Leg.EMERGENCY_STOP) == [stop.quantity]
        assert day.alerts("hanging/") == ["raised hanging/SOXL"]
        await day.live()
        day.check_laws()
