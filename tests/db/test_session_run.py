"""`trader session`: a day that the preflight forbids is not traded."""

from __future__ import annotations

from pathlib import Path

from config import load_settings
from runtime.session_run import run_session
from simulator.app import Gateway
from simulator.options import Options


async def test_a_read_only_gateway_forbids_the_day(postgres_url: str, tmp_path: Path) -> None:
    options = Options(port=0, deterministic=True, read_only=True, observers=frozenset({90, 91}), start="09:25")
    async with Gateway(options) as gateway:
        chosen = {
            "ib_port": gateway.port,
            "clock": "deterministic",
            "tickers": "GLD",
            "database_url": postgres_url,
            "state_folder": tmp_path,
            "prediction_file": tmp_path / "read only when trading begins",
        }
        settings = load_settings(chosen, environment={}, env_file=tmp_path / "none")
        report = await run_session(settings, "2025-03-12")
    assert not report.ok
    assert "read-only" in report.summary
