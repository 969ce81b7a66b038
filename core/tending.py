"""Looking after one ticker: after every event that concerns it, what is and what should be are compared anew.

Nothing here reacts to a message as such; a missed, repeated or late one changes nothing but the time at which the
comparison is made. Every wait is a time at which to look again.
"""

from __future__ import annotations

from core import exit_protocol
from core.bracket import Heard, Stage
from core.desk import ANSWER_MS, Desk
from core.entries import enter_after_exit
from core.hanging import HANG_MS, cancel_hanging, watch_hanging
from core.protection import ECHO_MS, SETTLE_MS, tend_bracket, watch_cover
from core.state import Book, Exit, Order
from core.vocabulary import ExitReason, Leg, Severity

MARKET_LEGS = (Leg.EXIT, Leg.REPAIR)
"""What the exit protocol sends once every stop has been cancelled."""


def tend(desk: Desk, book: Book) -> None:
    """Do for a ticker whatever is due now, and ask to be woken for what is due next."""
    _watch_silence(desk, book)
    _watch_executions(desk, book)
    _watch_account(desk, book)
    watch_hanging(desk, book)
    watch_cover(desk, book)
    if desk.can_send and book.behind_since_ms is None:
        _act(desk, book)
    _drop_finished(book)
    _arm(desk, book)


def _act(desk: Desk, book: Book) -> None:
    cancel_hanging(desk, book)
    if is_overfilled(book):
        _repair(desk, book)
    if book.exit is None:
        _sweep_orphans(desk, book)
        for bracket in list(book.brackets.values()):
            if not tend_bracket(desk, book, bracket):
                exit_protocol.begin(desk, book, ExitReason.RECOVERY)
                break
    if book.exit is None and desk.state.closing:
        exit_protocol.begin(desk, book, ExitReason.CLOSURE)  # a fill that came late
    elif book.exit is None and desk.state.halted:
        exit_protocol.begin(desk, book, ExitReason.LOSS_LIMIT)
    run = book.exit
    if run is not None:
        exit_protocol.advance(desk, book, run)


def _sweep_orphans(desk: Desk, book: Book) -> None:
    """Cancel what serves no bracket, as after a loss of the journal, or when the broker lists what we knew as ended."""
    for order in [order for order in book.orders.values() if order.bracket not in book.brackets]:
        desk.cancel(book, order)


def is_overfilled(book: Book) -> bool:
    """Whether the position is against its trade, is held by no bracket at all, or by some of each side."""
    for order in book.orders.values():
        if order.leg is Leg.ENTRY and not order.hangs:
            return False  # executions may come in any order: an exit's before its entry's
    signed = gross = 0
    for bracket in book.brackets.values():
        if bracket.held > 0:
            signed += bracket.side.sign * bracket.held
            gross += bracket.held
    return book.position != signed or abs(book.position) != gross


def _repair(desk: Desk, book: Book) -> None:
    """Close the excess at once and take no entry for the rest of the day (ORDERS 7)."""
    book.blocked = "over-fill"
    run = exit_protocol.begin(desk, book, ExitReason.OVERFILL)
    desk.alert(
        Severity.CRITICAL,
        f"overfill/{book.ticker}/{run.epoch if run is not None else 0}",
        f"{book.ticker}: filled beyond the position",
        f"The position is {book.position:+d} shares against its trade; it is closed, the ticker is blocked today.",
    )


def _watch_silence(desk: Desk, book: Book) -> None:
    """An instruction without an answer becomes UNKNOWN; the broker is asked, nothing is sent again blindly."""
    now_ms, is_unknown = desk.state.now_ms, False
    for order in book.orders.values():
        # nothing covers the position but the market order of an exit: whether that has arrived is asked sooner
        stage, due_ms = order.stage, order.sent_ms + (ECHO_MS if order.leg in MARKET_LEGS else ANSWER_MS)
        if stage is Stage.LIVE:
            continue
        if stage is not Stage.UNKNOWN and now_ms < due_ms:
            book.look_again(due_ms)
            continue
        if stage is not Stage.UNKNOWN:
            desk.hear(book, order, Heard.SILENCE)
        elif order.touched_step < desk.state.read_done_step and now_ms < (again_ms := _ask_again_ms(desk, order)):
            # an answer that could tell has left it unknown: the next is not asked for at once
            book.look_again(again_ms)
            continue
        else:
            book.look_again(now_ms + ANSWER_MS)
        is_unknown = True
    if is_unknown:
        desk.read_broker(f"orders of {book.ticker} without an answer")


def _ask_again_ms(desk: Desk, order: Order) -> int:
    return desk.state.read_asked_ms + (HANG_MS if order.hangs else ECHO_MS)


def _watch_executions(desk: Desk, book: Book) -> None:
    """A status told of fills whose executions have not come: wait a little, then ask; decide nothing meanwhile."""
    if not book.behind:
        book.behind_since_ms = None
        return
    now_ms = desk.state.now_ms
    if book.behind_since_ms is None:
        book.behind_since_ms = now_ms
    due_ms = book.behind_since_ms + SETTLE_MS
    if now_ms < due_ms:
        book.look_again(due_ms)
    else:
        desk.read_broker(f"executions of {book.ticker} are missing")


def _watch_account(desk: Desk, book: Book) -> None:
    """The broker pushed a position that ours does not explain: give the executions time, then ask."""
    if book.account_shares is None:
        return
    if book.account_shares == book.position + book.foreign_shares:
        book.account_shares = None
    elif desk.state.now_ms < book.account_asked_ms:
        book.look_again(book.account_asked_ms)
    else:
        book.account_shares = None
        desk.read_broker(f"the account's position in {book.ticker} differs")


def enter_if_flat(desk: Desk, book: Book, run: Exit) -> None:
    """A reversal's exit has been verified: its entry follows."""
    if book.exit is None and run.reentry is not None:
        enter_after_exit(desk, book, run.reentry, run.reentry_number)


def _drop_finished(book: Book) -> None:
    """Forget brackets that hold nothing and whose orders have all ended."""
    busy = {order.bracket for order in book.orders.values()}
    for number, bracket in list(book.brackets.items()):
        if number not in busy and (bracket.held == 0 or book.position == 0):
            del book.brackets[number]


def _arm(desk: Desk, book: Book) -> None:
    """Ask for the earliest wake-up that anything asked for; an armed one that comes earlier serves as well."""
    due_ms, book.due_ms = book.due_ms, None
    if due_ms is not None and (book.alarm_ms is None or due_ms < book.alarm_ms):
        book.alarm_ms = due_ms
        desk.wake(f"tend/{book.ticker}", due_ms)
