"""What the session has at stake: signed dollars per ticker, per sector and per pair, heat, and the day's P&L."""

from __future__ import annotations

import math
from decimal import Decimal

from core.desk import Desk
from core.money import ZERO, from_float
from core.state import Book
from core.vocabulary import Leg


def mark_of(desk: Desk, book: Book) -> Decimal:
    """What a share is valued at, dollars: the newest bar or trade, else the average cost. NaN where that is unknown."""
    if book.mark is None:
        return desk.state.ledger.average_price(book.ticker) or Decimal("NaN")
    return from_float(book.mark) if math.isfinite(book.mark) else Decimal("NaN")


def committed_shares(book: Book) -> int:
    """Signed shares held, and those that a live entry may still add."""
    shares = book.position
    for order in book.orders.values():
        if order.leg is Leg.ENTRY:
            shares += order.spec.action.sign * order.remaining
    return shares


def committed_value(desk: Desk, book: Book) -> Decimal:
    """Signed dollars held or being entered."""
    shares = committed_shares(book)
    return shares * mark_of(desk, book) if shares else ZERO


def heat_of(desk: Desk, book: Book) -> Decimal:
    """What the ticker loses from its mark if its stops are hit: shares × distance to the stop, dollars.

    Where no stop is known, as of a short position adopted without one, its whole value counts.
    """
    heat, mark = ZERO, mark_of(desk, book)
    for bracket in book.brackets.values():
        entry = book.orders.get(bracket.entry)
        shares = bracket.held + (entry.remaining if entry is not None else 0)
        if shares <= 0:
            continue
        distance = (mark - bracket.stop_price) * bracket.side.sign if bracket.stop_price else mark
        if distance.is_nan() or distance > 0:
            heat += shares * distance
    return heat


def daily_pnl(desk: Desk) -> Decimal | None:
    """Realised + unrealised − commissions, dollars; None when an open position cannot be valued."""
    ledger = desk.state.ledger
    return ledger.daily_pnl({ticker: mark_of(desk, desk.book(ticker)) for ticker in ledger.positions})
