"""One answer of the prediction API (SEMANTICS 2) to a core prediction, or to words that say why not."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

from core.market import Prediction, PredictionProblem

NUMBERS = (int, float)
"""The types of JSON's numbers; `true` is none, though Python's bool is an int."""

LATEST_MS = 2**63 - 1
"""What a moment may be: Python's integers have no end, the columns and sums that a moment goes into have."""

TEXT_MAX = 100
"""Signs of a ticker or a signal: they are remembered all day, and written into every row about the prediction."""
SAID_MAX = 500
"""Signs of what is said about an answer, which quotes it."""


def parse_answer(asked_ticker: str, body: str | bytes) -> Prediction | PredictionProblem:
    """Read a successful answer. Values are not judged: NaN, a wrong ticker or an old time are the core's to refuse."""
    try:
        return _prediction(asked_ticker, json.loads(body if isinstance(body, str) else body.decode()))
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        return PredictionProblem(asked_ticker, f"unreadable answer: {_words(error)}", answered=True)


def _prediction(asked_ticker: str, answer: Any) -> Prediction:
    data = _object(_object(answer, "answer")["data"], "data")
    said = _object(data["prediction"], "data.prediction")
    return Prediction(
        ticker=_text(said, "ticker"),
        signal=_text(said, "signal"),
        confidence=_number(said["confidence"], "confidence"),
        price=_number(said["stock_price"], "stock_price"),
        timestamp_ms=_whole(said["timestamp"], "timestamp"),
        asked_ticker=asked_ticker,
        probabilities=tuple([_number(value, "probabilities") for value in said.get("probabilities") or ()]),
        feature_values=_features(said.get("feature_values") or {}),
        model=str(_object(data.get("model_info") or {}, "model_info").get("model_path", ""))[:SAID_MAX],
    )


def _features(values: Any) -> tuple[tuple[str, float], ...]:
    """The features that are numbers; they inform people and decide nothing, so an absent one spoils no prediction."""
    named = _object(values, "feature_values").items()
    return tuple([(name, float(value)) for name, value in named if _is_number(value)])


def _is_number(value: Any) -> bool:
    """True for a float, and for an integer that a float can hold."""
    return type(value) is float or (type(value) is int and abs(value) <= sys.float_info.max)


def _object(value: Any, field: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise TypeError(f"{field} is {value!r}, a JSON object is expected")
    return value


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields[name]
    if not isinstance(value, str) or not 0 < len(value) <= TEXT_MAX:
        raise TypeError(f"{name} is {value!r}, a text of up to {TEXT_MAX} signs is expected")
    return value


def _number(value: Any, field: str) -> float:
    if type(value) not in NUMBERS:
        raise TypeError(f"{field} is {value!r}, a number is expected")
    return float(value)


def _whole(value: Any, field: str) -> int:
    if type(value) is not int or abs(value) > LATEST_MS:
        raise TypeError(f"{field} is {value!r}, epoch milliseconds are expected")
    return value


def _words(error: Exception) -> str:
    return f"{error.args[0]} is missing" if isinstance(error, KeyError) else str(error)[:SAID_MAX]
