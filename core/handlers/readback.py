"""The complete read-back of the broker: what it does not list is not there, what it lists is (SEMANTICS 9)."""

from __future__ import annotations

from core import exit_protocol
from core.adoption import adopt, complete_adopted, take_external
from core.bracket import Heard, Stage
from core.closure import begin_closing, finish_closing
from core.commands import CancelEverything
from core.desk import Desk
from core.events import BrokerRead
from core.exposure import mark_of
from core.handlers.executions import take
from core.handlers.orders import LIVE_STATUSES, end_double, entry_never_arrived, find, quarantine, take_values
from core.hanging import hear_ending, is_overdue, judge
from core.losses import weigh_loss
from core.money import ZERO, cents
from core.orders import Execution, OpenOrder, parse_order_ref, revision_of
from core.protection import SETTLE_MS
from core.state import Book, Order
from core.tending import enter_if_flat, tend
from core.vocabulary import Action, ExitReason, Leg, Link, OrderStatus, Severity

NUMBERS_PER_SECOND = 10
"""More than a session ever uses of orders or decisions."""


def on_broker_read(desk: Desk, event: BrokerRead) -> None:
    """Compare, adopt, repair; then go on, or begin."""
    state = desk.state
    asked_step, state.read_step = state.read_step, 0
    state.read_done_step = asked_step or state.read_done_step  # one that nobody asked for answers no question
    ours = [row for row in event.orders if _is_known(desk, row)]
    for row in ours:
        _adopt_unknown(desk, row)
    early, state.early_executions = state.early_executions, []
    told = sorted((*event.executions, *early), key=lambda execution: execution.time_ms)
    for execution in told:
        take(desk, execution, min(execution.time_ms, event.at_ms))
    listed = _by_reference(desk, ours)
    for book in list(state.books.values()):
        _compare_orders(desk, book, listed, asked_step)
    _compare_foreign_orders(desk, event)
    account = {row.ticker: row.shares for row in event.positions}
    for book in list(state.books.values()):
        _compare_position(desk, book, account.get(book.ticker, 0))
    if state.link is Link.LOST:
        return
    _go_on(desk, account, told)
    finish_closing(desk)
    if state.read_again:
        state.read_again = False
        desk.read_broker("what was sent since the last question")


def _go_on(desk: Desk, account: dict[str, int], told: list[Execution]) -> None:
    state = desk.state
    state.reconciled = True
    first, state.ever_reconciled = not state.ever_reconciled, True
    if first:
        _skip_numbers(desk)
    if first and state.now_ms >= desk.plan.closure_ms and not state.closing:
        begin_closing(desk, "started after the closure began")
    desk.settle_phase()
    if state.flattens_account:
        _open_foreign_books(desk, account, told)
    for book in list(state.books.values()):
        run = book.exit
        if run is not None:
            exit_protocol.read_back(desk, book, run, _ours_of(book, account.get(book.ticker, 0)))
            enter_if_flat(desk, book, run)
        tend(desk, book)
    weigh_loss(desk)


def _skip_numbers(desk: Desk) -> None:
    """A session that begins after the open may have lost its journal, and with it the numbers of orders that left no
    trace at the broker. It begins beyond any that it can have used: no reference is ever used twice."""
    state = desk.state
    beyond = (state.now_ms - desk.plan.open_ms) * NUMBERS_PER_SECOND // 1000
    state.next_number, state.next_decision = max(state.next_number, beyond), max(state.next_decision, beyond)


def _open_foreign_books(desk: Desk, account: dict[str, int], told: list[Execution]) -> None:
    """The whole account is to be flat: other people's tickers get books, so that the exit protocol closes them too.

    What they have traded there is in the account's position: the next read-back, which lists it again, adds nothing.
    """
    desk.state.flattens_account = False
    if desk.state.foreign_orders:
        desk.out.append(CancelEverything())
    for ticker, shares in account.items():
        if shares and ticker not in desk.state.books:
            book = desk.book(ticker)
            book.foreign_shares = shares
            known = sorted((one for one in told if one.ticker == ticker), key=lambda one: revision_of(one.exec_id))
            desk.state.foreign_executions.update({one.lineage: one for one in known})
            exit_protocol.begin(desk, book, ExitReason.FLATTEN, whole_account=True)


def _ours_of(book: Book, account_shares: int) -> int:
    """What can be exited: our shares, never more than the account has of them."""
    reported = account_shares - book.foreign_shares
    if reported * book.position <= 0:
        return 0
    return min(book.position, reported) if reported > 0 else max(book.position, reported)


# --- orders -------------------------------------------------------------------------------------------------------


def _adopt_unknown(desk: Desk, row: OpenOrder) -> None:
    parsed = parse_order_ref(row.order_ref)
    book = desk.book(row.ticker)
    if parsed is not None and book.find(row.order_ref) is None:
        adopt(desk, book, row.order_ref, row.action, row.shares, row)


def _is_known(desk: Desk, row: OpenOrder) -> bool:
    """Ours, or sent by us to close other people's shares."""
    return desk.is_ours(row.order_ref) or find(desk, row.order_ref) is not None


def _by_reference(desk: Desk, rows: list[OpenOrder]) -> dict[str, OpenOrder]:
    """One order for each reference: the one known by its permId, else the oldest. A second one goes (CASES 12)."""
    listed: dict[str, OpenOrder] = {}
    for row in sorted(rows, key=lambda row: row.perm_id):
        found, kept = find(desk, row.order_ref), listed.setdefault(row.order_ref, row)
        if kept is row:
            continue
        if found is not None and found[1].perm_id == row.perm_id:
            listed[row.order_ref], kept, row = row, row, kept
        end_double(desk, kept.perm_id, row)
    return listed


def _compare_orders(desk: Desk, book: Book, listed: dict[str, OpenOrder], asked_step: int) -> None:
    """Resolve every order by its reference. An order touched after the question was asked is left to the next one."""
    for order in [*book.orders.values(), *book.ended.values()]:
        row = listed.get(order.ref)
        if row is None and not order.is_live:
            continue
        if asked_step <= order.touched_step and not (row is not None and order.stage is Stage.ABSENT):
            desk.state.read_again |= order.stage is Stage.UNKNOWN or is_overdue(desk, order)
            continue
        has_filled = order.stage is Stage.FILLED and row is not None and row.shares <= order.filled
        if row is None:
            _missing(desk, book, order)
        elif row.status is OrderStatus.PENDING_CANCEL:
            _listed_as_ending(desk, book, order)
        elif row.status in LIVE_STATUSES and not has_filled:
            _listed(desk, book, order, row)
    _forget_missing_executions(desk, book)
    complete_adopted(desk, book)


def _listed(desk: Desk, book: Book, order: Order, row: OpenOrder) -> None:
    order.perm_id = row.perm_id or order.perm_id
    order.status, order.why_held = row.status, row.why_held or order.why_held
    take_values(order, row)
    if order.stage in (Stage.CANCELLING, Stage.UNKNOWN):
        judge(desk, order)
    else:
        order.ending_ms = None  # it works, and nobody's cancel is on its way
    desk.hear(book, order, Heard.READ_LIVE)


def _listed_as_ending(desk: Desk, book: Book, order: Order) -> None:
    """It may still fill, also where the journal that knew it is lost."""
    if order.stage is Stage.ABSENT:
        desk.hear(book, order, Heard.READ_LIVE)
    if order.is_live:
        hear_ending(desk, order)


def _missing(desk: Desk, book: Book, order: Order) -> None:
    if order.stage is Stage.SENT:
        return  # its own time has not run out yet
    was = order.stage
    desk.hear(book, order, Heard.FILLED if order.filled >= order.shares else Heard.READ_ABSENT)
    if was is Stage.UNKNOWN and order.leg is Leg.ENTRY and not order.filled:
        entry_never_arrived(desk, book, order)


def _forget_missing_executions(desk: Desk, book: Book) -> None:
    """The read-back is complete: fills that only a status told of did not happen, if it was asked for long after it."""
    if book.behind_since_ms is None or desk.state.read_asked_ms < book.behind_since_ms + SETTLE_MS:
        return
    for order in filter(None, map(book.find, book.behind)):
        order.reported_filled = order.filled
        desk.alert(
            Severity.WARNING,
            f"fills/{order.ref}",
            f"{book.ticker}: fills without executions",
            f"The broker's status of {order.ref} tells of more fills than its executions do.",
        )
    book.behind = []


def _compare_foreign_orders(desk: Desk, event: BrokerRead) -> None:
    foreign = [row for row in event.orders if not _is_known(desk, row)]
    desk.state.foreign_orders = {}
    for book in desk.state.books.values():
        book.foreign_orders = []
    for row in foreign:
        quarantine(desk, row)


# --- positions ----------------------------------------------------------------------------------------------------


def _compare_position(desk: Desk, book: Book, account_shares: int) -> None:
    """Whose are the account's shares? A difference that nothing explains must be seen twice before it is believed.

    The account's position may lag behind a fill: what is asked while it may do so tells nothing.
    """
    state = desk.state
    book.account_shares = None
    difference = account_shares - book.position - book.foreign_shares
    if difference == 0:
        book.disagreed_step = 0
    elif state.read_asked_ms < (settled_ms := book.last_fill_ms + SETTLE_MS):
        book.disagreed_step = book.disagreed_step or state.step
        book.account_shares, book.account_asked_ms = account_shares, settled_ms
    elif not state.ever_reconciled and difference * book.position >= 0:
        book.foreign_shares += difference
        _tell_foreign(desk, book)
    elif book.disagreed_step == 0 or state.read_done_step <= book.disagreed_step:
        book.disagreed_step = book.disagreed_step or state.step
        state.read_again = True
    else:
        book.disagreed_step = 0
        _settle_difference(desk, book, difference)


def _settle_difference(desk: Desk, book: Book, difference: int) -> None:
    ours = 0
    if difference * book.position < 0:
        ours = min(abs(difference), abs(book.position)) * (1 if difference > 0 else -1)
        take_external(desk, book, _unseen_execution(desk, book, ours), desk.state.now_ms)
    book.foreign_shares += difference - ours
    if book.foreign_shares:
        _tell_foreign(desk, book)


def _unseen_execution(desk: Desk, book: Book, signed: int) -> Execution:
    """Stands for a close of which the broker shows only the result; priced at the mark."""
    mark = mark_of(desk, book)
    return Execution(
        exec_id=f"external-{book.ticker}-{desk.state.step}.01",
        order_ref="",
        order_id=0,
        client_id=0,
        perm_id=0,
        ticker=book.ticker,
        action=Action.BUY if signed > 0 else Action.SELL,
        shares=abs(signed),
        price=cents(mark) if mark.is_finite() else ZERO,
        time_ms=desk.state.now_ms,
    )


def _tell_foreign(desk: Desk, book: Book) -> None:
    entries = "allowed by a setting" if desk.params.allow_foreign_positions else "refused"
    desk.alert(
        Severity.WARNING,
        f"foreign_position/{book.ticker}",
        f"{book.ticker}: the account holds shares that are not ours",
        f"{book.foreign_shares:+d} shares; entries are {entries}.",
    )
