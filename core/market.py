"""What the market and the prediction source say: bars, quotes, predictions, instruments. Floats, as received."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from core.fast_init import fast_init


@fast_init
@dataclass(frozen=True, slots=True)
class Bar:
    """One closed bar of trades, named by its start (UTC epoch ms); prices in dollars, volume in shares."""

    ticker: str
    start_ms: int
    open: float
    high: float
    low: float
    close: float
    volume: int
    seconds: int = 10
    flat: bool = False  # no trade in the interval: prices repeat the last close
    complete: bool = True  # False: a part of the interval was never received

    @property
    def end_ms(self) -> int:
        """The first millisecond after the bar."""
        return self.start_ms + self.seconds * 1000


@fast_init
@dataclass(frozen=True, slots=True)
class Quote:
    """The best bid and ask and the last trade in dollars; None where the broker has not said."""

    ticker: str
    bid: float | None
    ask: float | None
    last: float | None


@fast_init
@dataclass(frozen=True, slots=True)
class Prediction:
    """One answer of the prediction source, parsed but not yet judged (SEMANTICS 2)."""

    ticker: str
    signal: str
    confidence: float
    price: float
    timestamp_ms: int  # the prediction's own time, UTC epoch ms
    asked_ticker: str
    probabilities: tuple[float, ...] = ()
    feature_values: tuple[tuple[str, float], ...] = ()
    model: str = ""

    @property
    def key(self) -> str:
        """What makes a prediction usable once: ticker, timestamp and signal."""
        return f"{self.ticker}|{self.timestamp_ms}|{self.signal}"


@dataclass(frozen=True, slots=True)
class PredictionProblem:
    """An answer of the prediction source that gave no prediction."""

    ticker: str
    problem: str  # in words, with the HTTP status where there is one
    answered: bool  # True: the source answered something unreadable; False: no usable answer came at all


@dataclass(frozen=True, slots=True)
class Instrument:
    """What the broker says of a ticker. `increments` is its market rule: (from this price up, tick) in rising order."""

    ticker: str
    con_id: int
    increments: tuple[tuple[Decimal, Decimal], ...] = field(default=((Decimal(0), Decimal("0.01")),))
    shortable: bool | None = None  # None: the broker has not said
    stock_type: str = ""
