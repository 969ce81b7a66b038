"""New orders: checked, held until transmitted, then a whole family at once."""

from __future__ import annotations

from dataclasses import replace

from simulator.exchange.checks import Refusal, check_auction, check_form, check_means, rejected
from simulator.exchange.expiry import set_expiry
from simulator.exchange.floor import Floor
from simulator.exchange.kinds import works_outside_rth
from simulator.exchange.lifecycle import cancel, introduce, reject
from simulator.model import Order, OrderRequest

_RTH_IGNORED = (
    "Order Event Warning:Attribute 'Outside Regular Trading Hours' is ignored based on the order type and destination. "
    "PlaceOrder is now being processed."
)
_LIKE_FORM = frozenset({103, 104, 105, 110, 135, 320, 321, 322, 387, 434, 10243})
"""Planned refusals that happen before an order exists; the others are the broker's and leave it Inactive."""


def place_new(floor: Floor, client_id: int, request: OrderRequest) -> Order | None:
    """Take an order in; None when it was refused. An error then is all the client hears."""
    floor.orders.note_id(client_id, request.order_id)
    parent = floor.orders.find(client_id, request.parent_id) if request.parent_id else None
    planned = planned_reject(floor, "child" if request.parent_id else "parent", request.order_type)
    refusal = check_form(floor, request) or check_auction(floor, request)
    if refusal is None and request.parent_id and (parent is None or not parent.is_live):
        refusal = Refusal(135, f"Can't find order with id ={request.parent_id}")
    if refusal is None and planned is not None and planned.code in _LIKE_FORM:
        refusal = planned
    if refusal is None and _joins_finished_group(floor, request):
        refusal = rejected("The OCA group has finished, its name can't be used again.")
    if refusal is not None:
        floor.reports.error_for(client_id, request.order_id, *refusal)
        return None
    order = new_order(floor, client_id, request, parent)
    order.refusal = planned
    floor.orders.add(order)
    if request.transmit:
        transmit(floor, order)
    return order


def _joins_finished_group(floor: Floor, request: OrderRequest) -> bool:
    return floor.doubts.group_name_reuse == "refuse" and floor.orders.is_finished_group(request.oca_group)


def planned_reject(floor: Floor, place: str, order_type: str) -> Refusal | None:
    """What the fault script has in store for an order at this place (parent, child, modify) or of this type."""
    for plan in floor.planned_rejects:
        if plan.kind in (place, order_type) or (not plan.kind and place != "modify"):
            plan.count -= 1
            if plan.count == 0:
                floor.planned_rejects.remove(plan)
            return Refusal(plan.code, plan.text)
    return None


def new_order(floor: Floor, client_id: int, request: OrderRequest, parent: Order | None) -> Order:
    """The order that a request describes, with a permId of its own; not yet on the floor."""
    if request.action == "SSHORT":
        request = replace(request, action="SELL")
    order = Order(
        perm_id=floor.orders.new_perm_id(),
        client_id=client_id,
        order_id=request.order_id,
        request=request,
        instrument=request.instrument,
        quantity=int(request.quantity),
        oca_group=request.oca_group,
        oca_type=request.oca_type or 3,
        tif=request.tif or "DAY",
        placed_ms=floor.clock.now_ms,
        parent=parent,
        awaits_parent=parent is not None,
    )
    if parent is not None:
        _attach(floor, order, parent)
    order.stop_price = request.aux_price if request.order_type in ("STP", "STP LMT") else request.trail_stop_price
    return order


def _attach(floor: Floor, child: Order, parent: Order) -> None:
    """Children form a group of their own, named by the parent's permId; a group of the client's is echoed late."""
    if not child.request.oca_group:
        child.oca_group, child.oca_type = str(parent.perm_id), 3
    elif floor.doubts.explicit_child_group == "refuse_modify":
        child.oca_group, child.explicit_group = "", child.request.oca_group
        floor.timers.at(floor.clock.now_ms + 1000, lambda: _echo_group(floor, child))


def _echo_group(floor: Floor, child: Order) -> None:
    child.oca_group = child.explicit_group
    if child.is_live and child.transmitted:
        floor.reports.state(child)


def transmit(floor: Floor, order: Order) -> None:
    """Send a whole family together: the parent, then its pending children as they came."""
    head = order.parent or order
    family = [head, *floor.orders.children(head)]
    pending = [member for member in family if member.is_live and not member.transmitted]
    for member in pending:
        floor.orders.transmit(member)
    for member in pending:
        if member.is_live:  # it may have fallen with its parent or a sibling
            _accept(floor, member)
    floor.awakened.extend(pending)


def _accept(floor: Floor, order: Order) -> None:
    if floor.doubts.preset_tif_notice and not order.request.tif:
        floor.reports.error(order, 10349, "Order TIF was set to DAY based on order preset.")
    refusal = order.refusal or (check_means(floor, order) if order.parent is None else None)
    if refusal is not None:
        reject(floor, order, Refusal(*refusal))
        return
    set_expiry(floor, order)
    introduce(floor, order)
    if order.parent is not None and order.request.order_type == "MKT" and order.request.good_after_ms is not None:
        _judge_timed_child(floor, order)
    if order.request.outside_rth and not works_outside_rth(order):
        floor.reports.error(order, 2109, _RTH_IGNORED)


def _judge_timed_child(floor: Floor, order: Order) -> None:
    if floor.doubts.timed_child == "accept":
        return
    siblings = floor.orders.siblings(order)
    order.oca_group = ""  # a refusal by itself leaves the siblings alone
    reject(floor, order, rejected("Good after time is not supported for an attached market order."))
    if floor.doubts.timed_child == "cancel_siblings":
        for sibling in siblings:
            cancel(floor, sibling, "Cancelled by System:OCA", alone=True)
