"""Bring a database to the tables and views of this program. Alembic is imported only where there is a step to apply."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, text

from db.engine import open_database
from db.views import create_views, drop_views, views_are_current

if TYPE_CHECKING:
    from alembic.config import Config

_FOLDER = Path(__file__).with_name("migrations")


class DatabaseTooNew(Exception):
    """A newer program has already changed this database; this one must not touch it."""


def upgrade(url: str) -> None:
    """Apply the steps that are missing and renew the views, all or nothing; safe with several at once.

    Raises DatabaseTooNew, and DatabaseError when the database is away.
    """
    with open_database(url).begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended('trader migrations', 0))"))
        present, known = _present(connection), known_steps()
        if present == known[-1] and views_are_current(connection):
            return
        if present is not None and present not in known:
            raise DatabaseTooNew(f"the database is at step {present}, this program knows steps up to {known[-1]}")
        from alembic import command

        drop_views(connection)
        command.upgrade(_config(connection), "head")
        create_views(connection)


def write_migration(url: str, message: str) -> Path:
    """Write the step from the tables in the (upgraded) database to those of the models; the file to look over."""
    from alembic import command

    with open_database(url).begin() as connection:
        number = f"{len(known_steps()) + 1:04}"
        script = command.revision(_config(connection), message, autogenerate=True, rev_id=number)
    if script is None or isinstance(script, list):
        raise RuntimeError(f"alembic wrote no single step: {script!r}")
    return Path(script.path)


def known_steps() -> list[str]:
    """The steps of this program, oldest first: the numbers that their files' names begin with."""
    return sorted(file.name.partition("_")[0] for file in (_FOLDER / "versions").glob("[0-9]*.py"))


def _present(connection: Connection) -> str | None:
    if connection.scalar(text("SELECT to_regclass('alembic_version')")) is None:
        return None
    step: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return step


def _config(connection: Connection) -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    config.attributes["connection"] = connection
    return config
