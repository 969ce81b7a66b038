"""What a person should know when `trader start` is up: what a trading day will lack, and when the next one is."""

from __future__ import annotations

from datetime import date, timedelta

from config import Settings
from runtime.calendar import eastern_clock, eastern_date, trading_day
from runtime.probe import NotProbed, must_be_probed
from runtime.sources import NoPredictionSource, must_have_a_source


def outlook(settings: Settings, now_ms: int) -> list[str]:
    """A sentence for each thing that is missing, then the next trading day."""
    return [f"MISSING: {lack}" for lack in lacks(settings)] + [next_day(now_ms)]


def lacks(settings: Settings) -> list[str]:
    """What the settings leave out. A trading day says it too, but in the morning, and perhaps to nobody."""
    found = []
    for check in (must_be_probed, must_have_a_source):
        try:
            check(settings)
        except (NotProbed, NoPredictionSource) as lack:
            found.append(str(lack))
    if not settings.alert_urls:
        found.append("nobody hears what goes wrong: set TRADER_ALERT_URLS")
    return found


def next_day(now_ms: int) -> str:
    """The trading day that is, or comes."""
    day = date.fromisoformat(eastern_date(now_ms))
    while (hours := trading_day(day.isoformat())) is None or hours.close_ms <= now_ms:
        day += timedelta(days=1)
    return f"trades next on {day}, from {eastern_clock(hours.open_ms)} to {eastern_clock(hours.close_ms)} in New York"
