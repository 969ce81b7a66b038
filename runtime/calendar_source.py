"""The calendar of the New York Stock Exchange (XNYS) as the package exchange_calendars knows it.

It takes a second and 60 MB to import, which every command and every restart of a session would pay for: what it knows
of the usual years is therefore written into a table, by `python -m runtime.calendar_source` after an upgrade of the
package, and a test holds the two to be equal. Days outside of the table are asked for here.
"""

from __future__ import annotations

import json
import warnings
from datetime import date, time, timedelta
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

EASTERN: Final = ZoneInfo("America/New_York")
TABLE: Final = Path(__file__).with_name("trading_days.json")
FIRST, LAST = date(2005, 1, 1), date(2035, 12, 31)
OPEN, CLOSE, EARLY_CLOSE = time(9, 30), time(16), time(13)

WINDOW_DAYS: Final = 7
"""Days read on each side of a single day: a whole calendar takes half a second to build, two weeks a tenth."""


def session_closes(day: date) -> dict[date, time]:
    """The trading days around `day` and their closes by the clock in New York."""
    window = timedelta(days=WINDOW_DAYS)
    return _closes(day - window, day + window)


def table() -> dict[str, Any]:
    """The weekdays on which the exchange is closed, and those on which it closes early."""
    closes = _closes(FIRST, LAST)
    days = (FIRST + timedelta(days=number) for number in range((LAST - FIRST).days + 1))
    return {
        "first": FIRST.isoformat(),
        "last": LAST.isoformat(),
        "closed": [day.isoformat() for day in days if day.weekday() < 5 and day not in closes],
        "early": [day.isoformat() for day, close in closes.items() if close == EARLY_CLOSE],
    }


def _closes(first: date, last: date) -> dict[date, time]:
    from exchange_calendars.exchange_calendar_xnys import XNYSExchangeCalendar

    with warnings.catch_warnings(category=DeprecationWarning):  # exchange_calendars 4.13 asks pandas in an old way
        warnings.simplefilter("ignore")
        schedule = XNYSExchangeCalendar(start=first.isoformat(), end=last.isoformat()).schedule
    found = {}
    for row in schedule.itertuples():
        opens, closes = (moment.to_pydatetime().astimezone(EASTERN).time() for moment in (row.open, row.close))
        if opens != OPEN or closes not in (CLOSE, EARLY_CLOSE):
            raise ValueError(f"{row.Index.date()} trades from {opens} to {closes}: such a day is not provided for")
        found[row.Index.date()] = closes
    return found


if __name__ == "__main__":
    TABLE.write_text(json.dumps(table(), indent=1) + "\n", encoding="utf-8")
