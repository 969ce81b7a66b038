"""SEMANTICS 4, row by row."""

from __future__ import annotations

from decimal import Decimal

import pytest

from core.params import SizeUnit
from core.sizing import Exposure, Sized, correlation_adjusted, shares_for
from core.vocabulary import Refusal, Side

CAP = 10_000


@pytest.mark.parametrize(
    ("dollars", "price", "shares"),
    [
        ("10000", "100", 100),
        ("10000", "50", 200),
        ("10000", "500", 20),
        ("10000", "15000", None),
        ("10000", "150", 66),
        ("100000", "5", 10_000),
        ("10000", "0.50", 10_000),
        ("10000", "10000.01", None),
        ("10000", "10000", 1),
        ("10000", "201.28", 49),
    ],
)
def test_dollars_at_a_price_give_shares(dollars: str, price: str, shares: int | None) -> None:
    sized = shares_for(Decimal(dollars), SizeUnit.DOLLARS, Decimal(price), CAP)
    if shares is None:
        assert sized is Refusal.SIZE_BELOW_ONE_SHARE
    else:
        assert sized == Sized(shares, float(shares * Decimal(price) / Decimal(dollars)))


@pytest.mark.parametrize("price", ["0.01", "75.12", "15000"])
def test_fifty_shares_are_fifty_at_any_price(price: str) -> None:
    assert shares_for(Decimal(50), SizeUnit.SHARES, Decimal(price), CAP) == Sized(50, 1.0)


def test_shares_are_capped_too() -> None:
    assert shares_for(Decimal(20_000), SizeUnit.SHARES, Decimal(1), CAP) == Sized(10_000, 0.5)


def test_half_of_an_odd_number_of_shares_is_cut() -> None:
    assert shares_for(Decimal("12.5"), SizeUnit.SHARES, Decimal(1), CAP) == Sized(12, 0.96)


@pytest.mark.parametrize("bad", ["0", "-1", "NaN", "Infinity", "-Infinity", "sNaN"])
@pytest.mark.parametrize("unit", SizeUnit)
def test_a_price_or_size_that_is_none_is_refused(bad: str, unit: SizeUnit) -> None:
    assert shares_for(Decimal(10_000), unit, Decimal(bad), CAP) is Refusal.PRICE_INVALID
    assert shares_for(Decimal(bad), unit, Decimal(100), CAP) is Refusal.SIZE_INVALID


@pytest.mark.parametrize(
    ("held", "dollars"),
    [
        ([], "10000"),
        ([Exposure(Side.LONG, Decimal(10_000), 1.0)], "5000"),
        ([Exposure(Side.SHORT, Decimal(10_000), -1.0)], "5000"),
        ([Exposure(Side.SHORT, Decimal(10_000), 1.0)], "10000"),
        ([Exposure(Side.LONG, Decimal(10_000), -0.8)], "10000"),
        ([Exposure(Side.LONG, Decimal(5_000), 0.5)], "8000"),
        ([Exposure(Side.LONG, Decimal(5_000), 0.5), Exposure(Side.SHORT, Decimal(15_000), -0.5)], "5000"),
        ([Exposure(Side.LONG, Decimal(10_000), None)], "5000"),
        ([Exposure(Side.SHORT, Decimal(10_000), None)], "5000"),
    ],
)
def test_what_moves_alike_shares_its_dollars(held: list[Exposure], dollars: str) -> None:
    assert correlation_adjusted(Decimal(10_000), Side.LONG, held) == Decimal(dollars)
