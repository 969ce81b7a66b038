"""Bar sizes and durations of history requests, as clients write them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_SECONDS: Final = {"sec": 1, "min": 60, "hour": 3_600, "day": 86_400, "week": 604_800, "month": 2_592_000}
_LEGAL: Final = {
    "sec": (1, 5, 10, 15, 30),
    "min": (1, 2, 3, 5, 10, 15, 20, 30),
    "hour": (1, 2, 3, 4, 8),
    "day": (1,),
    "week": (1,),
    "month": (1,),
}
LEGAL_SIZES: Final = ", ".join(
    f"{count} {unit}{'s' if count > 1 or unit == 'sec' else ''}" for unit, counts in _LEGAL.items() for count in counts
)
_SHORT_UNITS: Final = {"d": "day", "w": "week", "m": "month"}
_DAYS: Final = {"D": 1, "W": 5, "M": 21, "Y": 252}
"""Trading days in a unit of duration."""
DURATION_DAYS_MAX: Final = 252 * 10
DURATION_SECONDS_MAX: Final = 86_400 * 365


class SpanError(ValueError):
    """A bar size or duration that TWS would refuse."""


@dataclass(frozen=True, slots=True)
class Duration:
    """Either seconds or trading days; the other one is 0."""

    seconds: int
    days: int

    @property
    def calendar_seconds(self) -> int:
        """A generous length on the calendar: weekends make seven days of five."""
        return self.seconds + (self.days * 7 // 5 + (1 if self.days else 0)) * 86_400


def bar_seconds(text: str) -> int:
    """Seconds of `10 secs`, `1 min`, `1 hour`, `1 day`, `1W`... Raises SpanError naming the legal ones."""
    found = re.fullmatch(r"(\d{1,2}) ?([A-Za-z]+?)s?", text.strip())
    unit = found[2].lower() if found else ""
    unit = _SHORT_UNITS.get(unit, unit)
    if found is None or int(found[1]) not in _LEGAL.get(unit, ()):
        raise SpanError(f"Historical data bar size setting is invalid. Legal ones are: {LEGAL_SIZES}")
    return int(found[1]) * _SECONDS[unit]


def duration(text: str) -> Duration:
    """`1800 S`, `2 D`, `1 W`, `3 M`, `1 Y`; a bare number is seconds. Raises SpanError."""
    found = re.fullmatch(r"(\d{1,9})(?: ?([SDWMY]))?", text.strip())
    if found is None or int(found[1]) == 0:
        raise SpanError("Historical data query duration string parse error: expected <number> S, D, W, M or Y")
    count, unit = int(found[1]), found[2] or "S"
    length = Duration(count, 0) if unit == "S" else Duration(0, count * _DAYS[unit])
    if length.seconds > DURATION_SECONDS_MAX or length.days > DURATION_DAYS_MAX:
        raise SpanError("Time length exceed max.")
    return length
