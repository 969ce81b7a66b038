"""Rule 2: is the prediction valid, fresh, new, and sure enough of a side?"""

from __future__ import annotations

import math

from core.desk import Desk
from core.market import Prediction
from core.rules.candidate import SIDES
from core.vocabulary import Refusal


def invalid(desk: Desk, prediction: Prediction) -> Refusal | None:
    """What is wrong with the prediction itself, its threshold aside."""
    if prediction.ticker not in desk.by_ticker:
        return Refusal.UNKNOWN_TICKER
    if prediction.ticker != prediction.asked_ticker:
        return Refusal.WRONG_TICKER
    if not (math.isfinite(prediction.confidence) and 0 <= prediction.confidence <= 1):
        return Refusal.CONFIDENCE_INVALID
    return outdated(desk, prediction) or repeated(desk, prediction)


def outdated(desk: Desk, prediction: Prediction) -> Refusal | None:
    """Older than 120 s, or more than 5 s in the future, by its own timestamp."""
    age_ms = desk.state.now_ms - prediction.timestamp_ms
    if age_ms > desk.params.prediction_max_age_seconds * 1000:
        return Refusal.STALE
    if -age_ms > desk.params.prediction_max_ahead_seconds * 1000:
        return Refusal.FROM_FUTURE
    return None


def repeated(desk: Desk, prediction: Prediction) -> Refusal | None:
    """A prediction is used once."""
    return Refusal.DUPLICATE if prediction.key in desk.state.used_predictions else None


def weak(desk: Desk, prediction: Prediction) -> Refusal | None:
    """It wants a side, with a confidence of at least the ticker's threshold."""
    if prediction.signal not in SIDES:
        return Refusal.NO_SIDE
    if prediction.confidence < desk.by_ticker[prediction.ticker].confidence_threshold:
        return Refusal.BELOW_THRESHOLD
    return None
