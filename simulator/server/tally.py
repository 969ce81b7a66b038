"""The day's running volume, high and low of instruments that somebody reads, without a look at the tape."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from simulator.clock import eastern, eastern_ms
from simulator.model import Instrument, Trade
from simulator.venue import Venue


@dataclass(slots=True)
class Running:
    """Figures of one instrument's day so far; `is_high` and `is_low` say whether the last trade made them."""

    con_id: int
    volume: int
    high: int
    low: int
    ends_ms: int
    is_high: bool = True
    is_low: bool = True


class DayTally:
    """Asks the venue once for each instrument and day, then adds trade by trade."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self._running: dict[int, Running] = {}

    def forget(self, instrument: Instrument) -> None:
        """Nobody reads this instrument now."""
        self._running.pop(instrument.con_id, None)

    def add(self, instrument: Instrument, trade: Trade) -> Running:
        """The figures with this trade in them."""
        running = self._running.get(instrument.con_id)
        if running is None or trade.time_ms >= running.ends_ms:
            return self._begin(instrument, trade)
        running.volume += trade.size
        running.is_high = trade.high > running.high
        if running.is_high:
            running.high = trade.high
        running.is_low = trade.low < running.low
        if running.is_low:
            running.low = trade.low
        return running

    def _begin(self, instrument: Instrument, trade: Trade) -> Running:
        figures = self._venue.day_figures(instrument)
        ends_ms = eastern_ms(eastern(trade.time_ms).date() + timedelta(days=1))
        running = Running(instrument.con_id, figures.volume, figures.high, figures.low, ends_ms)
        self._running[instrument.con_id] = running
        return running
