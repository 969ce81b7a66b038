"""Some faulty short days, so that every change meets them; `make chaos` plays as many as one likes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from db.migrate import upgrade
from runtime.stack.postgres import EmbeddedPostgres
from tests.chaos.day import TEMPLATE, play_seed
from tests.chaos.kill_points import POINTS
from tests.chaos.nursery import running_nursery
from tests.chaos.plan import draw
from tests.support.postgres import make_reachable_folder

SEEDS = (3, 4, 6, 9, 10, 15, 16, 21)
"""Four of them have broken a law once."""


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedPostgres]:
    made = EmbeddedPostgres(make_reachable_folder(), {"fsync": "off"})
    made.start()
    upgrade(made.ensure_database(TEMPLATE))
    yield made
    made.remove()


@pytest.fixture(scope="module")
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_nursery(tmp_path_factory.mktemp("nursery")) as path:
        yield path


@pytest.mark.parametrize("seed", SEEDS)
def test_no_law_is_broken_on_the_day_of_a_seed(
    seed: int, server: EmbeddedPostgres, nursery: str, tmp_path: Path
) -> None:
    result = play_seed(seed, server, nursery, tmp_path / "day")
    assert result.violations == []
    assert result.executions > 0


def test_the_plans_of_many_seeds_reach_every_kill_point() -> None:
    assert {kill.point for seed in range(200) for kill in draw(seed).kills} == set(POINTS)
    assert draw(7) == draw(7)
