"""What the broker says of orders: echoes, statuses and errors. They move orders along the table, never positions."""

from __future__ import annotations

from core.bracket import Heard, Stage
from core.commands import CancelOrder
from core.desk import Desk
from core.events import OrderErrorReported, OrderReported, OrderStatusReported
from core.hanging import note_ending
from core.orders import OpenOrder, parse_order_ref
from core.protection import REFUSALS_MAX
from core.state import Book, Order
from core.tending import tend
from core.vocabulary import ErrorKind, Leg, OrderKind, OrderStatus, Severity

LIVE_STATUSES = frozenset(
    {OrderStatus.PENDING_SUBMIT, OrderStatus.API_PENDING, OrderStatus.PRE_SUBMITTED, OrderStatus.SUBMITTED}
)

ENDS = {
    OrderStatus.CANCELLED: Heard.CANCELLED,
    OrderStatus.API_CANCELLED: Heard.CANCELLED,
    OrderStatus.INACTIVE: Heard.REJECTED,
    OrderStatus.FILLED: Heard.FILLED,
}
"""`PendingCancel` is missing on purpose: it confirms nothing. From then on the order's end is waited for."""

ERRORS = {
    ErrorKind.REJECTED: Heard.REJECTED,
    ErrorKind.MODIFY_REFUSED: Heard.CHANGE_REFUSED,
    ErrorKind.CANCELLED: Heard.CANCELLED,
    ErrorKind.NOT_FOUND: Heard.NOT_FOUND,
    ErrorKind.NOT_CANCELLABLE: Heard.CANCEL_REFUSED,
    ErrorKind.UNKNOWN: Heard.UNKNOWN_ERROR,
}
"""A warning is missing on purpose: the order lives on (CASES 17, 18)."""


def on_order_reported(desk: Desk, event: OrderReported) -> None:
    """An echo: the broker's word for the values of a live order."""
    row = event.order
    found = find(desk, row.order_ref)
    if found is None:
        quarantine(desk, row)
        return
    book, order = found
    if order.perm_id and row.perm_id and order.perm_id != row.perm_id:
        end_double(desk, order.perm_id, row)
        return
    order.perm_id = order.perm_id or row.perm_id
    hear_status(desk, book, order, row.status, row.filled, row.shares)
    if row.status in LIVE_STATUSES and echoes(order, row):
        if order.stage is Stage.CHANGING:
            order.refusals = 0
            if row.shares != order.shares:
                order.denied_ms = desk.state.now_ms
        take_values(order, row)
        desk.hear(book, order, Heard.ECHO)
    tend(desk, book)


def on_order_status_reported(desk: Desk, event: OrderStatusReported) -> None:
    """A status; it may repeat, skip, and run ahead of or behind the executions."""
    found = find(desk, event.order_ref)
    if found is None:
        _unknown(desk, event.order_ref, event.perm_id, f"status {event.status}")
        return
    book, order = found
    if order.perm_id and event.perm_id and order.perm_id != event.perm_id:
        return  # of the double, which its echo has already dealt with
    order.perm_id = order.perm_id or event.perm_id
    order.why_held = event.why_held
    hear_status(desk, book, order, event.status, event.filled, event.filled + event.remaining)
    tend(desk, book)


def on_order_error_reported(desk: Desk, event: OrderErrorReported) -> None:
    """An error for an order, classified; a warning changes nothing."""
    if event.kind is ErrorKind.WARNING:
        return
    found = find(desk, event.order_ref)
    if found is None:
        _unknown(desk, event.order_ref, 0, f"error {event.code} {event.text}")
        return
    book, order = found
    was_live, was_changing = order.is_live, order.stage is Stage.CHANGING
    desk.hear(book, order, ERRORS[event.kind])
    if order.is_live and (was_changing or event.kind is ErrorKind.MODIFY_REFUSED):
        _change_refused(desk, book, order, event)
    elif was_live and order.stage is Stage.REJECTED:
        _rejected(desk, book, order, event)
    if event.kind is ErrorKind.UNKNOWN:
        _unknown_code(desk, book, order, event)
    tend(desk, book)


def hear_status(desk: Desk, book: Book, order: Order, status: OrderStatus, filled: int, shares: int) -> None:
    """Take in a status, the fills it tells of, and for how many shares the order is at the broker."""
    if filled > order.filled and filled > order.reported_filled:
        order.reported_filled = filled
        if order.ref not in book.behind:
            book.behind.append(order.ref)
    if status in LIVE_STATUSES:
        if order.is_live:
            order.status = status
        elif desk.state.read_step == 0:  # else the answer tells, or lacks it once more
            if order.stage is Stage.ABSENT:
                desk.read_broker(f"{order.ref} was not listed, and is heard of")
            elif order.stage is Stage.FILLED and shares > order.filled:
                desk.read_broker(f"{order.ref} has filled what was asked for, and is heard of with more")
        desk.hear(book, order, Heard.STATUS)
    elif status in ENDS:
        was_live = order.is_live
        order.status = status
        desk.hear(book, order, ENDS[status])
        if status is OrderStatus.INACTIVE and was_live and order.leg is Leg.ENTRY and not order.filled:
            entry_rejected(desk, book, order, "the order is inactive")
    else:
        note_ending(desk, order)  # PendingCancel


def echoes(order: Order, row: OpenOrder) -> bool:
    """Whether an echo carries the prices that were asked for last; its shares are the broker's to say."""
    return not (
        (order.spec.kind is OrderKind.LIMIT and row.limit_price != order.limit_price)
        or (order.spec.kind is OrderKind.STOP and row.stop_price != order.stop_price)
    )


def take_values(order: Order, row: OpenOrder) -> None:
    """Believe the broker: shares and prices are as it lists them."""
    order.shares = row.shares
    if order.spec.kind is OrderKind.LIMIT:
        order.limit_price = row.limit_price
    elif order.spec.kind is OrderKind.STOP:
        order.stop_price = row.stop_price


def find(desk: Desk, ref: str) -> tuple[Book, Order] | None:
    """Our order of that reference, with its book."""
    parsed = parse_order_ref(ref)
    book = desk.state.books.get(parsed.ticker) if parsed is not None else None
    order = book.find(ref) if book is not None else None
    return (book, order) if book is not None and order is not None else None


def quarantine(desk: Desk, row: OpenOrder) -> None:
    """An order that is not ours: keep it apart by its permId, leave it alone, tell a person; never drop it."""
    if desk.is_ours(row.order_ref):
        desk.read_broker(f"order {row.order_ref} is unknown")  # ours, but not in the state: adopt it from a read-back
        return
    if row.status not in LIVE_STATUSES:
        desk.state.foreign_orders.pop(row.perm_id, None)
    else:
        desk.state.foreign_orders[row.perm_id] = row
        desk.alert(
            Severity.WARNING,
            f"foreign_order/{row.perm_id}",
            f"{row.ticker}: an order that is not ours",
            f"{row.action} {row.shares} {row.ticker} ({row.kind}, permId {row.perm_id}, client {row.client_id}).",
        )
    book = desk.state.books.get(row.ticker)
    if book is not None:
        book.foreign_orders = [key for key, one in desk.state.foreign_orders.items() if one.ticker == row.ticker]


def _unknown(desk: Desk, ref: str, perm_id: int, what: str) -> None:
    """A message about an order that we do not know (CASES 20)."""
    if desk.is_ours(ref):
        desk.read_broker(f"order {ref} is unknown")
    elif perm_id not in desk.state.foreign_orders:
        desk.alert(
            Severity.WARNING,
            f"unknown_order/{ref}/{perm_id}",
            "Message about an unknown order",
            f"{what} for order {ref or 'without reference'}, permId {perm_id}; it is left alone.",
        )


def end_double(desk: Desk, kept_perm_id: int, row: OpenOrder) -> None:
    """Two live orders behind one reference (CASES 12): the one that we did not know goes."""
    if row.status not in LIVE_STATUSES:
        return
    key = f"doubled/{row.order_ref}/{row.perm_id}"
    if key in desk.state.alerts:
        return
    desk.alert(
        Severity.CRITICAL,
        key,
        f"{row.ticker}: one order became two",
        f"{row.order_ref} is live under permId {kept_perm_id} and {row.perm_id}; the latter is cancelled.",
    )
    desk.out.append(CancelOrder(row.order_ref, row.perm_id))


def _unknown_code(desk: Desk, book: Book, order: Order, event: OrderErrorReported) -> None:
    """The order's fate is UNKNOWN until the broker has been read back; a person learns of the code."""
    desk.alert(
        Severity.WARNING,
        f"unknown_code/{order.ref}/{event.code}",
        f"{book.ticker}: the broker says what we do not understand",
        f"{event.code} {event.text} for the {order.leg}; it is read back to learn what became of the order.",
    )


def _change_refused(desk: Desk, book: Book, order: Order, event: OrderErrorReported) -> None:
    """The live order stays as it was; what that is, the next echo tells."""
    order.refusals += 1
    desk.read_broker(f"{order.ref} refused a change")
    if order.refusals == REFUSALS_MAX:
        desk.alert(
            Severity.WARNING,
            f"refused/{order.ref}",
            f"{book.ticker}: the broker refuses to change the {order.leg}",
            f"{event.code} {event.text}; the order stays as it is, the next attempt follows in 30 s.",
        )


def _rejected(desk: Desk, book: Book, order: Order, event: OrderErrorReported) -> None:
    """Recorded, alerted, never retried by itself; `tend` sees to it that the ticker ends protected or flat."""
    reason = f"{event.code} {event.text}"
    if order.leg is Leg.ENTRY and not order.filled:
        entry_rejected(desk, book, order, reason)
    elif book.position or order.leg is Leg.TIMED_EXIT:
        third = " The broker-held exit is missing; stop and target go on." if order.leg is Leg.TIMED_EXIT else ""
        desk.alert(
            Severity.CRITICAL if order.is_stop else Severity.WARNING,
            f"rejected/{order.ref}",
            f"{book.ticker}: {order.leg} rejected",
            f"{reason}.{third}",
        )


def entry_rejected(desk: Desk, book: Book, order: Order, reason: str) -> None:
    """No cooldown, but a pause of 30 s for the ticker, and a circuit breaker over all of them."""
    desk.state.rejects_in_a_row += 1
    _entry_failed(desk, book, order, "entry rejected", reason)


def entry_never_arrived(desk: Desk, book: Book, order: Order) -> None:
    """Our process or the link died before it was sent: a pause as for a rejection, but nobody has rejected anything."""
    _entry_failed(desk, book, order, "entry not sent", "the order never reached the broker")


def _entry_failed(desk: Desk, book: Book, order: Order, title: str, reason: str) -> None:
    book.paused_until_ms = desk.state.now_ms + desk.params.reject_pause_seconds * 1000
    desk.alert(Severity.WARNING, f"rejected/{order.ref}", f"{book.ticker}: {title}", f"{reason}.")
