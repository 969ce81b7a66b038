"""Some faulty short days, so that every change meets them; `make chaos` plays as many as one likes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.day import Place, place_for_days, play_seed
from tests.chaos.kill_points import POINTS
from tests.chaos.plan import draw

SEEDS = (3, 4, 6, 9, 10, 15, 16, 21)
"""Four of them have broken a law once."""


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    with place_for_days() as made:
        yield made


@pytest.mark.parametrize("seed", SEEDS)
def test_no_law_is_broken_on_the_day_of_a_seed(seed: int, place: Place, tmp_path: Path) -> None:
    result = play_seed(seed, place, tmp_path / "day")
    assert result.violations == []
    assert result.executions > 0


def test_the_plans_of_many_seeds_reach_every_kill_point() -> None:
    assert {kill.point for seed in range(200) for kill in draw(seed).kills} == set(POINTS)
    assert draw(7) == draw(7)
