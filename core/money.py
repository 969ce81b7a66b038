"""Prices and dollars as exact decimals: out of floats, onto the market's increments, to the cent."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache
from math import isfinite

from core.errors import InvalidValueError

Increments = tuple[tuple[Decimal, Decimal], ...]
"""A market rule: (from this price up, tick), in rising order, dollars."""

ZERO = Decimal(0)
CENT = Decimal("0.01")

REMEMBERED_FLOATS = 4_096
"""Some prices of each of a hundred tickers; a mark is asked for again by every rule that values a position."""


@lru_cache(REMEMBERED_FLOATS, typed=True)
def from_float(x: float) -> Decimal:
    """The decimal that the float prints as: 75.1, not 75.0999999.... Raises InvalidValueError for NaN and infinity."""
    if not isfinite(x):
        raise InvalidValueError("amount", x, "a finite number")
    return Decimal(repr(x or 0.0))  # the two zeros are one to the memory, and so they must be here


def cents(x: Decimal) -> Decimal:
    """Dollars to the cent, halves to the even cent; never a negative zero, which reads as a loss."""
    return x.quantize(CENT, ROUND_HALF_EVEN) + 0


def increment_at(price: Decimal, increments: Increments) -> Decimal:
    """The tick of the band that the price lies in; a price on an edge lies in the upper band.

    Raises InvalidValueError for a negative or non-finite price and for a market rule without bands.
    """
    if not price.is_finite() or price < 0:
        raise InvalidValueError("price", price, "a finite price of at least 0 dollars")
    if not increments:
        raise InvalidValueError("increments", increments, "at least one band")
    tick = increments[0][1]
    for from_price, band_tick in increments:
        if price < from_price:
            break
        tick = band_tick
    return tick


def round_down(price: Decimal, increments: Increments) -> Decimal:
    """The highest price on the band's increment that is not above this one."""
    tick = increment_at(price, increments)
    return price // tick * tick


def round_up(price: Decimal, increments: Increments) -> Decimal:
    """The lowest price on the band's increment that is not below this one."""
    tick = increment_at(price, increments)
    below = price // tick * tick
    return below if below == price else below + tick
