"""Correlation-adjusted sizing through the engine: what moves alike shares its dollars (SEMANTICS 4)."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from core import events as e
from core.commands import Commands, PlaceBracket
from core.engine import Engine
from core.market import Bar, Instrument, Prediction, Quote
from core.params import Params, RiskLimits, TickerParams
from core.session_plan import plan_session
from core.vocabulary import Link
from tests.support.bars import STEP_MS, random_bars
from tests.support.model_broker import Doubts, ModelBroker

OPEN_MS = 1381152600000  # 2013-10-07 9:30 Eastern
PLAN = plan_session("DU1", "2013-10-07", 7, OPEN_MS, OPEN_MS + 23_400_000)
PARAMS = Params(
    (TickerParams("SOXL"), TickerParams("GLD")), RiskLimits(max_spread_fraction=None, max_price_jump_fraction=None)
)
BARS = 61 * 6  # sixty returns of a minute


class Session:
    """Two tickers at $100, warmed up, with nothing held."""

    def __init__(self, *, correlation_sizing: bool, mirrored: bool = False, bars: int = BARS) -> None:
        self.engine = Engine(replace(PARAMS, correlation_sizing=correlation_sizing), PLAN)
        self.broker = ModelBroker(Doubts())
        self.take(e.LinkChanged(0, Link.CONNECTED, "up"))
        walk = random_bars(1, bars, start_ms=OPEN_MS - bars * STEP_MS)
        for ticker in ("SOXL", "GLD"):
            self.take(e.InstrumentRead(0, Instrument(ticker, 1)))
            flip = -1 if mirrored and ticker == "GLD" else 1
            history = tuple(_near_100(ticker, bar, flip) for bar in walk)
            self.take(e.HistoryLoaded(0, ticker, history))
            self.take(e.QuoteChanged(0, Quote(ticker, 100.0, 100.0, 100.0)))
            self.broker.prices[ticker] = Decimal(100)

    def take(self, event: e.Event) -> Commands:
        commands = self.engine.step(replace(event, at_ms=OPEN_MS))
        self.broker.take(commands)
        while self.broker.outbox:
            self.take(self.broker.outbox.popleft())
        return commands

    def enter(self, ticker: str, signal: str) -> int:
        """The shares of the bracket that a signal leads to."""
        commands = self.take(e.PredictionReceived(0, Prediction(ticker, signal, 0.9, 100.0, OPEN_MS, ticker)))
        (bracket,) = [command for command in commands if isinstance(command, PlaceBracket)]
        return bracket.entry.shares


def _near_100(ticker: str, bar: Bar, flip: int) -> Bar:
    """The walk around 100 instead of 75, upside down where asked."""
    opened, closed = (100 + flip * (price - 75) for price in (bar.open, bar.close))
    return Bar(ticker, bar.start_ms, opened, max(opened, closed) + 0.1, min(opened, closed) - 0.1, closed, 100)


@pytest.mark.parametrize(
    ("signals", "mirrored", "shares"),
    [
        (("BUY", "BUY"), False, 50),
        (("BUY", "SHORT"), False, 100),
        (("BUY", "BUY"), True, 100),
        (("SHORT", "BUY"), True, 50),
    ],
    ids=["same way, same side", "same way, opposite sides", "against each other, same side", "against, opposite"],
)
def test_the_second_bet_of_the_same_kind_is_halved(signals: tuple[str, str], mirrored: bool, shares: int) -> None:
    session = Session(correlation_sizing=True, mirrored=mirrored)
    assert session.enter("SOXL", signals[0]) == 100
    assert session.enter("GLD", signals[1]) == pytest.approx(shares, abs=1)


def test_a_correlation_that_is_not_known_counts_in_full() -> None:
    session = Session(correlation_sizing=True, bars=30)
    session.enter("SOXL", "BUY")
    assert session.enter("GLD", "SHORT") == 50


def test_it_is_off_by_default() -> None:
    assert not Params(tickers=()).correlation_sizing
    session = Session(correlation_sizing=False)
    assert [session.enter(ticker, "BUY") for ticker in ("SOXL", "GLD")] == [100, 100]
