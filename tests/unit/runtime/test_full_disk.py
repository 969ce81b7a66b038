"""A disk that fills up: entries stop while there is still room for what the exits have to say; one that fails."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from config import load_settings
from core.events import SuspendRequested, Woke
from runtime.bootstrap import open_session


async def test_entries_stop_with_the_first_row_that_takes_the_reserve(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = load_settings({"tickers": ("SOXL",), "state_folder": tmp_path}, environment={}, env_file=tmp_path / "no")
    async with open_session(settings, "2025-03-12") as host:
        host.take(Woke(0, "any"))
        assert not host.session.engine.state.suspended
        for reserve in tmp_path.rglob("*.reserve"):
            assert reserve.stat().st_size > 0
        host.session._journal._give_reserve_back()  # as an append does that finds no room
        host.take(Woke(0, "any"))
        host.session.pump()
        assert host.session.engine.state.suspended
        host.take(Woke(0, "any"))
    assert caplog.text.count("The disk is full") == 1


@pytest.mark.parametrize("commands", [True, False])
async def test_a_journal_that_cannot_be_written_for_another_reason_ends_no_session(
    commands: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """On a failing disk SQLite speaks of a malformed file, too; here another program has locked it."""
    settings = load_settings({"tickers": ("SOXL",), "state_folder": tmp_path}, environment={}, env_file=tmp_path / "no")
    async with open_session(settings, "2025-03-12") as host:
        host.session._journal._connection.execute("PRAGMA busy_timeout = 0")
        with closing(sqlite3.connect(host.session._journal.path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            host.take(SuspendRequested(0, "anna") if commands else Woke(0, "any"))
            host.session.pump()
        assert host.session.journal_full
        assert host.session.engine.state.suspended
    assert caplog.text.count("The local journal cannot be written") == 1
