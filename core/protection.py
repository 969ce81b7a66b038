"""Keeping a position covered: working stops for exactly what is held, at the prices that its average calls for."""

from __future__ import annotations

from decimal import Decimal

from core.bracket import Stage
from core.desk import Desk
from core.hanging import may_replace_stop
from core.money import ZERO
from core.orders import OrderSpec, order_ref
from core.pricing import increments_of, leg_price
from core.state import Book, Bracket, Legs, Order
from core.vocabulary import Leg, OrderKind, OrderStatus, Severity

SETTLE_MS = 2_000
"""How long the broker's own group gets to reduce or cancel the siblings of a leg that filled, before we do."""

REFUSALS_MAX = 3
"""A leg whose change was refused so often in a row stays as it is for a while; a person is told."""

REFUSED_MS = 30_000
"""After so many refusals the next change waits so long: exits that exceed the position must not stay for the day."""

EMERGENCIES_MAX = 3
"""Stand-alone groups for one bracket. If none of them works, the position is closed instead (CASES 17)."""

OCA_REDUCE_WITH_BLOCK = 2


ECHO_MS = 1_000
"""An emergency stop leaves this long before the limit of SEMANTICS 6, so that it is seen working by then."""


def is_working(book: Book, order: Order) -> bool:
    """Whether the broker has shown that a stop would trade now.

    A child is held (`PreSubmitted`, why held "child") until its parent has filled; a stop that works stays
    `PreSubmitted` with "trigger". While the parent is only partly filled nothing but such a word proves it (ORDERS 3).
    """
    if not order.is_live or order.hangs or order.status not in (OrderStatus.PRE_SUBMITTED, OrderStatus.SUBMITTED):
        return False
    if "child" in order.why_held:
        return False
    if not order.spec.parent_ref or book.live(order.spec.parent_ref) is None:
        return True
    return order.status is OrderStatus.SUBMITTED or "trigger" in order.why_held


def orders_of(book: Book, bracket: Bracket) -> list[Order]:
    """The live orders that serve a bracket, its entry among them."""
    return [order for order in book.orders.values() if order.bracket == bracket.number]


def cover_of(book: Book) -> dict[int, int]:
    """Shares for which stops work, by the bracket that they serve; 0 stands for none in particular."""
    cover: dict[int, int] = {}
    for order in book.orders.values():
        if order.is_stop and is_working(book, order):
            cover[order.bracket] = cover.get(order.bracket, 0) + order.remaining
    return cover


def watch_cover(desk: Desk, book: Book) -> None:
    """Note since when a bracket, and the position, has been without cover; the time adds up in the trade's note."""
    now_ms, cover = desk.state.now_ms, cover_of(book)
    for bracket in book.brackets.values():
        if bracket.held <= 0 or cover.get(bracket.number, 0) >= bracket.held:
            bracket.naked_since_ms = None
        elif bracket.naked_since_ms is None:
            bracket.naked_since_ms = now_ms
    exposed = book.position != 0 and abs(book.position) > sum(cover.values())
    if exposed and book.exposed_since_ms is None:
        book.exposed_since_ms = now_ms
    elif not exposed and book.exposed_since_ms is not None:
        book.trades[-1].unprotected_ms += now_ms - book.exposed_since_ms
        book.exposed_since_ms = None


def tend_bracket(desk: Desk, book: Book, bracket: Bracket) -> bool:
    """Bring a bracket's orders to what its position calls for. False: no stop can be made to work; close it."""
    entry = book.live(bracket.entry)
    if entry is not None and (bracket.exited or book.position * bracket.side.sign < 0):
        desk.cancel(book, entry)  # exits run while it is filling, its own or those of the first bracket of an add
    if bracket.held <= 0:
        if entry is None:
            sweep(desk, book, bracket)
        return True
    if not _ensure_stop(desk, book, bracket, entry_live=entry is not None):
        return False
    if entry is not None:
        emergency = book.live(bracket.emergency.stop)
        if emergency is not None:
            reprice(desk, book, bracket, bracket.emergency)
        return True
    if _legs_are_settling(desk, book, bracket):
        return True
    keep = _legs_to_keep(desk, book, bracket)
    if not any(book.live(other.entry) for other in book.brackets.values()):
        aim(desk, book, bracket)
    reprice(desk, book, bracket, keep)
    return True


def _legs_are_settling(desk: Desk, book: Book, bracket: Bracket) -> bool:
    """An entry has just ended: see what becomes of its legs before changing them or giving them up for a new group.

    One that was cancelled after a part may take them along (ORDERS 4); one that has filled arms them.
    """
    entry, stop = book.find(bracket.entry), book.live(bracket.native.stop)
    if entry is None or desk.state.now_ms >= entry.ended_ms + SETTLE_MS:
        return False
    emergency = book.live(bracket.emergency.stop)
    if entry.stage is Stage.FILLED and (emergency is None or stop is None or is_working(book, stop)):
        return False
    if emergency is not None:
        reprice(desk, book, bracket, bracket.emergency)
    book.look_again(entry.ended_ms + SETTLE_MS)
    return True


def _legs_to_keep(desk: Desk, book: Book, bracket: Bracket) -> Legs:
    """The group that stays: a native stop that works wins, then a live emergency stop. All others are cancelled.

    What has been given up is never chosen again: its cancel is on the way.
    """
    native_stop, emergency_stop = book.live(bracket.native.stop), book.live(bracket.emergency.stop)
    if native_stop is not None and is_working(book, native_stop) and native_stop.stage is not Stage.CANCELLING:
        keep = bracket.native
    elif emergency_stop is not None and emergency_stop.stage is not Stage.CANCELLING:
        keep = bracket.emergency
    else:
        return bracket.native
    kept = set(keep)
    for order in orders_of(book, bracket):
        if order.ref not in kept:
            desk.cancel(book, order)
    return keep


def _ensure_stop(desk: Desk, book: Book, bracket: Bracket, *, entry_live: bool) -> bool:
    """Place an emergency group when no stop has been seen working in time; False when that was tried too often."""
    if bracket.naked_since_ms is None:
        return True
    emergency = book.live(bracket.emergency.stop)
    is_seen_to = emergency is not None and (emergency.stage is not Stage.LIVE or is_working(book, emergency))
    if emergency is not None and is_seen_to and not emergency.hangs:
        return True  # its answer is on the way, or only its size lags behind
    stop = book.find(bracket.native.stop)
    # refused, missing from the broker's whole picture, given up; one that was cancelled may be so as its target filled
    refused = stop is not None and stop.stage is Stage.REJECTED and not entry_live
    gone = stop is None or stop.stage is Stage.ABSENT or stop.hangs or refused
    due_ms = bracket.naked_since_ms + desk.params.protect_within_seconds * 1000 - ECHO_MS
    if (bracket.emergencies or not gone) and desk.state.now_ms < due_ms:
        book.look_again(due_ms)
        return True
    if bracket.emergencies >= EMERGENCIES_MAX or bracket.stop_price <= 0 or not may_replace_stop(book, bracket):
        return False
    place_emergency(desk, book, bracket)
    return True


def place_emergency(desk: Desk, book: Book, bracket: Bracket) -> None:
    """Send a stand-alone stop and target for what the bracket holds, as a group of their own (ORDERS 4)."""
    bracket.emergencies += 1
    bracket.naked_since_ms = desk.state.now_ms  # the new group gets its own time to be seen
    number = desk.state.take_number()
    group = f"{desk.state.session}/{book.ticker}/{number}"

    def spec(leg: Leg, kind: OrderKind, limit: Decimal | None, stop: Decimal | None) -> OrderSpec:
        return OrderSpec(
            order_ref=order_ref(desk.state.session, book.ticker, number, leg),
            ticker=book.ticker,
            action=bracket.side.exit_action,
            kind=kind,
            shares=bracket.held,
            limit_price=limit,
            stop_price=stop,
            oca_group=group,
            oca_type=OCA_REDUCE_WITH_BLOCK,
        )

    specs = {Leg.EMERGENCY_STOP: spec(Leg.EMERGENCY_STOP, OrderKind.STOP, None, bracket.stop_price)}
    if bracket.target_price > 0:
        specs[Leg.EMERGENCY_TARGET] = spec(Leg.EMERGENCY_TARGET, OrderKind.LIMIT, bracket.target_price, None)
    target = specs.get(Leg.EMERGENCY_TARGET)
    bracket.emergency = Legs(stop=specs[Leg.EMERGENCY_STOP].order_ref, target=target.order_ref if target else "")
    desk.place(book, specs, bracket.number)
    desk.alert(
        Severity.CRITICAL,
        f"emergency/{book.ticker}/{number}",
        f"{book.ticker}: emergency stop placed",
        f"No stop seen working for {bracket.held} shares; stop {bracket.stop_price}, target {bracket.target_price}.",
    )


def aim(desk: Desk, book: Book, bracket: Bracket) -> None:
    """Set the wanted prices from the position's average and the bracket's distances; 0 where one is not known."""
    average = desk.state.ledger.average_price(book.ticker) or ZERO

    def price(distance: Decimal) -> Decimal:
        return leg_price(bracket.side, average + distance, increments_of(book)) if distance else ZERO

    bracket.stop_price = price(-bracket.side.sign * bracket.stop_distance)
    bracket.target_price = price(bracket.side.sign * bracket.target_distance)


def reprice(desk: Desk, book: Book, bracket: Bracket, legs: Legs) -> None:
    """Change a group's legs in place where size or price differ from what is wanted."""
    ensure(desk, book, legs.stop, bracket.held, stop=bracket.stop_price)
    ensure(desk, book, legs.target, bracket.held, limit=bracket.target_price)
    ensure(desk, book, legs.timed_exit, bracket.held)


def ensure(
    desk: Desk, book: Book, ref: str, held: int, limit: Decimal | None = None, stop: Decimal | None = None
) -> None:
    """Change an order in place, so that it exits the shares held at these prices."""
    order = book.live(ref)
    if order is None or order.stage is not Stage.LIVE:
        return
    shares = order.filled + held
    settled_ms = book.last_exit_ms + SETTLE_MS
    if shares != order.shares and desk.state.now_ms < settled_ms:
        shares = order.shares
        book.look_again(settled_ms)
    if (shares, limit, stop) == (order.shares, order.limit_price, order.stop_price):
        return
    retry_ms = order.sent_ms + REFUSED_MS if order.refusals >= REFUSALS_MAX else order.denied_ms + ECHO_MS
    if desk.state.now_ms < retry_ms:
        book.look_again(retry_ms)
    else:
        desk.modify(book, order, shares, limit, stop)


def sweep(desk: Desk, book: Book, bracket: Bracket) -> None:
    """Cancel legs that outlive their position, once the broker had time to do it by itself."""
    live = orders_of(book, bracket)
    if not live:
        return
    entry = book.find(bracket.entry)
    quiet_since_ms = max(book.last_exit_ms, entry.ended_ms if entry is not None else 0)
    if desk.state.now_ms < quiet_since_ms + SETTLE_MS:
        book.look_again(quiet_since_ms + SETTLE_MS)
        return
    for order in live:
        desk.cancel(book, order)
