"""Run by alembic: the steps go through the connection of db.migrate, or to `-x url=...` from the command line."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection

from db.engine import open_database
from db.models import Base


def run(connection: Connection) -> None:
    """Apply the steps asked for, in the transaction that the connection is in."""
    context.configure(connection=connection, target_metadata=Base.metadata)
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    with open_database(context.get_x_argument(as_dictionary=True)["url"]).begin() as opened:
        run(opened)
