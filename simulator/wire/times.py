"""Moments as text: what clients may write, and what a server writes, which depends on the version."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from simulator.wire import versions

ZONE_NAME: Final = "US/Eastern"
ZONE: Final = ZoneInfo(ZONE_NAME)

_LOCAL = re.compile(r"(\d{8}) {1,2}(\d{1,2}:\d{2}:\d{2})(?: ([A-Za-z0-9_+\-/]{1,40}))?")
_UTC = re.compile(r"(\d{8})-(\d{2}:\d{2}:\d{2})")


class TimeTextError(ValueError):
    """A moment that no TWS would read."""


def parse_moment(text: str) -> int:
    """UTC milliseconds of `YYYYMMDD HH:MM:SS [zone]` (without one: Eastern) or `YYYYMMDD-HH:MM:SS` (UTC).

    Raises TimeTextError for anything else.
    """
    local = _LOCAL.fullmatch(text)
    utc = None if local else _UTC.fullmatch(text)
    found = local or utc
    if found is None:
        raise TimeTextError(f"time {text[:40]!r}: expected YYYYMMDD HH:MM:SS [zone] or YYYYMMDD-HH:MM:SS (UTC)")
    try:
        zone = UTC if utc else ZoneInfo(found[3]) if found[3] else ZONE
        moment = datetime.strptime(f"{found[1]} {found[2]}", "%Y%m%d %H:%M:%S").replace(tzinfo=zone)
    except (ValueError, ZoneInfoNotFoundError, OSError) as error:
        raise TimeTextError(f"time {text[:40]!r}: {error}") from error
    return int(moment.timestamp()) * 1000


def eastern(at_ms: int) -> datetime:
    """The moment on a clock in New York."""
    return datetime.fromtimestamp(at_ms / 1000, ZONE)


def moment_text(at_ms: int, version: int) -> str:
    """`20260402 09:30:00 US/Eastern`; before version 174 two blanks and no zone."""
    moment = eastern(at_ms)
    if version >= versions.TIMES_WITH_ZONE:
        return f"{moment:%Y%m%d %H:%M:%S} {ZONE_NAME}"
    return f"{moment:%Y%m%d  %H:%M:%S}"


def zoned_text(at_ms: int) -> str:
    """`20230306 12:28:30 US/Eastern`, the spelling of a completed order's time at every version."""
    return f"{eastern(at_ms):%Y%m%d %H:%M:%S} {ZONE_NAME}"


def utc_text(at_ms: int) -> str:
    """`19801212-14:30:00`, the spelling of head timestamps."""
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y%m%d-%H:%M:%S}"


def day_text(at_ms: int) -> str:
    """`20260402`: bars of a day and more, in both date formats."""
    return f"{eastern(at_ms):%Y%m%d}"


def connection_time(at_ms: int) -> str:
    """The handshake's second field: `20260402 13:30:00 Greenwich Mean Time`."""
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y%m%d %H:%M:%S} Greenwich Mean Time"
