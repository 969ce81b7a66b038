"""Prices on the market's increments, dollars to the cent."""

from __future__ import annotations

from decimal import Decimal

import pytest

from core.errors import InvalidValueError
from core.money import cents, from_float, increment_at, round_down, round_up

STOCKS = ((Decimal(0), Decimal("0.0001")), (Decimal(1), Decimal("0.01")))
"""What IB says of most US stocks: below a dollar prices may have four places."""


@pytest.mark.parametrize(
    ("price", "tick"),
    [("0", "0.0001"), ("0.5", "0.0001"), ("0.9999", "0.0001"), ("1", "0.01"), ("75.12", "0.01")],
)
def test_case_34_each_band_has_its_tick(price: str, tick: str) -> None:
    assert increment_at(Decimal(price), STOCKS) == Decimal(tick)


def test_below_the_first_band_its_tick_holds() -> None:
    assert increment_at(Decimal("0.5"), STOCKS[1:]) == Decimal("0.01")


@pytest.mark.parametrize(
    ("price", "down", "up"),
    [
        ("75.123", "75.12", "75.13"),
        ("75.12", "75.12", "75.12"),
        ("0.12345", "0.1234", "0.1235"),
        ("0.99995", "0.9999", "1.0000"),
        ("1.001", "1.00", "1.01"),
    ],
)
def test_case_34_a_price_is_rounded_to_the_increment_of_its_own_band(price: str, down: str, up: str) -> None:
    assert round_down(Decimal(price), STOCKS) == Decimal(down)
    assert round_up(Decimal(price), STOCKS) == Decimal(up)


@pytest.mark.parametrize("price", ["-0.01", "NaN", "Infinity"])
def test_a_price_that_is_none_is_refused(price: str) -> None:
    with pytest.raises(InvalidValueError, match="price = "):
        round_up(Decimal(price), STOCKS)


def test_a_market_rule_without_bands_is_refused() -> None:
    with pytest.raises(InvalidValueError, match="increments"):
        round_down(Decimal(1), ())


@pytest.mark.parametrize(
    ("x", "exact"), [(75.1, "75.1"), (1e-07, "1E-7"), (0.1 + 0.2, "0.30000000000000004"), (3.0, "3.0")]
)
def test_a_float_becomes_what_it_prints_as(x: float, exact: str) -> None:
    assert str(from_float(x)) == exact


@pytest.mark.parametrize("x", [float("nan"), float("inf"), float("-inf")])
def test_a_float_that_is_no_amount_is_refused(x: float) -> None:
    with pytest.raises(InvalidValueError, match="amount"):
        from_float(x)


@pytest.mark.parametrize(
    ("x", "rounded"), [("0.005", "0.00"), ("-0.001", "0.00"), ("0.015", "0.02"), ("-0.015", "-0.02"), ("7", "7.00")]
)
def test_cents_round_halves_to_even(x: str, rounded: str) -> None:
    assert str(cents(Decimal(x))) == rounded
