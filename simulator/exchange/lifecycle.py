"""An order's states: whether it works now, and its ways out of life. Reports each change in IB's sequences."""

from __future__ import annotations

from simulator.exchange.checks import Refusal
from simulator.exchange.floor import Floor
from simulator.exchange.kinds import awaits_trigger, is_auction, works_outside_rth
from simulator.exchange.orders import group_name
from simulator.model import Order

_LOCATING = "Order held while securities are located."
CANCELLED_CODE = 202
CANCELLED_TEXT = "Order Canceled - reason:"


def held_by(floor: Floor, order: Order) -> str:
    """What keeps an order from working now: child, time, hours, auction, locate, oca; empty when it works."""
    if order.awaits_parent:
        return "child"
    now_ms = floor.clock.now_ms
    if order.request.good_after_ms is not None and now_ms < order.request.good_after_ms:
        return "time"
    if not floor.is_open(works_outside_rth(order)):
        return "hours"
    if is_auction(order):
        return "auction"
    if _lacks_shares(floor, order):
        return "locate"
    if _behind_working_limit(floor, order):
        return "oca"
    return ""


def _lacks_shares(floor: Floor, order: Order) -> bool:
    if order.side > 0 or floor.doubts.unshortable != "locate":
        return False
    held = floor.account.ledger.quantity(order.instrument.con_id)
    short = max(0, order.remaining - held) - max(0, -held)
    return short > floor.touch(order.instrument).shortable


def _behind_working_limit(floor: Floor, order: Order) -> bool:
    """With block (types 1 and 2) a market order waits while a limit of its group is at the exchange."""
    if not floor.doubts.block_holds_market or order.oca_type not in (1, 2) or order.request.order_type != "MKT":
        return False
    return any(
        other.request.order_type == "LMT" and other.status == "Submitted" for other in floor.orders.siblings(order)
    )


def refresh(floor: Floor, order: Order) -> bool:
    """Bring status and whyHeld up to date, reporting a change; whether the order works (may trigger or fill)."""
    if not order.is_live:
        return False
    held = held_by(floor, order)
    waits = awaits_trigger(order)
    status = "PreSubmitted" if held or waits else "Submitted"
    words = [
        word for word, holds in (("child", held == "child"), ("locate", held == "locate"), ("trigger", waits)) if holds
    ]
    why_held = ",".join(words)
    if order.status != "PendingCancel" and (status, why_held) != (order.status, order.why_held):
        order.status, order.why_held = status, why_held
        if held == "locate":
            floor.reports.error(order, 404, _LOCATING)
        floor.reports.state(order)
    return not held


def introduce(floor: Floor, order: Order) -> None:
    """The first echo: PreSubmitted, whatever follows."""
    order.status = "PreSubmitted"
    waits = ["child"] if order.awaits_parent else []
    order.why_held = ",".join(waits + (["trigger"] if awaits_trigger(order) else []))
    floor.reports.state(order)
    if order.parent is None and held_by(floor, order) == "hours":
        _warn_of_hours(floor, order)


def _warn_of_hours(floor: Floor, order: Order) -> None:
    open_ms = floor.hours.next_open_ms(floor.clock.now_ms, works_outside_rth(order))
    when = floor.clock.eastern_text(open_ms)
    instrument = order.instrument
    floor.reports.error(
        order,
        399,
        f"Order Message:\n{order.request.action} {order.quantity} {instrument.symbol} {instrument.primary_exchange}\n"
        f"Warning: Your order will not be placed at the exchange until {when} US/Eastern.",
    )


def end(floor: Floor, order: Order, status: str, words: str) -> None:
    """Take an order off the floor; the caller reports."""
    order.status = status
    order.why_held = ""
    order.completed_ms = floor.clock.now_ms
    order.completed_status = words
    floor.orders.finish(order)


def cancel(
    floor: Floor, order: Order, words: str = "Cancelled by Trader", reason: str = "", *, alone: bool = False
) -> None:
    """PendingCancel, Cancelled, 202; then its children, and (a doubt; not when `alone`) the legs of its group."""
    if not order.is_live:
        return
    siblings = floor.orders.siblings(order)
    if order.transmitted and order.status != "PendingCancel":
        order.status = "PendingCancel"
        floor.reports.status(order)
    end(floor, order, "Cancelled", words)
    floor.reports.status(order)
    floor.reports.error(order, CANCELLED_CODE, CANCELLED_TEXT + reason)
    for child in floor.orders.children(order):
        release_or_cancel_child(floor, order, child)
    if not alone and floor.doubts.cancel_takes_siblings and order.filled < order.quantity:
        for sibling in siblings:
            cancel(floor, sibling, "Cancelled by System:OCA", alone=True)


def release_or_cancel_child(floor: Floor, parent: Order, child: Order) -> None:
    """What becomes of a child when its parent ends without filling wholly."""
    if parent.filled == 0 or floor.doubts.cancelled_parent_takes_children:
        cancel(floor, child, "Cancelled by System:Parent order cancelled", alone=True)
        return
    child.quantity = min(child.quantity, child.filled + floor.orders.left_for_children(parent))
    if child.remaining == 0:
        cancel(floor, child, "Cancelled by System:Parent order cancelled", alone=True)
        return
    child.awaits_parent = False
    floor.awakened.append(child)


def reject(floor: Floor, order: Order, refusal: Refusal) -> None:
    """Error and Inactive; a parent's children end with it, and (a doubt) a leg's siblings."""
    siblings = floor.orders.siblings(order)
    end(floor, order, "Inactive", f"Cancelled by System:{refusal.text}")
    floor.reports.error(order, refusal.code, refusal.text)
    floor.reports.order(order)
    floor.reports.status(order)
    for child in floor.orders.children(order):
        cancel(floor, child, "Cancelled by System:Parent order rejected", alone=True)
    if group_name(order) and floor.doubts.cancel_takes_siblings:
        for sibling in siblings:
            cancel(floor, sibling, "Cancelled by System:OCA", alone=True)
