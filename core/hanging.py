"""Orders whose end is on its way and does not come: a halted venue, an exchange that does not answer (ADR 21).

`PendingCancel` confirms nothing, nor does silence: such an order may still fill, and may as well be dead. For a while
it counts as before. Then it hangs, for good: it protects nothing, no exit waits for it, its cancel is repeated, and a
person is told. What it fills all the same is an over-fill, and repaired as one.
"""

from __future__ import annotations

from core.bracket import Stage
from core.desk import ANSWER_MS, Desk
from core.state import Book, Bracket, Order
from core.vocabulary import Leg, OrderKind, Severity

HANG_MS = 2 * ANSWER_MS
"""How long an order may take to end: an answer's time for the cancel, and one for its repetition, or for a second
question. It is also what the exit protocol gives its targets, and a market order that does not fill."""

HANGING_STOPS_MAX = 1
"""Hanging stops of a bracket beside which a new one is placed. The hanging one may sell what it is for once too often
whatever we do; if its successor hangs too, the position is closed, so that the two cannot become many."""


def note_ending(desk: Desk, order: Order) -> None:
    """Its end is on its way, by the broker's word or by a cancel of ours."""
    if order.ending_ms is None:
        order.ending_ms = desk.state.now_ms


def hear_ending(desk: Desk, order: Order) -> None:
    """A complete read-back lists it as `PendingCancel`. A target that nobody but the broker wants gone covers nothing;
    it is left alone until we want something of it."""
    note_ending(desk, order)
    if order.is_stop or order.stage is not Stage.LIVE:
        judge(desk, order)


def judge(desk: Desk, order: Order) -> None:
    """A complete read-back still lists it: it hangs if that was asked for late enough."""
    if order.ending_ms is not None and desk.state.read_asked_ms >= order.ending_ms + HANG_MS:
        order.hangs = True


def is_overdue(desk: Desk, order: Order) -> bool:
    """Whether its cancel, sent anew for an echo on the way to the answer, has kept that from telling that it hangs."""
    ending_ms, is_ending = order.ending_ms, order.stage is Stage.CANCELLING and not order.hangs
    return is_ending and ending_ms is not None and desk.state.now_ms >= ending_ms + HANG_MS


def watch_hanging(desk: Desk, book: Book) -> None:
    """Tell a person on both edges; and ask what became of a stop that the broker itself says it is cancelling."""
    hanging = [order for order in book.orders.values() if order.hangs]
    key = f"hanging/{book.ticker}"
    if hanging:
        desk.alert(
            Severity.CRITICAL,
            key,
            f"{book.ticker}: a cancel hangs",
            f"The broker does not end {hanging[0].ref}: it protects nothing, and exits go on without it unless it is "
            "their market order. It may still fill; what is too much then is closed at once, the ticker blocked today.",
        )
    elif key in desk.state.alerts:
        desk.clear(key, f"{book.ticker}: the orders whose cancels hung have ended.")
    for order in book.orders.values():
        if order.ending_ms is not None and order.is_stop and order.stage is Stage.LIVE and not order.hangs:
            due_ms = order.ending_ms + HANG_MS
            if desk.state.now_ms < due_ms:
                book.look_again(due_ms)
            elif desk.state.read_asked_ms < due_ms:
                desk.read_broker(f"a stop of {book.ticker} is being cancelled")


def cancel_hanging(desk: Desk, book: Book) -> None:
    """What hangs has been given up, also where the broker lists it as working: its cancel is sent again."""
    for order in book.orders.values():
        if order.hangs:
            desk.cancel(book, order)


def is_passed_over(desk: Desk, order: Order) -> bool:
    """Whether an exit goes on beside it. Not beside a market order of an exit: another would fill no sooner than that
    one, and then both; it is left alone like one that works (ADR 15)."""
    return order.hangs and not _is_at_market(desk, order)


def _is_at_market(desk: Desk, order: Order) -> bool:
    if order.leg is Leg.TIMED_EXIT:  # one that was adopted without its time may sleep for hours
        return order.spec.good_after_ms is not None and desk.state.now_ms >= order.spec.good_after_ms
    return order.spec.kind is OrderKind.MARKET and order.leg is not Leg.ENTRY


def may_replace_stop(book: Book, bracket: Bracket) -> bool:
    """Whether a new stop may be placed beside those of the bracket that hang."""
    hanging = [one for one in book.orders.values() if one.hangs and one.is_stop and one.bracket == bracket.number]
    return len(hanging) <= HANGING_STOPS_MAX
