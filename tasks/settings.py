"""The settings that a run uses: those that its starter passed down, else those of this machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from config import Settings, load_settings

_PASSED_DOWN: ContextVar[Settings | None] = ContextVar("settings", default=None)


def settings_of_run() -> Settings:
    """Settings for this run. Raises what `load_settings` raises when they are not allowed."""
    return _PASSED_DOWN.get() or load_settings()


@contextmanager
def passed_down(settings: Settings) -> Iterator[None]:
    """Flows called inside use these settings: a demonstration's, whose ports exist only for its own length."""
    token = _PASSED_DOWN.set(settings)
    try:
        yield
    finally:
        _PASSED_DOWN.reset(token)
