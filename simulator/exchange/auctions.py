"""The opening and the closing auction: one price for all, as deep as needed."""

from __future__ import annotations

from simulator.exchange.floor import Floor
from simulator.exchange.kinds import LIMITED, awaits_trigger
from simulator.exchange.lifecycle import cancel, held_by
from simulator.exchange.matching import fill
from simulator.model import Instrument, Order, Price


def run_opening(floor: Floor, instrument: Instrument, price: Price) -> None:
    """Fill OPG orders at the first regular trade; limits it does not reach are cancelled."""
    for order in floor.orders.working(instrument.con_id):
        if order.tif == "OPG":
            _settle(floor, order, price)


def run_closing(floor: Floor, instrument: Instrument, price: Price) -> None:
    """Fill MOC and LOC orders at the regular close; limits it does not reach are cancelled."""
    for order in floor.orders.working(instrument.con_id):
        if order.request.order_type in ("MOC", "LOC"):
            _settle(floor, order, price)


def _settle(floor: Floor, order: Order, price: Price) -> None:
    if not order.is_live or held_by(floor, order) in ("child", "time", "locate") or awaits_trigger(order):
        return
    limit = order.request.limit_price if order.request.order_type in LIMITED else None
    if floor.touch(order.instrument).halted or not price or (limit is not None and (price - limit) * order.side > 0):
        cancel(floor, order, "Cancelled by System:Auction", alone=True)
        return
    fill(floor, order, order.remaining, price, added=True)
