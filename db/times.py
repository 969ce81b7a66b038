"""Epoch milliseconds, as the core counts, and the zoned timestamps of Postgres; exact both ways."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def from_ms(at_ms: int) -> datetime:
    """The moment `at_ms` milliseconds after the epoch, in UTC."""
    return _EPOCH + at_ms * _MILLISECOND


def to_ms(at: datetime) -> int:
    """Milliseconds from the epoch to `at`, rounded down."""
    return (at - _EPOCH) // _MILLISECOND
