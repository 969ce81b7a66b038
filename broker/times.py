"""The session's clock as broker/ sees it, and IB's spellings of moments (WIRE 7)."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Protocol
from zoneinfo import ZoneInfo


class Clock(Protocol):
    """The session's time. In a simulation it is the broker's."""

    def now_ms(self) -> int:
        """UTC epoch ms; never goes backwards."""


@lru_cache(maxsize=64)  # every bracket of a day has the same timed exit
def ib_time(at_ms: int) -> str:
    """Spell a moment in UTC as IB takes it without a zone name: `YYYYMMDD-HH:MM:SS`."""
    return datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%Y%m%d-%H:%M:%S")


def with_zone(text: str, gateway_zone: str) -> str:
    """Give a moment its zone: with a dash it is UTC, with two blanks and no zone it is in the gateway's own."""
    day, dash, time = text[:8], text[8:9], text[9:]
    if dash == "-":  # there, and not in the name of a zone (GB-Eire)
        return f"{day} {time} UTC"
    words = text.split()
    return f"{words[0]} {words[1]} {gateway_zone}" if len(words) == 2 else text


def epoch_ms(text: str, gateway_zone: str) -> int:
    """Read a moment in any of IB's spellings, epoch seconds too. Raises ValueError for anything else."""
    if text.isdigit() and len(text) != 8:
        return int(text) * 1000
    return int(moment(text, gateway_zone).timestamp()) * 1000


def moment(text: str, gateway_zone: str) -> datetime:
    """Read a moment spelled as a day and a time, with or without a zone. Raises ValueError for anything else."""
    day, time, zone = with_zone(text, gateway_zone).split(" ", 2)
    hours, minutes, seconds = map(int, time.split(":"))
    return _midnight(day, zone).replace(hour=hours, minute=minutes, second=seconds)


@lru_cache(maxsize=64)  # the moments of a session are of one day, some of the history's of another
def _midnight(day: str, zone: str) -> datetime:
    return datetime.strptime(day, "%Y%m%d").replace(tzinfo=ZoneInfo(zone))
