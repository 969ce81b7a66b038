"""The per-ticker table of SEMANTICS 1: what a row may say, and how a size gets its unit."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from config.fields import (
    LARGEST_OLD_SHARES,
    Allocation,
    Fraction,
    Minutes,
    Multiple,
    OldSize,
    Quantity,
    Ticker,
)
from config.problems import contradiction
from core.params import SizeUnit

SIZE_NAMES = ("allocation", "quantity", "size")


class Sized(BaseModel):
    """A size in one of three spellings; its unit is settled here, once, and never guessed later."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    allocation: Allocation = Field(None, description="always dollars, more than 1,000; 10,000 by default")
    quantity: Quantity = Field(None, description="always whole shares, 1 to 10,000")
    size: OldSize = Field(None, description="the old rule: above 1,000 dollars, up to 1,000 whole shares")

    @model_validator(mode="after")
    def _one_spelling(self) -> Sized:
        given = [name for name in SIZE_NAMES if getattr(self, name) is not None]
        if len(given) > 1:
            raise contradiction((name, f"only one of {', '.join(SIZE_NAMES)}") for name in given)
        return self

    def size_and_unit(self) -> tuple[Decimal, SizeUnit] | None:
        """The size in dollars or in whole shares; None when no spelling was given."""
        if self.allocation is not None:
            return self.allocation, SizeUnit.DOLLARS
        if self.quantity is not None:
            return Decimal(self.quantity), SizeUnit.SHARES
        if self.size is not None:
            return self.size, SizeUnit.DOLLARS if self.size > LARGEST_OLD_SHARES else SizeUnit.SHARES
        return None


class TickerRow(Sized):
    """What differs for one ticker; None takes the general setting of the same name."""

    confidence_threshold: Fraction | None = None
    atr_stop_multiplier: Multiple | None = None
    atr_target_multiplier: Multiple | None = None
    cooldown_minutes: Minutes | None = None
    sector: str = ""
    sector_sign: Literal[1, -1] = 1


class PairRow(BaseModel):
    """Two tickers that are one bet."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    first: Ticker
    second: Ticker
    correlation: Literal[1, -1]


def _distinct_pairs(rows: tuple[PairRow, ...]) -> tuple[PairRow, ...]:
    bets = [frozenset((row.first, row.second)) for row in rows]
    if len(set(bets)) < len(bets) or any(len(bet) == 1 for bet in bets):
        raise ValueError("two different tickers in each pair, and each pair once")
    return rows


Pairs = Annotated[tuple[PairRow, ...], AfterValidator(_distinct_pairs)]
