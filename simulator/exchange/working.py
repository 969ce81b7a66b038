"""Orders at work: starting those that something has awakened, and matching each second that has ended."""

from __future__ import annotations

from collections.abc import Iterable

from simulator.exchange.expiry import set_expiry
from simulator.exchange.floor import Floor
from simulator.exchange.kinds import awaits_trigger, is_immediate, is_market
from simulator.exchange.lifecycle import cancel, held_by, refresh
from simulator.exchange.matching import match
from simulator.exchange.triggers import arm, watch
from simulator.model import Instrument, Order, Trade


def drain(floor: Floor) -> None:
    """Start every order that a placement, a parent's fill, a bell or a timer has awakened."""
    while floor.awakened:
        _start(floor, floor.awakened.popleft())


def _start(floor: Floor, order: Order) -> None:
    if not order.is_live or not order.transmitted:
        return
    held = held_by(floor, order)
    good_after_ms = order.request.good_after_ms
    if held == "time" and good_after_ms is not None:
        floor.timers.at(good_after_ms, lambda: _on_time(floor, order))
    if held == "hours" and is_immediate(order):
        cancel(floor, order, f"Cancelled by System:{order.tif} outside trading hours", alone=True)
        return
    if not held and is_market(order) and not awaits_trigger(order):
        match(floor, order)  # a market order that fills at once is never reported as Submitted
    if refresh(floor, order):
        arm(floor, order)
        match(floor, order)


def _on_time(floor: Floor, order: Order) -> None:
    """goodAfterTime has come."""
    if order.is_live and order.expires_ms is None:
        set_expiry(floor, order)
    floor.awakened.append(order)
    drain(floor)


def on_second(floor: Floor, trades: Iterable[tuple[Instrument, Trade]]) -> None:
    """Match the second that has just ended, oldest order of an instrument first; each stop before its own fill."""
    con_ids = floor.orders.working_instruments()
    if not con_ids:
        return
    traded = {instrument.con_id: trade for instrument, trade in trades}
    floor.in_matching = True
    for con_id in con_ids:
        trade = traded.get(con_id)
        for order in floor.orders.working(con_id):
            if order.is_live:
                _work(floor, order, trade)
    floor.in_matching = False


def _work(floor: Floor, order: Order, trade: Trade | None) -> None:
    if awaits_trigger(order):
        if held_by(floor, order):
            return
        if order.stop_price is None:
            arm(floor, order)
        elif trade is not None or order.request.trigger_method:
            watch(floor, order, trade)
    match(floor, order, trade)
    drain(floor)


def on_bell(floor: Floor) -> None:
    """Opening or closing: statuses follow the hours, waiting orders start."""
    floor.awakened.extend(order for order in floor.orders.live() if order.transmitted)
    drain(floor)
