"""The one way out of a position: for reversal, closure, flatten, loss limit, recovery and over-fill (SEMANTICS 6).

1. Re-price the targets to marketable, so that the broker's own group ends the stops.
2. Not flat in 5 s: again, further.
3. Not flat in 10 s: cancel every order, wait until each has ended, ask the broker what is left, send that as market.
   An over-fill begins here; its excess goes at once, or a second after its last fill while cancels are not confirmed.
   An order that has not ended 10 s after its cancel is waited for no longer (ADR 21).
4. Verify by query: flat and nothing working. Repeat until the deadline; what is left then gets a GTC stop.
No limit of risk is asked. Nothing here waits on signals, indicators or a database.
"""

from __future__ import annotations

from decimal import Decimal

from core.bracket import Stage
from core.desk import Desk
from core.exposure import mark_of
from core.hanging import is_passed_over, may_replace_stop
from core.money import ZERO
from core.orders import OrderSpec, order_ref
from core.pricing import increments_of, leg_price, through_market
from core.protection import ECHO_MS, ensure, place_emergency
from core.state import Book, Exit, ExitStep, Order
from core.vocabulary import ExitReason, Leg, OrderKind, Severity, Side, TimeInForce

FIRST_FRACTION = Decimal("0.001")
"""How far through the quote the target goes first."""

FURTHER_FRACTION = Decimal("0.005")
"""And at the second attempt; the market order follows."""

MARKET_MS = 10_000
"""A market order that has not filled for so long is asked for. It stays while it works, alone and for all that is left:
the ticker may be halted, and between a cancel and the next order nothing would cover the position."""

PAUSE_MS = 30_000
"""After the broker refused a market order: a stop stands in until the next attempt."""

OVERNIGHT_ATTEMPTS_MAX = 3
"""GTC stops sent for one ticker when the broker refuses them."""

OVERNIGHT_FRACTION = Decimal("0.05")
"""Distance of the GTC stop from the mark where no bracket says better; it is the last resort of a failed day."""


def begin(desk: Desk, book: Book, reason: ExitReason, *, whole_account: bool = False) -> Exit | None:
    """Start the protocol, or give the running one a new reason; None when there is nothing to exit."""
    running = book.exit
    if running is not None:
        if running.reason is ExitReason.REVERSAL or reason is ExitReason.OVERFILL:
            running.reason, running.reentry = reason, None
        running.whole_account |= whole_account
        if reason is ExitReason.OVERFILL and running.step in (ExitStep.REPRICED, ExitStep.FURTHER):
            _go(desk, running, ExitStep.CLEARING)
        return running
    entering = any(order.leg is Leg.ENTRY for order in book.orders.values())
    cancelled_out = reason is ExitReason.OVERFILL and bool(book.orders)  # an entry by an excess nobody had heard of
    if book.position == 0 and not entering and not book.behind and not whole_account and not cancelled_out:
        return None  # legs that outlived their position are swept without it
    return start(desk, book, reason, whole_account=whole_account)


def start(desk: Desk, book: Book, reason: ExitReason, *, whole_account: bool = False) -> Exit:
    """Start the protocol for a ticker in which none runs."""
    state = desk.state
    epoch, state.next_exit = state.next_exit, state.next_exit + 1
    run = book.exit = Exit(epoch, reason, state.now_ms, ExitStep.CLEARING, state.now_ms, whole_account=whole_account)
    if desk.can_send and _reprice_targets(desk, book, FIRST_FRACTION):
        run.step = ExitStep.REPRICED
    return run


def advance(desk: Desk, book: Book, run: Exit) -> None:
    """Take every step of the protocol that is due now."""
    if desk.state.deadline_passed and run.step is not ExitStep.OVERNIGHT and book.position:
        _hold_overnight(desk, book, run)
    _expire_reversal(desk, book, run)
    before = None
    while before is not run.step:
        before = run.step
        _STEPS[run.step](desk, book, run)


def read_back(desk: Desk, book: Book, run: Exit, left: int) -> None:
    """Act on a complete read-back: `left` is what the broker reports of our position, signed shares."""
    if not _tells_what_is_left(desk, book, run):
        return
    if _may_close(desk, book, run):
        _go(desk, run, ExitStep.CLEARING)
    elif left:
        _send_market(desk, book, run, left, desk.state.session)
    elif run.whole_account and book.foreign_shares:
        _send_market(desk, book, run, book.foreign_shares, desk.account_session)
    elif not book.disagreed_step:  # else the account lacks shares that nothing has sold: the next answer tells
        _expire_reversal(desk, book, run)
        book.exit = None
        for alert in ("exit", "overnight"):
            desk.clear(f"{alert}/{book.ticker}", f"{book.ticker} is flat, verified at the broker.")


def _tells_what_is_left(desk: Desk, book: Book, run: Exit) -> bool:
    """Whether a read-back was asked for that; or shows that the market order never arrived, or that nothing works.

    Of the whole account it does not show the last: cancels of other people's orders may still be on their way.
    """
    if run.step is ExitStep.READING:
        return desk.state.read_done_step >= run.demanded_step
    if run.step is ExitStep.MARKET:
        order = book.find(run.order)
        return order is not None and order.stage is Stage.ABSENT and not order.filled
    return run.step is ExitStep.CLEARING and not book.orders and not run.whole_account


def _go(desk: Desk, run: Exit, step: ExitStep) -> None:
    run.step, run.step_ms = step, desk.state.now_ms


# --- steps 1 and 2 ------------------------------------------------------------------------------------------------


def _reprice_targets(desk: Desk, book: Book, fraction: Decimal) -> bool:
    """Make every bracket's target marketable; False when that cannot end the whole position."""
    work: list[tuple[Order, int]] = []
    for bracket in book.brackets.values():
        if book.live(bracket.entry) is not None:
            return False
        if bracket.held == 0:
            continue
        target = book.live(bracket.emergency.target) or book.live(bracket.native.target)
        if target is None or target.stage is not Stage.LIVE or target.refusals:
            return False
        work.append((target, bracket.held))
    price = through_market(book, work[0][0].spec.action, fraction) if work else None
    if price is None or sum(held for _, held in work) != abs(book.position):
        return False
    for target, held in work:
        desk.modify(book, target, target.filled + held, price, None)
    return True


def _wait_for_targets(desk: Desk, book: Book, run: Exit) -> None:
    now_ms = desk.state.now_ms
    reprice_ms = run.started_ms + desk.params.exit_reprice_seconds * 1000
    market_ms = run.started_ms + desk.params.exit_market_seconds * 1000
    if book.position == 0:
        _wait_for_siblings(desk, book, run)
    elif now_ms >= market_ms or _targets_lost(book):
        _go(desk, run, ExitStep.CLEARING)
    elif run.step is ExitStep.REPRICED and now_ms >= reprice_ms:
        again = _reprice_targets(desk, book, FURTHER_FRACTION)
        _go(desk, run, ExitStep.FURTHER if again else ExitStep.CLEARING)
    else:
        book.look_again(reprice_ms if run.step is ExitStep.REPRICED else market_ms)


def _targets_lost(book: Book) -> bool:
    """Whether a bracket that still holds shares has lost its target, or the broker refused the new price."""
    for bracket in book.brackets.values():
        target = book.live(bracket.emergency.target) or book.live(bracket.native.target)
        if bracket.held > 0 and (target is None or target.refusals):
            return True
    return False


def _wait_for_siblings(desk: Desk, book: Book, run: Exit) -> None:
    """Flat by the target: the broker ends the stop by itself; if not, it is cancelled."""
    grace_ms = max(book.last_exit_ms, run.started_ms) + desk.params.protect_within_seconds * 1000
    if not book.orders or desk.state.now_ms >= grace_ms:
        _go(desk, run, ExitStep.CLEARING)
    else:
        book.look_again(grace_ms)


# --- step 3 -------------------------------------------------------------------------------------------------------


def _expire_reversal(desk: Desk, book: Book, run: Exit) -> None:
    if run.reentry is None or desk.state.now_ms < run.started_ms + desk.params.exit_market_seconds * 1000:
        return
    run.reentry = None
    desk.alert(
        Severity.WARNING,
        f"reversal/{book.ticker}/{run.epoch}",
        f"{book.ticker}: reversal given up",
        f"Not flat in {desk.params.exit_market_seconds} s; the exit goes on, no entry follows.",
    )


def _clear(desk: Desk, book: Book, run: Exit) -> None:
    for order in list(book.orders.values()):
        desk.cancel(book, order)
    if _may_close(desk, book, run) or _may_fill_still(desk, book):
        return
    if run.reason is ExitReason.OVERFILL and (run.rounds == 0 or run.beside_hanging) and book.position:
        _send_market(desk, book, run, book.position, desk.state.session)  # at once: the executions say how many
        return
    run.demanded_step = desk.read_broker(f"exit of {book.ticker}")
    _go(desk, run, ExitStep.READING)


def _may_close(desk: Desk, book: Book, run: Exit) -> bool:
    """Whether a live order may still close what is left, so that a market order beside it could close it twice.

    Legs that an over-fill has left over cannot: they trade away from flat, and nothing covers the excess meanwhile.
    One that hangs may, and is waited for only when nothing is left.
    """
    side = Side.LONG if book.position > 0 else Side.SHORT
    left = _left(book, run)
    return any(
        (book.position == 0 or order.spec.action is side.exit_action) and not (left and is_passed_over(desk, order))
        for order in book.orders.values()
    )


def _may_fill_still(desk: Desk, book: Book) -> bool:
    """Whether more fills may be on their way with one that came just now: one order shall close them all."""
    settled_ms = book.last_exit_ms + ECHO_MS
    if not book.orders or desk.state.now_ms >= settled_ms:
        return False
    book.look_again(settled_ms)
    return True


def _send_market(desk: Desk, book: Book, run: Exit, left: int, session: str) -> None:
    leg = Leg.REPAIR if run.reason is ExitReason.OVERFILL else Leg.EXIT
    side = Side.LONG if left > 0 else Side.SHORT
    spec = OrderSpec(
        order_ref=order_ref(session, book.ticker, desk.state.take_number(), leg),
        ticker=book.ticker,
        action=side.exit_action,
        kind=OrderKind.MARKET,
        shares=min(abs(left), desk.params.max_shares_per_order),
    )
    run.order, run.rounds = spec.order_ref, run.rounds + 1
    run.beside_hanging |= any(order.hangs for order in book.orders.values())
    desk.place(book, {leg: spec}, bracket=0)
    _go(desk, run, ExitStep.MARKET)
    if run.rounds > 1:
        desk.alert(
            Severity.CRITICAL,
            f"exit/{book.ticker}",
            f"{book.ticker}: exit is being repeated",
            f"{left} shares are left after {run.rounds - 1} market orders ({run.reason}).",
        )


def _wait_for_market(desk: Desk, book: Book, run: Exit) -> None:
    order = book.find(run.order)
    timeout_ms = run.step_ms + MARKET_MS
    is_alone = order is not None and order.is_live and not _may_fill_beside(book, order)
    if order is not None and is_alone and desk.state.now_ms < timeout_ms and _closes(book, run, order):
        book.look_again(timeout_ms)
    elif order is not None and is_alone and _closes_all(desk, book, run, order):
        run.step_ms = desk.state.now_ms
        book.look_again(run.step_ms + MARKET_MS)
        desk.read_broker(f"exit of {book.ticker} is not filled")
        desk.alert(
            Severity.CRITICAL,
            f"exit/{book.ticker}",
            f"{book.ticker}: exit waits",
            f"A market order for {order.shares} shares ({run.reason}) has not filled; is the ticker halted? It stays.",
        )
    elif order is not None and _is_refused(desk, book, order):
        desk.alert(
            Severity.CRITICAL,
            f"exit/{book.ticker}",
            f"{book.ticker}: the broker refused the exit",
            f"The market order for {order.shares} shares was refused; a stop stands in, next attempt in 30 s.",
        )
        _go(desk, run, ExitStep.PAUSED)
        for bracket in [one for one in book.brackets.values() if one.held > 0 and one.stop_price > 0]:
            if may_replace_stop(book, bracket):
                place_emergency(desk, book, bracket)
    else:
        _go(desk, run, ExitStep.CLEARING)


def _is_refused(desk: Desk, book: Book, order: Order) -> bool:
    """Whether the broker does not take it: by an error, or by cancelling a second one as well, soon after the first."""
    if order.filled or order.stage is Stage.REJECTED:
        return not order.filled
    since_ms = desk.state.now_ms - PAUSE_MS
    return order.stage is Stage.CANCELLED and any(
        one is not order and one.leg is order.leg and one.stage is Stage.CANCELLED and one.ended_ms > since_ms
        for one in book.ended.values()
    )


def _left(book: Book, run: Exit) -> int:
    """Signed shares that the exit is still to close."""
    return book.position or (book.foreign_shares if run.whole_account else 0)


def _may_fill_beside(book: Book, order: Order) -> bool:
    """Whether another order works that was taken for ended; not one that hangs, or whose cancel is on its way."""
    waited_for = (Stage.CANCELLING, Stage.UNKNOWN)
    return any(one is not order and one.stage not in waited_for and not one.hangs for one in book.orders.values())


def _closes(book: Book, run: Exit, order: Order) -> bool:
    """Whether all that the market order may still fill is left to close: what another has closed it would open anew."""
    return 0 < order.remaining <= -_left(book, run) * order.spec.action.sign


def _closes_all(desk: Desk, book: Book, run: Exit, order: Order) -> bool:
    """Whether the market order works, as far as is known, for all that is left."""
    return (
        order.stage in (Stage.LIVE, Stage.UNKNOWN)
        and _closes(book, run, order)
        and order.remaining == min(abs(_left(book, run)), desk.params.max_shares_per_order)
    )


def _wait_for_pause(desk: Desk, book: Book, run: Exit) -> None:
    if _left(book, run) == 0:
        _wait_for_siblings(desk, book, run)
    elif desk.state.now_ms >= run.step_ms + PAUSE_MS:
        _go(desk, run, ExitStep.CLEARING)
    else:
        book.look_again(run.step_ms + PAUSE_MS)


def _wait_for_read(desk: Desk, book: Book, run: Exit) -> None:
    """Nothing to do before the broker has answered, except that a lost link lost the question too."""
    if desk.state.read_step == 0 and desk.state.read_done_step < run.demanded_step:
        run.demanded_step = desk.read_broker(f"exit of {book.ticker}")


# --- past the deadline --------------------------------------------------------------------------------------------


def _hold_overnight(desk: Desk, book: Book, run: Exit) -> None:
    if run.step is not ExitStep.OVERNIGHT:
        run.rounds = 0
    for order in list(book.orders.values()):
        desk.cancel(book, order)
    side = Side.LONG if book.position > 0 else Side.SHORT
    price = _overnight_price(desk, book, side)
    spec = OrderSpec(
        order_ref=order_ref(desk.state.session, book.ticker, desk.state.take_number(), Leg.OVERNIGHT_STOP),
        ticker=book.ticker,
        action=side.exit_action,
        kind=OrderKind.STOP,
        shares=abs(book.position),
        stop_price=price,
        time_in_force=TimeInForce.GTC,
    )
    run.order, run.rounds = spec.order_ref, run.rounds + 1
    desk.place(book, {Leg.OVERNIGHT_STOP: spec}, bracket=0)
    _go(desk, run, ExitStep.OVERNIGHT)
    desk.alert(
        Severity.CRITICAL,
        f"overnight/{book.ticker}",
        f"{book.ticker}: not flat at the deadline",
        f"{book.position} shares stay overnight behind a GTC stop at {price}. Close them by hand.",
    )


def _overnight_price(desk: Desk, book: Book, side: Side) -> Decimal:
    """The stop of a bracket that holds shares, else 5 % from the mark."""
    wanted = [bracket.stop_price for bracket in book.brackets.values() if bracket.held > 0 and bracket.stop_price > 0]
    mark = mark_of(desk, book)
    average = desk.state.ledger.average_price(book.ticker) or ZERO
    base = mark if mark.is_finite() else average
    return wanted[0] if wanted else leg_price(side, base * (1 - side.sign * OVERNIGHT_FRACTION), increments_of(book))


def _wait_overnight(desk: Desk, book: Book, run: Exit) -> None:
    """The stop stays for what is left. What filled on its way out, or could not be ended yet, shows only now."""
    stop = book.live(run.order)
    side = Side.LONG if book.position > 0 else Side.SHORT
    if book.position == 0:
        _wait_for_siblings(desk, book, run)
    elif stop is None or (stop.hangs and stop.spec.action is not side.exit_action):
        if run.rounds < OVERNIGHT_ATTEMPTS_MAX:
            _hold_overnight(desk, book, run)
    else:
        for order in list(book.orders.values()):
            if order is not stop or order.spec.action is not side.exit_action:
                desk.cancel(book, order)
        ensure(desk, book, run.order, abs(book.position), stop=stop.stop_price)


_STEPS = {
    ExitStep.REPRICED: _wait_for_targets,
    ExitStep.FURTHER: _wait_for_targets,
    ExitStep.CLEARING: _clear,
    ExitStep.READING: _wait_for_read,
    ExitStep.MARKET: _wait_for_market,
    ExitStep.PAUSED: _wait_for_pause,
    ExitStep.OVERNIGHT: _wait_overnight,
}
