"""Bring a database to the tables and views of this program."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from db.engine import open_database
from db.views import create_views, drop_views, views_are_current

_FOLDER = Path(__file__).with_name("migrations")


class DatabaseTooNew(Exception):
    """A newer program has already changed this database; this one must not touch it."""


def upgrade(url: str) -> None:
    """Apply the steps that are missing and renew the views, all or nothing; safe with several at once.

    Raises DatabaseTooNew, and DatabaseError when the database is away.
    """
    with open_database(url).begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended('trader migrations', 0))"))
        present, newest = MigrationContext.configure(connection).get_current_revision(), _scripts().get_current_head()
        if present == newest and views_are_current(connection):
            return
        if present is not None and present not in {step.revision for step in _scripts().walk_revisions()}:
            raise DatabaseTooNew(f"the database is at step {present}, this program knows steps up to {newest}")
        drop_views(connection)
        command.upgrade(_config(connection), "head")
        create_views(connection)


def write_migration(url: str, message: str) -> Path:
    """Write the step from the tables in the (upgraded) database to those of the models; the file to look over."""
    with open_database(url).begin() as connection:
        number = len(list(_scripts().walk_revisions())) + 1
        script = command.revision(_config(connection), message, autogenerate=True, rev_id=f"{number:04}")
    if script is None or isinstance(script, list):
        raise RuntimeError(f"alembic wrote no single step: {script!r}")
    return Path(script.path)


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    config.attributes["connection"] = connection
    return config


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())
