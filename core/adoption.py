"""Orders and shares that the state does not know: ours from before a loss of the journal, and other people's."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from core.bracket import Heard, Stage
from core.desk import Desk
from core.fills import exit_shares, settle_trades
from core.money import ZERO
from core.orders import Execution, OpenOrder, OrderSpec, parse_order_ref, revision_of
from core.pricing import increments_of, leg_distances
from core.protection import aim, is_working
from core.state import Book, Bracket, Legs, Order
from core.trades import part_of_ours
from core.vocabulary import Action, Leg, OrderKind, Severity, Side

KINDS = {
    Leg.STOP: OrderKind.STOP,
    Leg.EMERGENCY_STOP: OrderKind.STOP,
    Leg.OVERNIGHT_STOP: OrderKind.STOP,
    Leg.TARGET: OrderKind.LIMIT,
    Leg.EMERGENCY_TARGET: OrderKind.LIMIT,
}

OF_BRACKET = frozenset({Leg.ENTRY, Leg.STOP, Leg.TARGET, Leg.TIMED_EXIT})


def adopt(desk: Desk, book: Book, ref: str, action: Action, shares: int, row: OpenOrder | None = None) -> Order:
    """Take in an order of this session that the state does not know. It counts as ended until a read-back lists it."""
    parsed = parse_order_ref(ref)
    leg = Leg(parsed.leg) if parsed is not None and parsed.leg in list(Leg) else Leg.EXIT
    number = parsed.number if parsed is not None else 0
    desk.state.next_number = max(desk.state.next_number, number + 1)
    spec = OrderSpec(
        order_ref=ref,
        ticker=book.ticker,
        action=action,
        kind=KINDS.get(leg, OrderKind.MARKET),
        shares=shares,
        limit_price=row.limit_price if row is not None else None,
        stop_price=row.stop_price if row is not None else None,
    )
    bracket = number if leg in OF_BRACKET else 0
    order = Order(spec, leg, bracket, shares, spec.limit_price, spec.stop_price, stage=Stage.ABSENT)
    book.ended[ref] = order
    if bracket:
        _join_bracket(book, order, number)
    desk.alert(
        Severity.WARNING,
        f"adopted/{ref}",
        f"{book.ticker}: an order was adopted",
        f"The broker reports {ref}, which the journal does not hold.",
    )
    return order


def _join_bracket(book: Book, order: Order, number: int) -> None:
    side = Side.LONG if (order.spec.action is Action.BUY) is (order.leg is Leg.ENTRY) else Side.SHORT
    bracket = book.brackets.get(number)
    if bracket is None:
        bracket = Bracket(number, side, "", Legs(), 0.0, ZERO, ZERO, ZERO, ZERO)
        book.brackets[number] = bracket
    if order.leg is Leg.ENTRY:
        bracket.entry = order.ref
    elif order.leg is Leg.STOP:
        bracket.native.stop, bracket.stop_price = order.ref, order.stop_price or ZERO
    elif order.leg is Leg.TARGET:
        bracket.native.target, bracket.target_price = order.ref, order.limit_price or ZERO
    else:
        bracket.native.timed_exit = order.ref


def complete_adopted(desk: Desk, book: Book) -> None:
    """Give adopted brackets the emergency legs that serve them, and distances: from their legs, else from the ATR."""
    for order in book.orders.values():
        if order.bracket == 0 and order.leg in (Leg.EMERGENCY_STOP, Leg.EMERGENCY_TARGET):
            _assign_emergency(book, order)
    average = desk.state.ledger.average_price(book.ticker)
    params = desk.by_ticker.get(book.ticker)
    if average is None or params is None:
        return
    for bracket in book.brackets.values():
        if bracket.held <= 0 or bracket.stop_distance:
            continue
        sign = bracket.side.sign
        bracket.atr = book.atr.value or 0.0
        by_atr = params.atr_stop_multiplier
        bracket.stop_distance = _distance(book, (bracket.stop_price, -sign), average, by_atr)
        by_atr = params.atr_target_multiplier
        bracket.target_distance = _distance(book, (bracket.target_price, sign), average, by_atr)
        aim(desk, book, bracket)


def _distance(book: Book, leg: tuple[Decimal, int], average: Decimal, multiple: Decimal) -> Decimal:
    """How far a leg (price, direction) is from the average, else what the ATR of now calls for, else 0: not known."""
    price, direction = leg
    if price:
        return (price - average) * direction
    atr = book.atr.value
    return leg_distances((multiple,), atr, average, ZERO, increments_of(book))[0] if atr is not None else ZERO


def _assign_emergency(book: Book, order: Order) -> None:
    """Join an emergency leg to the first bracket that lacks one; one that none lacks is swept as an orphan."""
    for bracket in book.brackets.values():
        taken = bracket.emergency.stop if order.is_stop else bracket.emergency.target
        native = book.live(bracket.native.stop)
        if taken or bracket.held <= 0 or (native is not None and is_working(book, native)):
            continue
        order.bracket = bracket.number
        if order.is_stop:
            bracket.emergency.stop, bracket.stop_price = order.ref, order.stop_price or ZERO
        else:
            bracket.emergency.target, bracket.target_price = order.ref, order.limit_price or ZERO
        break


def take_foreign(desk: Desk, book: Book, execution: Execution, order: Order | None, at_ms: int) -> Book | None:
    """An execution that is not ours. What it sells beyond the owner's own shares, it sells of ours: `external`.

    `order` is the one with which we closed the owner's shares on demand, if that is what it was.
    """
    known = desk.state.foreign_executions.get(execution.lineage)
    if known is not None and revision_of(execution.exec_id) <= revision_of(known.exec_id):
        return None
    desk.state.foreign_executions[execution.lineage] = execution
    if order is not None:
        more = execution.shares - (known.shares if known is not None else 0)
        order.filled += more
        if known is not None:
            book.foreign_shares += execution.action.sign * more
        if order.filled >= order.shares:
            desk.hear(book, order, Heard.FILLED)
    if not desk.state.ever_reconciled and not book.position:
        return None  # a trade of before: the read-back tells the position
    if known is not None:
        desk.read_broker(f"what another traded in {execution.ticker} was corrected")
        return _correct_external(desk, book, execution)
    signed = execution.action.sign * execution.shares
    ours = part_of_ours(signed, book.foreign_shares, book.position)
    book.foreign_shares += signed - ours
    if ours:
        take_external(desk, book, replace(execution, shares=abs(ours)), at_ms)
    desk.read_broker(f"{execution.ticker} was traded by another")
    return book


def _correct_external(desk: Desk, book: Book, execution: Execution) -> Book | None:
    """A trade of others is corrected. What it cut of ours follows, down to none; the rest the next read-back tells.

    Shares that come back have no bracket any more: they count as over-filled, and are closed at once.
    """
    cut = desk.state.ledger.executions.get(execution.lineage)
    if cut is None:
        return None
    ours = min(cut.shares, execution.shares)
    book.position = desk.state.ledger.record(replace(execution, shares=ours)).position_after
    settle_trades(desk, book)
    return book


def take_external(desk: Desk, book: Book, execution: Execution, at_ms: int) -> None:
    """Our shares were closed by hand or by another client (CASES 22): the ledger says so, the legs follow."""
    book.position = desk.state.ledger.record(execution).position_after
    exit_shares(book, execution.action.sign * execution.shares)
    book.last_exit_ms = max(book.last_exit_ms, at_ms)
    settle_trades(desk, book)
    desk.alert(
        Severity.WARNING,
        f"external/{execution.exec_id}",
        f"{book.ticker}: closed by another",
        f"{execution.action} {execution.shares} at {execution.price} was not ours; {book.position} shares are left.",
    )
