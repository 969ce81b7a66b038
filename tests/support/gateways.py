"""Simulated gateways for tests that start many: the usual day is drawn once a process, each gateway has its own copy.

Drawing the day takes longer than most of those tests. A gateway of another day or seed draws it anew.
"""

from __future__ import annotations

from copy import deepcopy
from datetime import date
from functools import cache

from simulator.app import Gateway
from simulator.market.synthetic import SyntheticMarket
from simulator.market.tape import DayTape
from simulator.model import Instrument
from simulator.options import Options
from simulator.venue_setup import SYNTHETIC_DAY

USUAL = Options()


@cache
def _drawn() -> SyntheticMarket:
    return SyntheticMarket(SYNTHETIC_DAY, USUAL.seed)


class OwnTapes:
    """The usual synthetic market, with tapes that faults may write on without another gateway seeing it."""

    def __init__(self) -> None:
        self.instruments = _drawn().instruments
        self.days_before = _drawn().days_before
        self.first_day = _drawn().first_day
        self._copies: dict[tuple[Instrument, date], DayTape | None] = {}

    def tape(self, instrument: Instrument, day: date) -> DayTape | None:
        """A copy, the same one each time; of days that are over, which nobody writes on, the original."""
        if day < SYNTHETIC_DAY:
            return _drawn().tape(instrument, day)
        key = (instrument, day)
        if key not in self._copies:
            self._copies[key] = deepcopy(_drawn().tape(instrument, day))
        return self._copies[key]


def gateway_of(options: Options) -> Gateway:
    """The gateway that `options` describe, not yet started."""
    usual = (options.market, options.day, options.seed) == (USUAL.market, USUAL.day, USUAL.seed)
    return Gateway(options, OwnTapes() if usual else None)
