"""The doctor: everything in place, and each thing missing, in words."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from config import Settings, load_settings
from runtime import doctor
from runtime.doctor import examine
from simulator.app import Gateway
from simulator.options import PREDICTIONS_KEY, Options

NO_ENV_FILE = Path("no .env in tests")


def settings_with(**values: object) -> Settings:
    return load_settings(values, environment={}, env_file=NO_ENV_FILE)


async def test_all_is_well_beside_a_gateway_and_its_predictions(postgres_url: str, tmp_path: Path) -> None:
    options = Options(port=0, predictions_port=0, deterministic=True, observers=frozenset({90, 91}), start="09:35")
    async with Gateway(options) as gateway:
        settings = settings_with(
            ib_port=gateway.port,
            clock="deterministic",
            database_url=postgres_url,
            state_folder=tmp_path,
            prediction_url=f"http://127.0.0.1:{gateway.predictions_port}",
            prediction_api_key=PREDICTIONS_KEY,
        )
        findings = await examine(settings)
    texts = {finding.check: finding.words for finding in findings}
    assert all(finding.is_ok for finding in findings), texts
    assert texts["market data"].startswith("quotes are live: CVNA, UVXY")
    assert texts["orders"] == "one CVNA would be taken as MKT DAY"
    assert "CVNA" in texts["predictions"]


async def test_what_is_missing_is_said_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "FREE_MIN_MB", shutil.disk_usage(tmp_path).total)
    settings = settings_with(
        ib_port=1,
        database_url="postgresql://nobody:nothing@127.0.0.1:1/none",
        state_folder=tmp_path,
        alert_urls="nonsense",
    )
    texts = {finding.check: finding.words for finding in await examine(settings) if not finding.is_ok}
    assert set(texts) == {"state folder", "database", "connection", "predictions", "alerts"}
    assert "MB free" in texts["state folder"]
    assert "127.0.0.1:1" in texts["connection"]
    assert "TRADER_PREDICTION_URL" in texts["predictions"]
    assert "nothing" not in texts["database"]
    assert "sqlalche.me" not in texts["database"]


async def test_real_money_without_a_probe_is_missing_something(tmp_path: Path) -> None:
    settings = settings_with(
        mode="live", live=True, account="U7654321", ib_port=1, database_url="postgresql://127.0.0.1:1/none",
        state_folder=tmp_path,
    )  # fmt: skip
    found = {finding.check: finding for finding in await examine(settings)}["probe"]
    assert not found.is_ok
    assert "trader probe-broker" in found.words
