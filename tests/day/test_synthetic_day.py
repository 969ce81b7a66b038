"""A synthetic day through the real command, twice: stack, flows, ib_async over TCP, Postgres, reconciliation."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.day.demo_process import play, processes_that_name
from tests.day.test_whole_days import assert_a_good_day
from tests.support.postgres import reachable_folder

__all__ = ["reachable_folder"]

HALF_DAY = "2024-11-29"
"""The exchange closes at 13:00: a whole day, from the open to the reconciliation, in half of the time."""


@pytest.mark.long
def test_a_synthetic_day_is_clean_and_the_same_every_time(reachable_folder: Path) -> None:
    first, second = (play(reachable_folder, "--date", HALF_DAY, "--seed", "4242", "--deterministic") for _ in range(2))
    assert_a_good_day(first)
    assert first["session_date"] == HALF_DAY
    assert first | {"duration_seconds": 0} == second | {"duration_seconds": 0}
    assert processes_that_name(reachable_folder) == []
