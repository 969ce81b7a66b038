"""The one simulated clock, and New York's wall time around it."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

EASTERN = ZoneInfo("America/New_York")
SECOND_MS = 1_000
DAY_MS = 86_400_000


class SimulatedClock:
    """The simulated moment, `now_ms` in UTC epoch ms. Only `Venue.advance` moves it, never backwards."""

    __slots__ = ("now_ms",)

    def __init__(self, start_ms: int) -> None:
        self.now_ms = start_ms

    def eastern(self) -> datetime:
        """The simulated moment as New York wall time."""
        return eastern(self.now_ms)

    @staticmethod
    def eastern_text(moment_ms: int) -> str:
        """`2024-11-29 09:30:00`, New York wall time."""
        return f"{eastern(moment_ms):%Y-%m-%d %H:%M:%S}"


def eastern(moment_ms: int) -> datetime:
    """New York wall time of an epoch moment (ms)."""
    return datetime.fromtimestamp(moment_ms / 1000, UTC).astimezone(EASTERN)


@lru_cache(maxsize=4096)
def eastern_ms(day: date, seconds: int = 0) -> int:
    """Epoch ms of a New York wall time, given as seconds after 00:00 by the wall clock (9:30 = 34,200)."""
    wall = datetime.combine(day, time(0)) + timedelta(seconds=seconds)
    return int(wall.replace(tzinfo=EASTERN).timestamp() * 1000)


def seconds_of_day(text: str) -> int:
    """`HH:MM` or `HH:MM:SS` as seconds after midnight. Raises ValueError for anything else."""
    parts = text.split(":")
    if len(parts) not in (2, 3) or not all(part.isdigit() and len(part) == 2 for part in parts):
        raise ValueError(f"time {text!r}: allowed is HH:MM or HH:MM:SS")
    hours, minutes, seconds = (int(part) for part in [*parts, "00"][:3])
    if hours > 23 or minutes > 59 or seconds > 59:
        raise ValueError(f"time {text!r}: allowed is 00:00:00 to 23:59:59")
    return hours * 3600 + minutes * 60 + seconds
