"""What `trader start` says of the days to come."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from config import Settings, load_settings
from runtime.stack.outlook import lacks, next_day, outlook

COMPLETE = {"prediction_url": "http://127.0.0.1:1", "alert_urls": ["json://127.0.0.1"]}


def settings(folder: Path, **given: object) -> Settings:
    return load_settings({"state_folder": folder, **given}, environment={})


def at_ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def test_what_a_day_will_lack_is_said_when_one_still_looks(tmp_path: Path) -> None:
    lacking = lacks(settings(tmp_path, mode="live", live=True, account="U7654321"))
    assert [word for word in ("probe-broker", "PREDICTION_URL", "ALERT_URLS") if word in " ".join(lacking)] == [
        "probe-broker", "PREDICTION_URL", "ALERT_URLS",
    ]  # fmt: skip
    assert outlook(settings(tmp_path), at_ms("2026-11-28T12:00"))[0].startswith("MISSING: no predictions")


def test_nothing_is_lacking_of_what_is_set(tmp_path: Path) -> None:
    assert lacks(settings(tmp_path, **COMPLETE)) == []


@pytest.mark.parametrize(
    ("now", "said"),
    [
        ("2026-11-28T12:00", "trades next on 2026-11-30, from 09:30 to 16:00 in New York"),  # a Saturday
        ("2026-11-27T17:59", "trades next on 2026-11-27, from 09:30 to 13:00 in New York"),  # a half day, not yet over
        ("2026-11-27T18:00", "trades next on 2026-11-30, from 09:30 to 16:00 in New York"),
    ],
)
def test_the_next_trading_day_is_the_one_that_is_not_over(now: str, said: str) -> None:
    assert next_day(at_ms(now)) == said
