"""How Postgres is reached: one kind of engine for everybody, and the few things asked of a server as a whole."""

from __future__ import annotations

from sqlalchemy import Engine, NullPool, create_engine, make_url, text
from sqlalchemy.exc import OperationalError, SQLAlchemyError

Database = Engine
"""An opened database, to be passed to the functions of db/; above db/ nobody looks inside."""

DatabaseError = SQLAlchemyError
"""What any function of db/ raises when the database is away or refuses."""

CONNECT_TIMEOUT_SECONDS = 3
STATEMENT_TIMEOUT_SECONDS = 60
DatabaseAway = OperationalError
"""The one of them that time may heal: no connection, a server that stops, starts, or has no room."""

PEER_LOST_SECONDS = 20
"""After which either side notices that the other has vanished without a word."""

_SERVER_OPTIONS = {
    "timezone": "UTC",
    "statement_timeout": f"{STATEMENT_TIMEOUT_SECONDS}s",
    "idle_in_transaction_session_timeout": f"{STATEMENT_TIMEOUT_SECONDS}s",  # that of a stopped process, with its locks
    # else the server would keep the lock of a machine that lost its power for two hours, and nobody could take over
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "2",
}
_CONNECT_ARGUMENTS = {
    "connect_timeout": CONNECT_TIMEOUT_SECONDS,
    "application_name": "trader",
    "options": " ".join(f"-c {name}={value}" for name, value in _SERVER_OPTIONS.items()),
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 2,
    "tcp_user_timeout": PEER_LOST_SECONDS * 1000,
}


def open_database(url: str) -> Database:
    """Prepare to use the database at `url` (postgresql://...); connects at its first use, anew for each transaction."""
    address = make_url(url).set(drivername="postgresql+psycopg")
    return create_engine(address, poolclass=NullPool, connect_args=_CONNECT_ARGUMENTS)


def data_directory(url: str) -> str:
    """The folder of the server behind `url`, by its own word. Raises DatabaseError when it does not answer."""
    with open_database(url).connect() as connection:
        return str(connection.scalar(text("SHOW data_directory")))


def ensure_database(server_url: str, name: str, *, template: str = "template1") -> str:
    """The URL of the database `name` on this server, created when it is not there. Safe with several at once."""
    url = make_url(server_url).set(drivername="postgresql+psycopg", database=name)
    with open_database(server_url).connect() as connection, connection.begin():
        # one maker at a time; CREATE DATABASE itself cannot run inside a transaction and has no IF NOT EXISTS
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": f"create {name}"})
        if not connection.scalar(text("SELECT 1 FROM pg_database WHERE datname = :name"), {"name": name}):
            quote = connection.dialect.identifier_preparer.quote_identifier
            with open_database(server_url).execution_options(isolation_level="AUTOCOMMIT").connect() as creator:
                creator.execute(text(f"CREATE DATABASE {quote(name)} TEMPLATE {quote(template)}"))
    return url.render_as_string(hide_password=False)


def drop_database(server_url: str, name: str) -> None:
    """Remove the database `name`, cutting off whoever uses it; nothing happens when it is not there."""
    with open_database(server_url).execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        quote = connection.dialect.identifier_preparer.quote_identifier
        connection.execute(text(f"DROP DATABASE IF EXISTS {quote(name)} WITH (FORCE)"))


def replace_database(server_url: str, name: str, *, by: str, set_aside: str) -> None:
    """Give the database `by` the name `name`, and the one that bore it the name `set_aside`.

    The one set aside before is removed at the very end. Raises DatabaseError, with nothing renamed and nothing removed,
    while somebody uses one of them.
    """
    outdated = f"{set_aside}_outdated"
    drop_database(server_url, outdated)
    with open_database(server_url).begin() as connection:
        quote = connection.dialect.identifier_preparer.quote_identifier
        there = set(connection.scalars(text("SELECT datname FROM pg_database")))
        for old, new in ((set_aside, outdated), (name, set_aside), (by, name)):
            if old != set_aside or set_aside in there:
                connection.execute(text(f"ALTER DATABASE {quote(old)} RENAME TO {quote(new)}"))
    drop_database(server_url, outdated)
