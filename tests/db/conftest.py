"""The database tests run against a real Postgres."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from db.engine import ensure_database
from db.journal import Journal
from tests.support.journals import SESSION
from tests.support.postgres import TEMPLATE, own_server, postgres_server, postgres_url, reachable_folder
from tests.support.shipping import DAY, Tables, ship_all, tables

__all__ = ["own_server", "postgres_server", "postgres_url", "reachable_folder"]


@pytest.fixture(scope="session")
def whole_day(postgres_server: str, tmp_path_factory: pytest.TempPathFactory) -> Tables:
    """What the tables hold when the made-up day is shipped in one go."""
    url = ensure_database(postgres_server, "whole_day", template=TEMPLATE)
    with Journal.open(tmp_path_factory.mktemp("journal"), SESSION) as journal:
        journal.append(DAY)
        ship_all(journal, url, batch_rows=100_000)
    return tables(url)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 1 MB, which only root can make."""
    made = os.geteuid() == 0 and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "none", tmp_path], check=False
    )
    if not made or made.returncode != 0:
        pytest.skip("a disk of its own cannot be mounted here")
    yield tmp_path
    subprocess.run(["umount", "--lazy", tmp_path], check=True)
