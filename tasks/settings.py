"""The settings that a run uses: those that its starter passed down, else those of this machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from pydantic import SecretStr

from config import Settings, load_settings

_PASSED_DOWN: ContextVar[Settings | None] = ContextVar("settings", default=None)


def settings_of_run() -> Settings:
    """Settings for this run. Raises what `load_settings` raises when they are not allowed."""
    return _PASSED_DOWN.get() or at_current_port(load_settings())


def at_current_port(settings: Settings) -> Settings:
    """The embedded database's address of now: the worker lives on with the one that it was started with."""
    if settings.database_url is None:
        return settings
    from runtime.stack.postgres import address_now

    url = address_now(settings.state_folder / "postgres", settings.database_url.get_secret_value())
    return settings if url is None else settings.model_copy(update={"database_url": SecretStr(url)})


@contextmanager
def passed_down(settings: Settings) -> Iterator[None]:
    """Flows called inside use these settings: a demonstration's, whose ports exist only for its own length."""
    token = _PASSED_DOWN.set(settings)
    try:
        yield
    finally:
        _PASSED_DOWN.reset(token)
