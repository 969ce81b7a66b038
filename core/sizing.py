"""How many shares a ticker's size buys (SEMANTICS 4)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from core.fast_init import fast_init
from core.money import ZERO
from core.params import SizeUnit
from core.vocabulary import Refusal, Side


@fast_init
@dataclass(frozen=True, slots=True)
class Sized:
    """A size that can be traded."""

    shares: int
    capital_efficiency: float  # shares x price / dollars


@dataclass(frozen=True, slots=True)
class Exposure:
    """An open position as correlation-adjusted sizing sees it."""

    side: Side
    dollars: Decimal  # shares x price, not negative
    correlation: float | None  # with the ticker to be sized, -1..1; None: not known


def shares_for(size: Decimal, unit: SizeUnit, price: Decimal, max_shares: int) -> Sized | Refusal:
    """Whole shares for a size at a price, never more than `max_shares`; a refusal where that is less than one.

    `price` is the decision price in dollars. The efficiency of a size in shares is counted against size x price.
    """
    if not price.is_finite() or price <= 0:
        return Refusal.PRICE_INVALID
    if not size.is_finite() or size <= 0:
        return Refusal.SIZE_INVALID
    dollars = size if unit is SizeUnit.DOLLARS else size * price
    shares = min(int(dollars // price), max_shares)
    if shares < 1:
        return Refusal.SIZE_BELOW_ONE_SHARE
    return Sized(shares, float(shares * price / dollars))


def correlation_adjusted(dollars: Decimal, side: Side, open_positions: Iterable[Exposure]) -> Decimal:
    """dollars / (1 + sum of max(0, correlation x s) x exposure / dollars); s is +1 for the same side, else -1.

    A correlation that is not known counts in full, whatever the side: what cannot be measured is not diversified.
    """
    weight = Decimal(1)
    for held in open_positions:
        sign = 1 if held.side is side else -1
        overlap = Decimal(1) if held.correlation is None else max(ZERO, Decimal(held.correlation) * sign)
        weight += overlap * held.dollars / dollars
    return dollars / weight
