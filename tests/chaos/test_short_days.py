"""Some faulty short days, so that every change meets them; `make chaos` plays as many as one likes."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from pathlib import Path

import pytest

from simulator.faults import feeds
from simulator.faults.script import parse
from tests.chaos.day import Place, place_for_days, play_seed
from tests.chaos.kill_points import POINTS
from tests.chaos.plan import SESSION_CLIENT_ID, draw

SEEDS = (3, 10, *(pytest.param(seed, marks=pytest.mark.long) for seed in (4, 6, 9, 15, 16, 21)))
"""Some of them have broken a law once."""


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    with place_for_days() as made:
        yield made


@pytest.mark.parametrize("seed", SEEDS)
def test_no_law_is_broken_on_the_day_of_a_seed(seed: int, place: Place, tmp_path: Path) -> None:
    result = play_seed(seed, place, tmp_path / "day")
    assert result.violations == []
    assert result.executions > 0


def test_faults_of_single_messages_strike_the_session_and_not_who_looks_on() -> None:
    actions = [fault.action for seed in range(200) for fault in parse(draw(seed).faults, datetime.date(2025, 3, 12), 0)]
    struck = {action.clients for action in actions if isinstance(action, feeds.MessageFault)}
    assert struck == {(SESSION_CLIENT_ID,)}


def test_the_plans_of_many_seeds_reach_every_kill_point() -> None:
    assert {kill.point for seed in range(200) for kill in draw(seed).kills} == set(POINTS)
    assert draw(7) == draw(7)
