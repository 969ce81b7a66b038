"""When IB resets its servers every night: a lost connection is no failure then (case 5)."""

from __future__ import annotations

from datetime import datetime, time
from typing import Final
from zoneinfo import ZoneInfo

_EASTERN: Final = ZoneInfo("America/New_York")
_FRIDAY, _SATURDAY = 4, 5
_NIGHTLY: Final = (time(23, 45), time(0, 45))
_WEEKEND: Final = (time(23, 0), time(3, 0))  # Friday night, North America, as IB publishes it


def is_reset_window(at_ms: int) -> bool:
    """Whether IB's North American servers may be resetting at this moment (UTC epoch ms)."""
    now = datetime.fromtimestamp(at_ms / 1000, _EASTERN)
    evening_from = _WEEKEND[0] if now.weekday() == _FRIDAY else _NIGHTLY[0]
    morning_until = _WEEKEND[1] if now.weekday() == _SATURDAY else _NIGHTLY[1]
    return now.time() >= evening_from or now.time() < morning_until


def with_window(reason: str, at_ms: int) -> str:
    """The reason of a lost link, with the remark that it was to be expected."""
    return f"{reason} (inside IB's nightly reset)" if is_reset_window(at_ms) else reason
