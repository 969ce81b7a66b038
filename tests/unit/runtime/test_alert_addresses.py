"""Addresses that apprise does not know are named by their place: they may hold tokens."""

from __future__ import annotations

from pathlib import Path

import pytest

from config import load_settings
from runtime.alerts import Alerts
from runtime.doctor import Unfit, _alerts

ADDRESSES = ("json://127.0.0.1:9/", "slak://s3cret/B/C", "s3cret")


def test_an_unknown_address_is_told_without_its_words(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level("DEBUG")
    Alerts(ADDRESSES, "session").close()
    assert "address 2 of TRADER_ALERT_URLS is none that apprise knows" in caplog.text
    assert "address 3 of TRADER_ALERT_URLS" in caplog.text
    assert "address 1" not in caplog.text
    assert "s3cret" not in caplog.text + "".join(capfd.readouterr())


async def test_the_doctor_names_it_so_too(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    settings = load_settings({"alert_urls": ",".join(ADDRESSES)}, environment={}, env_file=tmp_path / "no.env")
    with pytest.raises(Unfit, match="address 2 of TRADER_ALERT_URLS"):
        await _alerts(settings)
    assert "s3cret" not in caplog.text + "".join(capfd.readouterr())
