"""What a fill changes: the ledger, its bracket, cooldowns, and the round trip that it opens or closes."""

from __future__ import annotations

from core.bracket import Heard
from core.commands import ForgetTrade, RecordTrade
from core.desk import Desk
from core.ledger import FillKind
from core.orders import Execution, OrderRef, parse_order_ref
from core.records import Trade
from core.state import Book, Bracket, Order, TradeNote
from core.trades import RoundTrip
from core.vocabulary import ExitReason, Leg

REASONS: dict[str, ExitReason] = {
    Leg.STOP: ExitReason.STOP,
    Leg.EMERGENCY_STOP: ExitReason.STOP,
    Leg.OVERNIGHT_STOP: ExitReason.STOP,
    Leg.TARGET: ExitReason.TARGET,
    Leg.EMERGENCY_TARGET: ExitReason.TARGET,
    Leg.TIMED_EXIT: ExitReason.TIMED_EXIT,
    Leg.REPAIR: ExitReason.OVERFILL,
}
"""Why a trade ended, by the leg of its last fill; a target that an exit protocol moved has the protocol's reason."""


def take_own(desk: Desk, book: Book, order: Order, execution: Execution, at_ms: int) -> bool:
    """Take one of our executions in; False when it was known already."""
    ledger = desk.state.ledger
    known = ledger.executions.get(execution.lineage)
    fill = ledger.record(execution)
    if fill.kind is FillKind.DUPLICATE:
        return False
    shares = execution.shares - (known.shares if known is not None else 0)
    first = order.filled == 0
    order.filled += shares
    _attribute(book, order, shares)
    if order.reported_filled <= order.filled and order.ref in book.behind:
        book.behind.remove(order.ref)
    if order.filled >= order.shares:
        desk.hear(book, order, Heard.FILLED)
    book.position, book.last_fill_ms = fill.position_after, max(book.last_fill_ms, at_ms)  # corrections are of before
    bracket = book.brackets.get(order.bracket)
    begins = bracket if order.leg is Leg.ENTRY and first and order.filled else None
    adds = begins is not None and fill.position_before * begins.side.sign > 0
    if begins is not None and not adds:
        book.cooldown_ms[begins.side] = at_ms  # before the trade, which may have ended already, and by its stop
    settle_trades(desk, book)
    if begins is not None:
        _note_entry(book.trades[-1], begins, adds=adds)
    if order.leg is Leg.ENTRY:
        desk.state.rejects_in_a_row = 0
    else:
        book.last_exit_ms = max(book.last_exit_ms, at_ms)
    return True


def _attribute(book: Book, order: Order, shares: int) -> None:
    """Count a fill for the bracket that its order serves."""
    bracket = book.brackets.get(order.bracket)
    if bracket is None:
        exit_shares(book, order.spec.action.sign * shares)
    elif order.leg is Leg.ENTRY:
        bracket.entered += shares
    else:
        bracket.exited += shares


def exit_shares(book: Book, signed: int) -> None:
    """Spread signed shares, bought or sold for the position as a whole, over the brackets that hold the opposite.

    The oldest first, also where they were adopted in another order: the legs at the broker were cut that way.
    """
    for _, bracket in sorted(book.brackets.items()):
        held = bracket.held * bracket.side.sign
        if held * signed < 0:
            part = min(abs(held), abs(signed))
            bracket.exited += part if bracket.held > 0 else -part
            signed += part if signed < 0 else -part


def _note_entry(note: TradeNote, bracket: Bracket, *, adds: bool) -> None:
    """The first fill of an entry: what the trade is known by. An add whose position has ended before is an entry."""
    if adds:
        note.adds += 1
    else:
        note.atr, note.capital_efficiency = bracket.atr, bracket.capital_efficiency


def settle_trades(desk: Desk, book: Book) -> None:
    """Bring the notes in line with the ledger's round trips: executions that come late may split or join some."""
    trips = desk.state.ledger.books[book.ticker].trips
    while len(book.trades) < len(trips):
        book.trades.append(TradeNote(desk.state.next_trade))
        desk.state.next_trade += 1
    for note in book.trades[len(trips) :]:
        _forget(desk, note)
    del book.trades[len(trips) :]
    for trip, note in zip(trips, book.trades, strict=True):
        if trip.closed_ms is None:
            note.exit_reason = None
        elif note.exit_reason is None:
            _close(desk, book, note, parse_order_ref(trip.closed_by))
    if not book.position:
        book.exposed_since_ms = None  # a trade that was annulled has no note to count it
    report_trades(desk, book)


def _close(desk: Desk, book: Book, note: TradeNote, closed_by: OrderRef | None) -> None:
    """A trade has ended: name the reason; a stop clears both sides' cooldown."""
    note.exit_reason = ExitReason.EXTERNAL if closed_by is None else _reason(book, closed_by.leg)
    if book.exposed_since_ms is not None:
        note.unprotected_ms += desk.state.now_ms - book.exposed_since_ms
        book.exposed_since_ms = None
    if note.exit_reason is ExitReason.STOP:
        book.cooldown_ms.clear()


def _reason(book: Book, leg: str) -> ExitReason:
    reason = REASONS.get(leg, ExitReason.RECOVERY)
    if book.exit is not None and reason in (ExitReason.TARGET, ExitReason.RECOVERY):
        return book.exit.reason
    return reason


def report_trades(desk: Desk, book: Book) -> None:
    """Record every closed round trip that is new, or that a commission or a correction has changed."""
    for trip, note in zip(desk.state.ledger.books[book.ticker].trips, book.trades, strict=True):
        if trip.closed_ms is None or trip.exit_price is None or trip.gross_pnl is None:
            _forget(desk, note)
            continue
        trade = _trade(desk, trip, note)
        if trade != note.reported:
            note.reported = trade
            desk.out.append(RecordTrade(trade))


def _forget(desk: Desk, note: TradeNote) -> None:
    """Take a trade back that was recorded as closed and is not."""
    if note.reported is not None:
        note.reported = None
        desk.out.append(ForgetTrade(note.number))


def _trade(desk: Desk, trip: RoundTrip, note: TradeNote) -> Trade:
    return Trade(
        session=desk.state.session,
        number=note.number,
        ticker=trip.ticker,
        side=trip.side,
        shares=trip.most_held,
        opened_ms=trip.opened_ms,
        closed_ms=trip.closed_ms or 0,
        entry_price=trip.entry_price,
        exit_price=trip.exit_price or trip.entry_price,
        gross_pnl=trip.gross_pnl or trip.entry_value * 0,
        commissions=desk.state.ledger.trade_commissions(trip),
        exit_reason=note.exit_reason or ExitReason.RECOVERY,
        atr=note.atr,
        capital_efficiency=note.capital_efficiency,
        unprotected_ms=note.unprotected_ms,
        adds=note.adds,
    )
