"""Laws of rounding and sizing."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from core.money import cents, from_float, increment_at, round_down, round_up
from core.params import SizeUnit
from core.sizing import Exposure, Sized, correlation_adjusted, shares_for
from core.vocabulary import Refusal, Side

RULES = st.sampled_from(
    [
        ((Decimal(0), Decimal("0.01")),),
        ((Decimal(0), Decimal("0.0001")), (Decimal(1), Decimal("0.01"))),
        ((Decimal(0), Decimal("0.005")), (Decimal(10), Decimal("0.01")), (Decimal(50), Decimal("0.05"))),
    ]
)
PRICES = st.decimals(0, 100_000, places=6)
POSITIVE = st.decimals(Decimal("0.0001"), 100_000, places=4)
DOLLARS = st.decimals(1, 1_000_000, places=2)
EXPOSURES = st.builds(
    Exposure,
    side=st.sampled_from(Side),
    dollars=st.decimals(0, 100_000, places=2),
    correlation=st.none() | st.floats(-1, 1),
)


@given(PRICES, RULES)
def test_case_34_rounding_moves_less_than_a_tick_onto_the_grid(
    price: Decimal, rule: tuple[tuple[Decimal, Decimal], ...]
) -> None:
    down, up = round_down(price, rule), round_up(price, rule)
    tick = increment_at(price, rule)
    assert down <= price <= up
    assert price - down < tick
    assert up - price < tick
    for rounded in (down, up):
        assert rounded % increment_at(rounded, rule) == 0
        assert round_down(rounded, rule) == round_up(rounded, rule) == rounded


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_and_back(x: float) -> None:
    assert float(from_float(x)) == x


@given(st.decimals(-1_000_000, 1_000_000, places=6))
def test_cents_are_near(x: Decimal) -> None:
    assert abs(cents(x) - x) <= Decimal("0.005")


@given(DOLLARS, POSITIVE, st.integers(1, 20_000))
def test_shares_cost_at_most_the_dollars_and_one_more_would_cost_more(
    dollars: Decimal, price: Decimal, max_shares: int
) -> None:
    sized = shares_for(dollars, SizeUnit.DOLLARS, price, max_shares)
    if isinstance(sized, Sized):
        assert 1 <= sized.shares <= max_shares
        assert sized.shares * price <= dollars
        assert sized.shares == max_shares or (sized.shares + 1) * price > dollars
        if sized.shares < max_shares:
            assert sized.capital_efficiency >= float(1 - price / dollars) - 1e-12
        assert sized.capital_efficiency <= 1
    else:
        assert sized is Refusal.SIZE_BELOW_ONE_SHARE
        assert price > dollars


@given(DOLLARS, st.sampled_from(Side), st.lists(EXPOSURES, max_size=5), EXPOSURES)
def test_correlation_only_ever_makes_a_size_smaller(
    dollars: Decimal, side: Side, held: list[Exposure], more: Exposure
) -> None:
    size = correlation_adjusted(dollars, side, held)
    assert 0 < size <= dollars
    assert correlation_adjusted(dollars, side, [*held, more]) <= size
