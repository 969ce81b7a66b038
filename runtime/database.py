"""The database of a process that runs without the local stack: the user's own, or the embedded one for its length."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pydantic import SecretStr

from config import Settings
from db.migrate import upgrade
from runtime.stack.postgres import EmbeddedPostgres

DATABASE = "trader"


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
