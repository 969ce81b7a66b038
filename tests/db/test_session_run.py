"""`trader session`: which days it does not trade, and that one which has begun needs no database."""

from __future__ import annotations

from pathlib import Path

import pytest

from config import load_settings
from db.engine import DatabaseError
from db.journal import Journal
from runtime.planning import MarketClosed, plan_for, session_folder
from runtime.reports import PhaseReport
from runtime.session_run import run_session
from simulator.app import Gateway
from simulator.options import Options

DATE = "2025-03-12"
AWAY = "postgresql://nobody@127.0.0.1:1/none"


async def run_read_only(database_url: str, folder: Path, *, begun: bool = False) -> PhaseReport:
    """The day with a gateway whose preflight forbids it."""
    options = Options(port=0, deterministic=True, read_only=True, observers=frozenset({90, 91}), start="09:25")
    async with Gateway(options) as gateway:
        chosen = {
            "ib_port": gateway.port,
            "clock": "deterministic",
            "tickers": "GLD",
            "database_url": database_url,
            "state_folder": folder,
            "prediction_file": folder / "read only when trading begins",
        }
        settings = load_settings(chosen, environment={}, env_file=folder / "none")
        if begun:
            plan = plan_for(settings, DATE)
            Journal.open(session_folder(settings, plan), plan.session).close()
        return await run_session(settings, DATE)


async def test_a_read_only_gateway_forbids_the_day(postgres_url: str, tmp_path: Path) -> None:
    report = await run_read_only(postgres_url, tmp_path)
    assert not report.ok
    assert "read-only" in report.summary


async def test_a_day_that_has_begun_goes_on_without_its_database(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError):
        await run_read_only(AWAY, tmp_path)
    assert "read-only" in (await run_read_only(AWAY, tmp_path, begun=True)).summary


@pytest.mark.parametrize(("date", "why"), [("2025-03-12", "has passed"), ("2034-03-14", "has not begun")])
async def test_another_day_than_today_is_not_traded_by_the_clock(tmp_path: Path, date: str, why: str) -> None:
    chosen = {"mode": "paper", "account": "DU7654321", "ib_port": 1, "state_folder": tmp_path, "database_url": AWAY}
    settings = load_settings(chosen, environment={}, env_file=tmp_path / "none")
    with pytest.raises(MarketClosed, match=why):
        await run_session(settings, date)
    assert not list(tmp_path.iterdir())
