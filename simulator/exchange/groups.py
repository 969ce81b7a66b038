"""What a fill does to the other orders of its OCA group and to the children of a parent."""

from __future__ import annotations

from simulator.exchange.floor import Floor
from simulator.exchange.lifecycle import cancel
from simulator.exchange.orders import group_name
from simulator.model import Order
from simulator.timers import Phase

CANCEL_ALL, REDUCE_BLOCKING, REDUCE = 1, 2, 3


def after_fill(floor: Floor, order: Order, remaining_before: int) -> list[Order]:
    """Apply the group's rule and wake children; returns siblings that must fill as well (a fault of type 3)."""
    wake_children(floor, order)
    if not group_name(order):
        return []
    after = order.remaining
    if order.oca_type == CANCEL_ALL:
        for sibling in floor.orders.siblings(order):
            cancel(floor, sibling, "Cancelled by System:OCA", alone=True)
        return []
    if order.oca_type == REDUCE_BLOCKING:
        _reduce_siblings(floor, order, after, remaining_before)
        return []
    overfilled = floor.orders.siblings(order)[:1] if _overfills(floor, order) else []
    delay_ms = 1000 * floor.doubts.oca3_cancel_delay_seconds
    if delay_ms == 0 and not overfilled:
        _reduce_siblings(floor, order, after, remaining_before)
    else:
        due = floor.clock.now_ms + max(delay_ms, 1000)
        floor.timers.at(due, lambda: _reduce_siblings(floor, order, after, remaining_before), Phase.BEFORE_MATCHING)
    return overfilled


def _overfills(floor: Floor, order: Order) -> bool:
    siblings = floor.orders.siblings(order)
    if not siblings:
        return False
    if floor.planned_overfills:
        floor.planned_overfills -= 1
        return True
    chance = floor.doubts.oca3_overfill_probability
    return chance > 0 and floor.random.random() < chance


def _reduce_siblings(floor: Floor, order: Order, after: int, before: int) -> None:
    """Siblings shrink in the proportion in which the filled order did; at nothing they are cancelled."""
    for sibling in floor.orders.siblings(order):
        left = sibling.remaining * after // before
        if left == 0:
            cancel(floor, sibling, "Cancelled by System:OCA", alone=True)
        elif left != sibling.remaining:
            sibling.quantity = sibling.filled + left
            floor.reports.state(sibling)


def wake_children(floor: Floor, parent: Order) -> None:
    """Children arm when their parent has filled wholly, or (a doubt) with its first share."""
    if parent.remaining and floor.doubts.children_arm != "part":
        return
    for child in floor.orders.children(parent):
        if child.transmitted:
            child.awaits_parent = False
            floor.awakened.append(child)
