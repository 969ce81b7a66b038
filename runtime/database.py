"""The database of a process that runs without the local stack: the user's own, or the embedded one for its length."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr

from config import Settings
from db.migrate import upgrade
from db.migrate import write_migration as write_step
from runtime.stack.postgres import DATABASE, EmbeddedPostgres
from runtime.stack.postgres_home import installed_program


@contextmanager
def with_database(settings: Settings) -> Iterator[Settings]:
    """Yield settings that name a database at the newest schema; an embedded server stops after its last user.

    Raises what the server raises when it cannot start: without a database nothing could be queried afterwards, and no
    position is open yet.
    """
    if settings.database_url is not None:
        upgrade(settings.database_url.get_secret_value())
        yield settings
        return
    server = EmbeddedPostgres(settings.state_folder / "postgres")
    with server.used():
        url = server.ensure_database(DATABASE)
        upgrade(url)
        yield settings.model_copy(update={"database_url": SecretStr(url)})


def embedded_server(settings: Settings) -> EmbeddedPostgres | None:
    """The embedded server, where that is what these settings use: by themselves, or told by the stack that runs it."""
    folder = settings.state_folder / "postgres"
    if settings.database_url is None:
        return EmbeddedPostgres(folder)
    if not folder.exists():
        return None
    server = EmbeddedPostgres(folder)
    return server if server.holds(_address(settings)) else None


def open_psql(settings: Settings, sql: str = "") -> int:
    """Run psql on the database, with its prompt or for one statement; its exit code."""
    with with_database(settings) as running:
        address = urlsplit(_address(running))
        where = f"postgresql://{address.username}@{address.netloc.rpartition('@')[2]}{address.path}"
        environment = os.environ | {"PGPASSWORD": unquote(address.password or "")}  # noqa: TID251  the person's terminal
        command = [str(installed_program("psql")), where, *(["-c", sql] if sql else [])]
        kept = signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is psql's, where it ends a query
        try:
            return subprocess.run(command, env=environment, check=False).returncode
        finally:
            signal.signal(signal.SIGINT, kept)


def write_migration(settings: Settings, message: str) -> Path:
    """Write the migration from the tables to the models; the file to look over."""
    with with_database(settings) as running:
        return write_step(_address(running), message)


def _address(running: Settings) -> str:
    assert running.database_url is not None  # with_database saw to it
    return running.database_url.get_secret_value()
