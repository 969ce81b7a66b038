"""Backups of the embedded database: one file a trading day, the newest few kept, and the way back from one."""

from __future__ import annotations

import asyncio
import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from config import Settings
from db.engine import replace_database
from db.migrate import upgrade
from runtime.database import embedded_server, with_database
from runtime.reports import PhaseReport
from runtime.stack.postgres import DATABASE

OURS_NOT: Final = "the database is your own (TRADER_DATABASE_URL): its backups are in your hands"
SET_ASIDE: Final = f"{DATABASE}_before_restore"


class NoOwnBackup(RuntimeError):
    """What is asked for needs the embedded database, and the settings name another."""


@dataclass(frozen=True, slots=True)
class BackupReport(PhaseReport):
    """What was written, and how many files are kept. No file where the database is the user's own."""

    file: str
    megabytes: float
    kept: int


async def back_up(settings: Settings, date: str) -> BackupReport:
    """Write the backup of a day (YYYY-MM-DD) beside the earlier ones; the oldest beyond `backups_kept` go.

    Raises StackError with the reason when it cannot be written; the earlier ones are untouched then.
    """
    return await asyncio.to_thread(_back_up, settings, date)


def _back_up(settings: Settings, date: str) -> BackupReport:
    server = embedded_server(settings)
    if server is None:
        return BackupReport(True, OURS_NOT, "", 0.0, 0)
    folder = backup_folder(settings)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    file, draft = folder / f"{DATABASE}-{date}.dump", folder / "draft"
    with _alone(folder):
        with with_database(settings):
            server.dump(DATABASE, draft)
        draft.replace(file)
        files = sorted(folder.glob(f"{DATABASE}-*.dump"))
        for old in files[: -settings.backups_kept]:
            old.unlink()
    size, kept = file.stat().st_size / 1e6, min(len(files), settings.backups_kept)
    return BackupReport(True, f"{file}, {size:.1f} MB; {kept} kept", str(file), round(size, 1), kept)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One backup at a time: that of the schedule and that of a person would write one draft."""
    with (folder.parent / "backups.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def restore(settings: Settings, file: Path) -> str:
    """Put the backup in the place of the embedded database, which is set aside under another name; what was done.

    All or nothing. Raises NoOwnBackup, StackError for a file that is no backup, and DatabaseError while a session or a
    stack uses the database.
    """
    server = embedded_server(settings)
    if server is None:
        raise NoOwnBackup(OURS_NOT)
    with server.used() as server_url:
        server.ensure_database(DATABASE)
        fresh = server.restore(f"{DATABASE}_restored", file)
        upgrade(fresh)
        replace_database(server_url, DATABASE, by=f"{DATABASE}_restored", set_aside=SET_ASIDE)
    return f"{file} is the database now; the one before is kept as {SET_ASIDE}, until the next restore"


def backup_folder(settings: Settings) -> Path:
    """Where the backups lie."""
    return settings.state_folder / "backups"
