"""Our own Postgres: found again, started once, survives every kill, and says plainly why it does not start."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url, text

from db.engine import DatabaseError, data_directory, open_database
from runtime.stack import postgres_home
from runtime.stack.postgres import EmbeddedPostgres
from runtime.stack.processes import StackError
from tests.support.postgres import kill_server, make_reachable_folder


@pytest.fixture
def folder() -> Iterator[Path]:
    made = make_reachable_folder()
    yield made
    EmbeddedPostgres(made).remove()


def ask(url: str, statement: str) -> Any:
    with open_database(url).begin() as connection:
        return connection.scalar(text(statement))


def tell(url: str, statement: str) -> None:
    with open_database(url).begin() as connection:
        connection.execute(text(statement))


def started_at(url: str) -> Any:
    return ask(url, "SELECT pg_postmaster_start_time()")


def test_what_is_stored_is_there_after_a_stop_and_a_start(folder: Path) -> None:
    server = EmbeddedPostgres(folder)
    url = server.start()
    assert server.ensure_database("trader") == server.ensure_database("trader")
    tell(server.ensure_database("trader"), "CREATE TABLE kept AS SELECT 7 AS number")
    server.stop()
    server.stop()
    with pytest.raises(DatabaseError):
        data_directory(url)
    other = EmbeddedPostgres(folder)
    assert other.start() == url
    assert ask(other.ensure_database("trader"), "SELECT number FROM kept") == 7


def test_starters_at_once_give_one_server(folder: Path) -> None:
    program = f"""
from pathlib import Path
from runtime.stack.postgres import EmbeddedPostgres
print(EmbeddedPostgres(Path({str(folder)!r})).start())
"""
    starters = [subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) for _ in range(4)]
    urls = {starter.communicate()[0].strip() for starter in starters}
    assert [starter.returncode for starter in starters] == [0] * 4
    assert len(urls) == 1
    log = (folder / "postgres.log").read_text()
    assert log.count("database system is ready to accept connections") == 1


def test_the_server_outlives_its_killed_starter(folder: Path) -> None:
    program = f"""
import os, signal
from pathlib import Path
from runtime.stack.postgres import EmbeddedPostgres
print(EmbeddedPostgres(Path({str(folder)!r})).start(), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, check=False)
    assert done.returncode == -signal.SIGKILL
    url = done.stdout.strip()
    before = started_at(url)
    server = EmbeddedPostgres(folder)
    assert server.start() == url
    assert started_at(url) == before
    server.stop()
    with pytest.raises(DatabaseError):
        data_directory(url)


def test_a_killed_server_comes_back_with_every_row(folder: Path) -> None:
    """The one that was killed is a zombie of ours until it is waited for: its number must not be taken for its life."""
    server = EmbeddedPostgres(folder)
    url = server.start()
    tell(url, "CREATE TABLE kept AS SELECT generate_series(1, 100000) AS number")
    kill_server(url)
    assert EmbeddedPostgres(folder).start() == url
    assert ask(url, "SELECT count(*) FROM kept") == 100_000


def test_a_pid_file_with_a_strangers_number_is_no_obstacle(folder: Path) -> None:
    server = EmbeddedPostgres(folder)
    url = server.start()
    pid_file = Path(data_directory(url)) / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    owner = pid_file.stat()
    server.stop()
    with subprocess.Popen(["sleep", "1000"], user=owner.st_uid if os.geteuid() == 0 else None) as stranger:
        pid_file.write_text("\n".join([str(stranger.pid), *lines[1:]]))
        os.chown(pid_file, owner.st_uid, owner.st_gid)
        try:
            assert server.start() == url
        finally:
            stranger.kill()


@pytest.mark.long
def test_a_port_taken_meanwhile_is_given_up(folder: Path) -> None:
    server = EmbeddedPostgres(folder)
    old = make_url(server.start())
    server.stop()
    with socket.socket() as thief:
        thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        thief.bind(("127.0.0.1", old.port or 0))
        thief.listen()
        new = make_url(server.start())
    assert new.port != old.port
    assert new.password == old.password
    assert make_url(server.start()).port == new.port


def test_nobody_gets_in_without_the_password(folder: Path) -> None:
    url = make_url(EmbeddedPostgres(folder).start())
    for password in ("wrong", ""):
        with pytest.raises(DatabaseError, match=r"password"):
            data_directory(url.set(password=password).render_as_string(hide_password=False))
    access = folder / "access.json"
    assert stat.S_IMODE(access.stat().st_mode) == 0o600
    assert url.password in access.read_text()
    assert url.host == "127.0.0.1"


def test_prefect_finds_what_it_needs_and_backups_can_be_read(folder: Path, tmp_path: Path) -> None:
    server = EmbeddedPostgres(folder)
    server.start()
    url = server.ensure_database("prefect")
    tell(url, "CREATE EXTENSION pg_trgm")
    assert ask(url, "SELECT similarity('flow', 'flows')") > 0
    tell(url, "CREATE TABLE kept AS SELECT 1")
    server.dump("prefect", tmp_path / "backup")
    listed = subprocess.run(
        [server.program("pg_restore"), "--list", tmp_path / "backup"], capture_output=True, text=True, check=True
    )
    assert "TABLE public kept" in listed.stdout
    with pytest.raises(StackError, match='database "absent" does not exist'):
        server.dump("absent", tmp_path / "none")


def test_data_of_another_major_version_are_left_alone(folder: Path) -> None:
    server = EmbeddedPostgres(folder)
    version_file = Path(data_directory(server.start())) / "PG_VERSION"
    server.stop()
    version_file.write_text("12\n")
    with pytest.raises(StackError, match=r"made by Postgres 12, the installed binaries are .* `trader restore`"):
        server.start()


def test_a_server_that_cannot_start_says_why(folder: Path) -> None:
    server = EmbeddedPostgres(folder, {"shared_buffers": "nonsense"})
    with pytest.raises(StackError, match='invalid value for parameter "shared_buffers"'):
        server.start()


def test_a_start_killed_while_making_the_data_is_begun_anew(folder: Path) -> None:
    server = EmbeddedPostgres(folder)
    half_made = folder / "server" / "cluster.new"
    half_made.mkdir()
    (half_made / "PG_VERSION").write_text("18\n")
    server.start()
    assert not half_made.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs Postgres as another user")
def test_root_opens_no_folder_for_the_server(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the project's folder nor the installed binaries can be reached by the user that runs the server."""
    private = folder / "private"
    private.mkdir(mode=0o700)
    package = postgres_home._installed_binaries().parent
    for part in (package.name, package.name + ".libs"):
        if (package.parent / part).exists():
            shutil.copytree(package.parent / part, private / part, symlinks=True)
    monkeypatch.setattr(postgres_home, "_installed_binaries", lambda: private / package.name / "pginstall")
    monkeypatch.setattr(postgres_home, "ROOTS_HOME", folder / "of-root")
    server = EmbeddedPostgres(private / "postgres")
    home = Path(data_directory(server.start()))
    assert home.is_relative_to(folder / "of-root")
    assert home.owner() in postgres_home.UNPRIVILEGED_USERS
    assert stat.S_IMODE(private.stat().st_mode) == 0o700
    assert EmbeddedPostgres(private / "postgres").start() == server.start()
    server.stop()
    shutil.rmtree(private / "postgres")
    afresh = EmbeddedPostgres(private / "postgres")  # a folder that was deleted begins anew, not from old remains
    assert data_directory(afresh.start()) != str(home)
    afresh.remove()
    assert list((folder / "of-root").glob("*/cluster")) == [home]
