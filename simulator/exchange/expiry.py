"""How long orders live: DAY, GTC, GTD, and what belongs to one session."""

from __future__ import annotations

from simulator.exchange.floor import Floor
from simulator.exchange.kinds import works_outside_rth
from simulator.exchange.lifecycle import cancel
from simulator.model import Order
from simulator.timers import Phase


def set_expiry(floor: Floor, order: Order) -> None:
    """Let an order die in time; an earlier date set for it (before a modification) no longer counts."""
    order.expires_ms = _expiry_ms(floor, order)
    expires_ms = order.expires_ms
    if expires_ms is not None:
        floor.timers.at(expires_ms, lambda: _expire(floor, order, expires_ms), Phase.AFTER_MATCHING)


def _expiry_ms(floor: Floor, order: Order) -> int | None:
    hours, now_ms, request = floor.hours, floor.clock.now_ms, order.request
    if order.tif == "GTC" or (order.tif == "DAY" and not floor.doubts.day_orders_die):
        return None
    if order.tif == "GTD":
        return request.good_till_ms
    if order.tif == "OPG" and now_ms >= hours.regular_open_ms:
        return hours.day_order_expiry_ms(hours.extended_close_ms, outside_rth=False)  # it waits for the next opening
    if request.good_after_ms is not None and request.good_after_ms > hours.extended_close_ms:
        return None  # of a later day than the present one: it stays until its own timer has made it work
    return hours.day_order_expiry_ms(now_ms, works_outside_rth(order))


def _expire(floor: Floor, order: Order, expires_ms: int) -> None:
    if order.is_live and order.transmitted and order.expires_ms == expires_ms:
        cancel(floor, order, "Cancelled by System:Expired", alone=True)
