"""Whole trading days through the real command: stack, flows, ib_async over TCP, Postgres, reconciliation."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.day.demo_process import demo, interrupt_when, play, processes_that_name
from tests.support.postgres import make_reachable_folder

KEYS = [
    "session_date",
    "market",
    "tickers",
    "trades",
    "executions",
    "net_pnl",
    "gross_pnl",
    "commissions",
    "win_rate",
    "capital_efficiency_min",
    "flat",
    "working_orders_left",
    "unprotected_seconds_max",
    "breaks",
    "duration_seconds",
]


@pytest.fixture(scope="module")
def state() -> Iterator[Path]:
    """One state folder for all, as a person has one: in a new one Postgres and Prefect make their tables first."""
    folder = make_reachable_folder()
    yield folder
    shutil.rmtree(folder)


def assert_a_good_day(day: dict[str, Any]) -> None:
    assert list(day) == KEYS
    assert day["trades"] >= 20
    assert day["executions"] >= 2 * day["trades"]
    assert day["flat"] is True
    assert day["working_orders_left"] == 0
    assert day["breaks"] == 0
    assert day["unprotected_seconds_max"] <= 2
    assert day["net_pnl"] == pytest.approx(day["gross_pnl"] - day["commissions"], abs=0.005)
    assert 0.9 < day["capital_efficiency_min"] <= 1


def test_a_recorded_day_is_clean(state: Path, recorded_data: Path) -> None:
    day = play(state, "--market", f"lean:{recorded_data / 'lean'}", "--date", "2013-10-08")
    assert_a_good_day(day)
    assert day["session_date"] == "2013-10-08"
    assert day["tickers"] == ["AIG", "BAC", "IBM", "SPY"]
    assert processes_that_name(state) == []


def test_ctrl_c_flattens_and_leaves_nothing_behind(state: Path) -> None:
    with demo(state) as process:
        output = interrupt_when(process, "trading:")
    assert "flat, 0 orders working" in output
    assert "clean" in output
    assert processes_that_name(state) == []
