"""Backups: written for real, kept in number, and read back for real."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from config import Settings, load_settings
from db.engine import DatabaseError, open_database
from runtime.backup import SET_ASIDE, NoOwnBackup, back_up, restore
from runtime.database import with_database
from runtime.stack.postgres import DATABASE, EmbeddedPostgres
from runtime.stack.processes import StackError

WRITE = "INSERT INTO sessions (session, account, trade_date) VALUES ('DU1-{0}', 'DU1', '{0}')"


@pytest.fixture
def settings(reachable_folder: Path) -> Settings:
    chosen = {"state_folder": reachable_folder, "backups_kept": 2}
    return load_settings(chosen, environment={}, env_file=Path("no .env in tests"))


def tell(settings: Settings, statement: str) -> Any:
    """Run one statement on the project's database."""
    with with_database(settings) as running:
        assert running.database_url is not None
        with open_database(running.database_url.get_secret_value()).begin() as connection:
            result = connection.execute(text(statement))
            return result.scalar() if result.returns_rows else None


async def test_what_was_lost_comes_back_and_what_was_there_is_set_aside(settings: Settings) -> None:
    tell(settings, WRITE.format("2025-03-11"))
    report = await back_up(settings, "2025-03-11")
    assert report.summary.endswith("1 kept")
    tell(settings, "DELETE FROM sessions")
    tell(settings, WRITE.format("2025-03-12"))
    restore(settings, Path(report.file))
    assert tell(settings, "SELECT string_agg(session, ' ') FROM v_sessions") == "DU1-2025-03-11"
    with EmbeddedPostgres(settings.state_folder / "postgres").used() as url:
        aside = url.replace("/postgres", f"/{SET_ASIDE}")
        with open_database(aside).connect() as connection:
            assert connection.scalar(text("SELECT session FROM sessions")) == "DU1-2025-03-12"
    restore(settings, Path(report.file))  # the one set aside is dropped, not in the way


async def test_the_newest_are_kept_and_a_day_twice_is_one_file(settings: Settings) -> None:
    for date in ("2025-03-10", "2025-03-11", "2025-03-12", "2025-03-12"):
        report = await back_up(settings, date)
    assert report.kept == 2
    folder = settings.state_folder / "backups"
    assert sorted(file.name for file in folder.iterdir()) == ["trader-2025-03-11.dump", "trader-2025-03-12.dump"]
    assert {file.stat().st_mode & 0o777 for file in folder.iterdir()} == {0o600}


@pytest.mark.long
async def test_two_at_once_wait_for_each_other(settings: Settings) -> None:
    """That of the schedule and that of a person."""
    tell(settings, WRITE.format("2025-03-11"))
    reports = await asyncio.gather(*(back_up(settings, f"2025-03-{day}") for day in (11, 12)))
    for report in reports:
        restore(settings, Path(report.file))
        assert tell(settings, "SELECT session FROM sessions") == "DU1-2025-03-11"


async def test_a_stack_that_passes_its_own_address_down_is_backed_up(settings: Settings) -> None:
    with with_database(settings) as running:
        assert running.database_url is not None
        report = await back_up(running, "2025-03-12")
    assert Path(report.file).stat().st_size > 1_000


async def test_a_database_of_your_own_is_left_to_you(settings: Settings) -> None:
    own = settings.model_copy(update={"database_url": SecretStr("postgresql://me:secret@db.example.com/mine")})
    tell(settings, "SELECT 1")  # an embedded one lies about, too
    report = await back_up(own, "2025-03-12")
    assert report.ok
    assert "your own" in report.summary
    with pytest.raises(NoOwnBackup):
        restore(own, Path("any"))


async def test_a_backup_that_cannot_be_written_says_why_and_spares_the_others(settings: Settings) -> None:
    kept = Path((await back_up(settings, "2025-03-11")).file)
    (kept.parent / "draft").mkdir()
    with pytest.raises(StackError, match="pg_dump"):
        await back_up(settings, "2025-03-12")
    assert kept.exists()


@pytest.mark.long
async def test_a_file_that_is_no_backup_and_a_database_in_use_change_nothing(settings: Settings) -> None:
    tell(settings, WRITE.format("2025-03-11"))
    nonsense = settings.state_folder / "nonsense"
    nonsense.write_text("not a backup")
    with pytest.raises(StackError, match="pg_restore"):
        restore(settings, nonsense)
    good = Path((await back_up(settings, "2025-03-11")).file)
    with with_database(settings) as running:
        assert running.database_url is not None
        with open_database(running.database_url.get_secret_value()).connect() as user:
            user.execute(text("SELECT 1"))
            with pytest.raises(DatabaseError, match="accessed by other users"):
                restore(settings, good)
    assert tell(settings, "SELECT session FROM sessions") == "DU1-2025-03-11"


@pytest.mark.long
async def test_a_restore_that_is_refused_keeps_what_the_one_before_set_aside(settings: Settings) -> None:
    tell(settings, WRITE.format("2025-03-11"))
    good = Path((await back_up(settings, "2025-03-11")).file)
    tell(settings, WRITE.format("2025-03-12"))
    restore(settings, good)
    with with_database(settings) as running:
        assert running.database_url is not None
        url = running.database_url.get_secret_value()
        with open_database(url).connect() as user:
            user.execute(text("SELECT 1"))
            with pytest.raises(DatabaseError, match="accessed by other users"):
                restore(settings, good)
        with open_database(url.removesuffix(DATABASE) + SET_ASIDE).connect() as connection:
            assert connection.scalar(text("SELECT count(*) FROM sessions")) == 2
