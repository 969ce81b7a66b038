"""The default days give a plain session enough to do: brackets on the predictions, stop 6 and target 3 ATR away."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest

from simulator.clock import eastern_ms, seconds_of_day
from simulator.market.source import open_market
from simulator.model import Instrument
from simulator.predictions.service import PredictionService
from simulator.venue import Venue, VenueOptions
from tests.simulator.venue.stage import Stage

DOLLARS = 10_000 * 10_000
COOLDOWN_SECONDS = 180


@dataclass
class Session:
    """Enters on predictions of at least 0.5 when flat; the bracket ends each trade."""

    stage: Stage
    service: PredictionService
    round_trips: int = 0
    next_id: int = 1
    held: dict[str, int] = field(default_factory=dict)
    cool_until_ms: dict[tuple[str, str], int] = field(default_factory=dict)

    def poll(self) -> None:
        """One round of predictions."""
        working = {order.instrument for order in self.stage.venue.open_orders()}
        for instrument in self.stage.venue.instruments():
            quantity = self.stage.position(instrument.symbol)
            self.round_trips += bool(self.held.get(instrument.symbol)) and not quantity
            self.held[instrument.symbol] = quantity
            if not quantity and instrument not in working:
                self._enter(instrument)

    def _enter(self, instrument: Instrument) -> None:
        venue, now_ms = self.stage.venue, self.stage.venue.clock.now_ms
        prediction, atr = self.service.latest(instrument), _atr(venue, instrument)
        if prediction is None or atr is None or prediction.numeric == 0 or prediction.confidence < 0.5:
            return
        key = (instrument.symbol, prediction.signal)
        quote, side = venue.quote(instrument), prediction.numeric
        if now_ms < self.cool_until_ms.get(key, 0) or 3 * atr < quote.ask - quote.bid + 200:
            return
        self.cool_until_ms[key] = now_ms + 1000 * COOLDOWN_SECONDS
        price = quote.ask if side > 0 else quote.bid
        self.stage.bracket(
            self.next_id,
            prediction.signal,
            DOLLARS // price,
            stop=round((price - side * 6 * atr) / 10_000, 2),
            target=round((price + side * 3 * atr) / 10_000, 2),
            symbol=instrument.symbol,
        )
        self.next_id += 3


def _atr(venue: Venue, instrument: Instrument) -> float | None:
    bars = venue.history(instrument, venue.clock.now_ms, 150, 10, "TRADES", use_rth=True)
    ranges = [max(bar.high, before.close) - min(bar.low, before.close) for before, bar in pairwise(bars)]
    return sum(ranges) / len(ranges) if len(ranges) == 14 else None


def _round_trips(market: str, day: date, seed: int) -> int:
    venue = Venue(open_market(market, day, seed), VenueOptions(eastern_ms(day, seconds_of_day("09:29")), seed=seed))
    session = Session(Stage(venue), PredictionService(venue, api_key=None, seed=seed))
    for minute in range(34_260, 43_200, 60):
        venue.advance(eastern_ms(day, minute))
        session.poll()
    return session.round_trips


@pytest.mark.parametrize(
    ("day", "seed"), [pytest.param(date(2025, 3, 12), 1, marks=pytest.mark.long), (date(2024, 11, 29), 2)]
)
def test_synthetic_days(day: date, seed: int) -> None:
    assert _round_trips("synthetic", day, seed) > 40


@pytest.mark.parametrize("day", [date(2013, 10, 7), date(2013, 10, 8)])
def test_recorded_days(recorded_data: Path, day: date) -> None:
    assert _round_trips(f"lean:{recorded_data / 'lean'}", day, 1) > 25
