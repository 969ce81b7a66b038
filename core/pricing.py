"""Prices of decisions, legs and exits (SEMANTICS 4 and 6). Decimal dollars on the market's increments."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import TypeGuard

from core.money import ZERO, Increments, from_float, increment_at, round_down, round_up
from core.state import Book
from core.vocabulary import Action, Side

LEAST_DISTANCE_TICKS = 2
"""A leg is never nearer to the entry."""

LEAST_PRICE = 0.0001
"""The smallest increment of any market."""

MOST_PRICE = 1e9
"""A thousand times the dearest share there is. Beyond it a figure is a sentinel (IB's unset double is finite), and the
exact sums of an exit have no room for it."""

PENNY = ((ZERO, Decimal("0.01")),)
"""The increments assumed where the broker has not told a ticker's market rule: only exits are ever priced by it."""


def is_price(x: float | None) -> TypeGuard[float]:
    """Whether a figure can be the price of a share. NaN, infinity and the broker's sentinels are none."""
    return x is not None and LEAST_PRICE <= x <= MOST_PRICE


def increments_of(book: Book) -> Increments:
    """The ticker's market rule."""
    return book.instrument.increments if book.instrument is not None else PENNY


def side_quote(book: Book, action: Action) -> float | None:
    """What the action would trade at now: the ask to buy, the bid to sell; None where the broker has not said."""
    if book.quote is None:
        return None
    return book.quote.ask if action is Action.BUY else book.quote.bid


def last_trade(book: Book) -> float | None:
    """The last trade: the quote's, else the newest bar's close."""
    if book.quote is not None and book.quote.last is not None:
        return book.quote.last
    return book.last_close


def price_for(book: Book, action: Action) -> float | None:
    """The side's quote, else the last trade."""
    quote = side_quote(book, action)
    return quote if is_price(quote) else last_trade(book)


def spread_of(book: Book) -> Decimal:
    """Ask less bid in dollars; 0 where either is missing or they are crossed."""
    quote = book.quote
    if quote is None or not (is_price(quote.bid) and is_price(quote.ask)):
        return ZERO
    return max(ZERO, from_float(quote.ask) - from_float(quote.bid))


def leg_distances(
    multiples: Iterable[Decimal], atr: float, price: Decimal, spread: Decimal, increments: Increments
) -> list[Decimal]:
    """Each multiple × ATR, at least 2 ticks and the spread; dollars.

    The ATR counts to a billionth: the noise of floats must not cost a tick when the leg is rounded.
    """
    exact, least = from_float(round(atr, 9)), max(LEAST_DISTANCE_TICKS * increment_at(price, increments), spread)
    return [max(multiple * exact, least) for multiple in multiples]


def leg_price(side: Side, raw: Decimal, increments: Increments) -> Decimal:
    """A leg's price on the increments: down for a long, up for a short.

    That rounds a stop away from the entry and a target towards it. Zero where a distance exceeds the price.
    """
    if raw <= 0:
        return ZERO
    return round_down(raw, increments) if side is Side.LONG else round_up(raw, increments)


def through_market(book: Book, action: Action, fraction: Decimal) -> Decimal | None:
    """A limit that trades at once: the side's price, worse by a fraction of it. None without any price."""
    price = price_for(book, action)
    if not is_price(price):
        return None
    increments = increments_of(book)
    raw = from_float(price) * (1 + action.sign * fraction)
    limit = round_up(raw, increments) if action is Action.BUY else round_down(raw, increments)
    return limit if limit > 0 else increment_at(raw, increments)
