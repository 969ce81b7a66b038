"""Changes to orders that exist: modifications in place, and cancels by number."""

from __future__ import annotations

from dataclasses import replace

from simulator.exchange.checks import Refusal, check_form, check_modification, modified_quantity
from simulator.exchange.expiry import set_expiry
from simulator.exchange.floor import Floor
from simulator.exchange.groups import wake_children
from simulator.exchange.lifecycle import cancel, end
from simulator.exchange.placing import planned_reject, transmit
from simulator.exchange.working import drain
from simulator.model import Order, OrderRequest
from simulator.timers import Phase


def modify(floor: Floor, order: Order, request: OrderRequest) -> None:
    """Change a live order, or answer with an error and leave it as it is."""
    refusal = _refusal(floor, order, request)
    if refusal is not None:
        floor.reports.error(order, *refusal)
    elif not order.transmitted:
        order.request = request
        order.quantity = int(request.quantity)
        order.stop_price = request.aux_price if request.order_type in ("STP", "STP LMT") else request.trail_stop_price
        if request.transmit:
            transmit(floor, order)
    elif request.transmit and order.status != "PendingCancel":
        # What is not transmitted changes nothing yet; a dying order is past changing.
        _apply(floor, order, request)


def _refusal(floor: Floor, order: Order, request: OrderRequest) -> Refusal | None:
    if order.status == "Filled":
        return Refusal(104, "Cannot modify a filled order.")
    if not order.is_live:
        return Refusal(103, "Duplicate order id")
    if not order.transmitted:
        return check_form(floor, request)
    return planned_reject(floor, "modify", "") or check_modification(floor, order, request)


def _apply(floor: Floor, order: Order, request: OrderRequest) -> None:
    kind_changed = request.order_type != order.request.order_type
    order.quantity = modified_quantity(floor, order, request)
    order.request = replace(request, action=order.request.action)
    order.tif = request.tif or "DAY"
    order.resting = False
    if kind_changed or not order.triggered:
        order.triggered = False
        order.trigger_hits = 0
        if request.order_type != "TRAIL":
            order.stop_price = request.aux_price
        elif kind_changed or request.trail_stop_price is not None:
            order.stop_price = request.trail_stop_price
    if order.remaining == 0:
        # A change down to what has filled completes the order.
        end(floor, order, "Filled", f"Filled Size: {order.filled}")
        floor.reports.state(order)
        wake_children(floor, order)
        return
    set_expiry(floor, order)
    floor.reports.state(order)
    floor.awakened.append(order)


def cancel_by_number(floor: Floor, client_id: int, order_id: int) -> None:
    """Only the client that placed an order may cancel it by its number, unless a doubt says otherwise."""
    order = floor.orders.find(client_id, order_id)
    if order is None and floor.doubts.foreign_cancel:
        order = floor.orders.find_any_client(order_id)
    if order is not None and order.is_live and order.status != "PendingCancel":
        request_cancel(floor, order)
        return
    if order is None:
        code, text = 10147, f"OrderId {order_id} that needs to be cancelled is not found."
        old_code, old_text = 135, f"Can't find order with id ={order_id}"
    else:
        code, text = 10148, _not_cancellable(order)
        old_code, old_text = (
            161,
            f"Cancel attempted when order is not in a cancellable state. Order permId ={order.perm_id}",
        )
    legacy = floor.doubts.legacy_cancel_codes
    floor.reports.error_for(client_id, order_id, old_code if legacy else code, old_text if legacy else text)


def request_cancel(floor: Floor, order: Order) -> None:
    """Cancel now, or (a doubt) a while later: an order can still fill in between."""
    if not order.transmitted or not floor.doubts.cancel_delay_seconds:
        cancel(floor, order)
        return
    order.status = "PendingCancel"
    floor.reports.status(order)
    due_ms = floor.clock.now_ms + 1000 * floor.doubts.cancel_delay_seconds
    floor.timers.at(due_ms, lambda: _finish_cancel(floor, order), Phase.AFTER_MATCHING)


def _finish_cancel(floor: Floor, order: Order) -> None:
    if order.is_live:
        cancel(floor, order)
        drain(floor)
    else:
        floor.reports.error(order, 10148, _not_cancellable(order))


def _not_cancellable(order: Order) -> str:
    return f"OrderId {order.order_id} that needs to be cancelled cannot be cancelled, state: {order.status}."
