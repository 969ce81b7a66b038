"""From the options of a gateway to its venue: which market, which day, which moment."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Final

from simulator.clock import eastern_ms, seconds_of_day
from simulator.market.calendar import session
from simulator.market.source import MARKETS, Market, open_market
from simulator.options import Options
from simulator.venue import Venue, VenueOptions

SYNTHETIC_DAY: Final = date(2025, 3, 12)
"""An ordinary Wednesday: the default day of the synthetic market, the same one every time."""


def build_venue(options: Options, market: Market | None = None) -> Venue:
    """The venue, standing at the start moment; without a `market`, of the one that the options name.

    Raises ValueError naming what does not fit.
    """
    day = options.day or _default_day(options.market)
    if session(day) is None:
        raise ValueError(f"--date {day}: the exchange is closed on that day")
    if market is None:
        market = open_market(options.market, day, options.seed)
    venue_options = VenueOptions(
        start_ms=eastern_ms(day, seconds_of_day(options.start)),
        seed=options.seed,
        account=options.account,
        doubts=options.doubts,
        plan=options.commissions,
        cash_only=options.cash,
        base=options.base_currency,
    )
    return Venue(market, venue_options)


def _default_day(market: str) -> date:
    kind, _, place = market.partition(":")
    if kind == "synthetic":
        return SYNTHETIC_DAY
    if kind == "lean":
        names = [path.name for path in Path(place).rglob("*_trade.zip")]
        found = [name[:8] for name in names if re.match(r"\d{8}_", name)]
        if found:
            return date.fromisoformat(max(found))
        raise ValueError(f"--market {market}: no folder with recorded days (YYYYMMDD_..._trade.zip)")
    if kind in ("csv", "parquet"):
        raise ValueError(f"--market {market}: give the day to play with --date YYYY-MM-DD")
    raise ValueError(f"--market {market}: allowed are {MARKETS}")
