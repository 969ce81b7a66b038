"""A frozen dataclass with a faster `__init__` is the same dataclass."""

from __future__ import annotations

import copy
import inspect
import pickle
from dataclasses import FrozenInstanceError, dataclass, field, replace
from decimal import Decimal

import pytest

from core.fast_init import fast_init
from core.market import Bar
from core.orders import OrderSpec
from core.vocabulary import Action, OrderKind, TimeInForce

SPEC = OrderSpec("DU1-20250312/SOXL/1/stop", "SOXL", Action.SELL, OrderKind.STOP, 100, stop_price=Decimal("27.50"))


@dataclass(frozen=True, slots=True)
class Plain:
    """What `dataclass` makes by itself."""

    number: int
    word: str = "none"
    parts: tuple[int, ...] = ()


@fast_init
@dataclass(frozen=True, slots=True)
class Fast:
    """The same, made faster."""

    number: int
    word: str = "none"
    parts: tuple[int, ...] = ()


@fast_init
@dataclass(frozen=True, slots=True)
class Longer(Fast):
    """One whose first slots lie in its base."""

    more: float = 0.5


def test_it_takes_the_same_arguments() -> None:
    assert inspect.signature(Fast) == inspect.signature(Plain)
    assert (Fast(1).word, Fast(1).parts) == ("none", ())
    assert repr(Longer(1, "two", (3,), more=4.0)) == "Longer(number=1, word='two', parts=(3,), more=4.0)"
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'number'"):
        Fast()  # type: ignore[call-arg]  # on purpose


def test_it_stays_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        SPEC.shares = 1  # type: ignore[misc]  # on purpose
    with pytest.raises(FrozenInstanceError):
        del SPEC.shares


def test_it_is_equal_hashed_copied_and_pickled_as_before() -> None:
    assert replace(SPEC, shares=200) == replace(replace(SPEC, shares=200))
    assert replace(SPEC, shares=200) != SPEC
    assert hash(replace(SPEC)) == hash(SPEC)
    assert SPEC.time_in_force is TimeInForce.DAY
    for made in (SPEC, Longer(1, "two", (3,), 4.0), Bar("SOXL", 0, 1.0, 1.0, 1.0, 1.0, 1)):
        assert pickle.loads(pickle.dumps(made)) == copy.deepcopy(made) == made


def test_what_it_does_not_cover_it_refuses() -> None:
    with pytest.raises(TypeError, match="parts"):

        @fast_init
        @dataclass(frozen=True, slots=True)
        class Factory:
            parts: list[int] = field(default_factory=list)

    with pytest.raises(TypeError, match="number"):

        @fast_init
        @dataclass(frozen=True, slots=True, kw_only=True)
        class ByKeyword:
            number: int

    with pytest.raises(TypeError, match="__post_init__"):

        @fast_init
        @dataclass(frozen=True, slots=True)
        class After:
            number: int

            def __post_init__(self) -> None:
                """Does not matter."""
