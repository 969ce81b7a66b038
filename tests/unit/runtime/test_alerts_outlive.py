"""What one process has told of, and another sees end, is told to be over."""

from __future__ import annotations

from pathlib import Path

import pytest

from config import Settings, load_settings
from core.events import PredictionSourceChanged
from core.records import Alert
from core.vocabulary import Severity
from db.journal import Journal
from runtime.alerts import Alerts, LastingAlerts
from runtime.bootstrap import open_session
from runtime.supervision import ALONE
from tests.support.playbook import PLAN

DATE = "2025-03-12"


def settings_in(folder: Path) -> Settings:
    return load_settings({"tickers": ("SOXL",), "state_folder": folder}, environment={}, env_file=folder / "no")


async def test_the_end_of_an_engines_alert_is_told_by_a_later_process(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    async with open_session(settings_in(tmp_path), DATE) as host:
        host.take(PredictionSourceChanged(0, False, "3 polls failed"))
    assert caplog.text.count("No predictions") == 1
    async with open_session(settings_in(tmp_path), DATE) as host:
        host.take(PredictionSourceChanged(0, False, "4 polls failed"))
        assert "over: predictions" not in caplog.text
        host.take(PredictionSourceChanged(0, True, ""))
    assert caplog.text.count("over: predictions") == 1
    assert caplog.text.count("No predictions") == 1


async def test_a_session_that_was_alone_is_watched_again_with_its_next_process(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    async with open_session(settings_in(tmp_path), DATE) as host:
        assert "over" not in caplog.text
        folder, session = host.session._journal.path.parent, host.plan.session
    with Journal.open(folder, session) as journal:
        journal.keep_standing_alerts([ALONE])
    async with open_session(settings_in(tmp_path), DATE):
        assert caplog.text.count(f"over: {ALONE}") == 1
    async with open_session(settings_in(tmp_path), DATE):
        pass
    assert caplog.text.count(f"over: {ALONE}") == 1


def test_what_the_shell_told_is_told_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    for _ in range(2):
        with Journal.open(tmp_path, PLAN.session) as journal:
            alerts = LastingAlerts(Alerts((), PLAN.session), journal)
            alerts.send(Alert(0, Severity.WARNING, "database", "Postgres does not take rows", "away"))
    with Journal.open(tmp_path, PLAN.session) as journal:
        LastingAlerts(Alerts((), PLAN.session), journal).clear(0, "database", "It takes rows again.")
    assert caplog.text.count("does not take rows") == 1
    assert caplog.text.count("over: database") == 1
