"""Where tapes come from: one small protocol, and the words of `--market` that choose an implementation."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Protocol

from simulator.market.tape import DayTape
from simulator.model import Instrument


class Market(Protocol):
    """A set of instruments and a tape per instrument and day. Tapes depend on nothing but the market itself."""

    @property
    def instruments(self) -> tuple[Instrument, ...]:
        """In a fixed order."""

    def tape(self, instrument: Instrument, day: date) -> DayTape | None:
        """The tape of a day; None when there is none (closed, or not recorded)."""

    def days_before(self, day: date, count: int) -> list[date]:
        """Up to `count` days with tapes before a day, latest first."""

    def first_day(self) -> date:
        """The earliest day that has tapes."""


MARKETS = "synthetic, lean:DIR, csv:FILE, parquet:FILE"
"""What `--market` may say."""


def open_market(words: str, day: date, seed: int) -> Market:
    """`synthetic`, `lean:DIR`, `csv:FILE` or `parquet:FILE`. ValueError for other words or for a day without data."""
    kind, _, place = words.partition(":")
    if kind == "synthetic" and not place:
        from simulator.market.synthetic import SyntheticMarket

        return SyntheticMarket(day, seed)
    if kind == "lean" and place:
        from simulator.market.lean import LeanMarket

        return LeanMarket(Path(place), day)
    if kind in ("csv", "parquet") and place:
        from simulator.market.recorded import RecordedMarket

        return RecordedMarket(kind, Path(place), day)
    raise ValueError(f"market {words!r}: allowed are {MARKETS}")
