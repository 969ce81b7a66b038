"""A real Postgres for the tests: one server for the test session, a fresh database at the newest schema per test."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import text

from db.engine import ensure_database, open_database
from db.migrate import upgrade
from runtime.stack.postgres import EmbeddedPostgres

TEMPLATE = "trader_template"
PREFIX = "trader-postgres-"
ROOM_BYTES = 4 * 1024**3
_numbers = count(1)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a running server, the same for the whole test session."""
    server = EmbeddedPostgres(make_reachable_folder(), {"fsync": "off"})  # nobody keeps what it holds
    try:
        server.start()
        upgrade(server.ensure_database(TEMPLATE))
        yield server.ensure_database("postgres")
    finally:
        server.remove()


@pytest.fixture
def postgres_url(postgres_server: str) -> str:
    """The URL of a database with our tables and nothing in them, for this test alone."""
    return ensure_database(postgres_server, f"test_{next(_numbers)}", template=TEMPLATE)


@pytest.fixture
def own_server() -> Iterator[EmbeddedPostgres]:
    """A server for one test to stop and kill; not yet started."""
    server = EmbeddedPostgres(make_reachable_folder())
    yield server
    server.remove()


def kill_server(url: str) -> None:
    """Kill the server behind `url` as a crash would: with SIGKILL."""
    with open_database(url).connect() as connection:
        pid = connection.scalar(text("SELECT split_part(pg_read_file('postmaster.pid'), chr(10), 1)::integer"))
    assert isinstance(pid, int)
    os.kill(pid, signal.SIGKILL)


@pytest.fixture
def reachable_folder() -> Iterator[Path]:
    """A state folder for one test; what root's Postgres stores for it lies inside, and goes with it."""
    folder = make_reachable_folder()
    yield folder
    shutil.rmtree(folder)


def make_reachable_folder() -> Path:
    """A temporary folder, in memory where there is room, that the user whom root runs Postgres as can reach too."""
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and shutil.disk_usage(memory).free > ROOM_BYTES
    room = memory if roomy else Path(tempfile.gettempdir())
    remove_leftovers(room)
    folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=room))
    folder.chmod(0o711)
    return folder


def remove_leftovers(room: Path) -> None:
    """Stop and remove what test processes that were killed have left."""
    for folder in room.glob(f"{PREFIX}*-*"):
        try:
            os.kill(int(folder.name.removeprefix(PREFIX).partition("-")[0]), 0)
        except ProcessLookupError:
            for access in (*folder.glob("access.json"), *folder.glob("*/access.json"), *folder.glob("*/*/access.json")):
                EmbeddedPostgres(access.parent).stop()
            shutil.rmtree(folder, ignore_errors=True)  # another process may be at it, too
