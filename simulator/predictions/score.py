"""The model behind the default predictions: a pull back to the ten-minute mean and against the last minute, and noise.

It reads only bars that are complete at the moment it is asked about, so it can't look ahead.  The synthetic market
(and the recorded days, a little) gives back part of its moves, so it is right slightly more often than not; it is
there to exercise a trading system with a steady flow of both sides at every confidence, not to earn.

    z      = (close - mean of the last 60 closes) / their standard deviation          (10-second bars, 10 minutes)
    push   = (close - close a minute ago) / (standard deviation of a bar's change x sqrt 6)
    both cut off at -4 and 4
    score  = -0.4 z - 0.3 push + 0.25 noise                      (noise: standard normal, seeded by ticker and minute)
    probabilities of sell, neutral, buy = softmax(-0.45 score, 0, 0.45 score)
    signal = the likeliest class, confidence = its probability
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from random import Random

CLOSES_NEEDED = 60
STEP_MS = 60_000
"""A new prediction every simulated minute."""

_PULL, _PUSH, _NOISE, _SHARPNESS = -0.4, -0.3, 0.25, 0.45
_LIMIT = 4.0
_SIGNALS = ("SELL", "NEUTRAL", "BUY")


@dataclass(frozen=True, slots=True)
class Prediction:
    """`numeric` is -1, 0 or 1; `probabilities` are of sell, neutral, buy; `price` in dollars; moments in epoch ms."""

    signal: str
    numeric: int
    confidence: float
    probabilities: tuple[float, float, float]
    price: float
    moment_ms: int
    data_ms: int
    features: dict[str, float]


def predict(symbol: str, closes: Sequence[float], moment_ms: int, data_ms: int, seed: int) -> Prediction:
    """Predict from the last closes in dollars (at least CLOSES_NEEDED). Deterministic in its arguments."""
    window = list(closes[-CLOSES_NEEDED:])
    changes = [after - before for before, after in pairwise(window)]
    level_spread, change_spread = statistics.pstdev(window), statistics.pstdev(changes)
    z = _ratio(window[-1] - statistics.fmean(window), level_spread)
    push = _ratio(window[-1] - window[-7], change_spread * math.sqrt(6))
    noise = Random(f"{seed}/{symbol}/{moment_ms}").gauss(0.0, 1.0)
    score = _PULL * z + _PUSH * push + _NOISE * noise
    weights = [math.exp(_SHARPNESS * side * score) for side in (-1, 0, 1)]
    shares = [weight / sum(weights) for weight in weights]
    best = max(range(3), key=shares.__getitem__)
    return Prediction(
        signal=_SIGNALS[best],
        numeric=best - 1,
        confidence=round(shares[best], 6),
        probabilities=(round(shares[0], 6), round(shares[1], 6), round(shares[2], 6)),
        price=window[-1],
        moment_ms=moment_ms,
        data_ms=data_ms,
        features={
            "z_10min": round(z, 6),
            "push_1min": round(push, 6),
            "noise": round(noise, 6),
            "score": round(score, 6),
        },
    )


def _ratio(distance: float, spread: float) -> float:
    """In spreads, cut off at the limits; 0 when nothing moved."""
    return max(-_LIMIT, min(_LIMIT, distance / spread)) if spread > 0 else 0.0
