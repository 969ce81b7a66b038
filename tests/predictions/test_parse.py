"""Answers of the prediction API, read or refused in words."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from core.market import Prediction, PredictionProblem
from predictions.parse import parse_answer


def answer(**changes: Any) -> dict[str, Any]:
    said = {
        "ticker": "CVNA",
        "signal": "BUY",
        "numeric": 1,
        "confidence": 0.61,
        "stock_price": 201.28,
        "probabilities": [0.1, 0.29, 0.61],
        "timestamp": 1_741_786_140_000,
        "datetime": "2025-03-12T13:29:00Z",
        "datetime_of_data": "2025-03-12T13:28:50Z",
        "feature_values": {"rsi": 61.5, "bars": 14, "sector": "retail", "gap": None},
        "prediction_time": "2025-03-12T13:29:01Z",
        **changes,
    }
    model = {"model_path": "models/cvna.pkl", "is_ticker_specific": True, "using_default_only": False}
    return {"status": "success", "data": {"ticker": "CVNA", "prediction": said, "model_info": model}}


def test_a_whole_answer() -> None:
    assert parse_answer("CVNA", json.dumps(answer())) == Prediction(
        ticker="CVNA",
        signal="BUY",
        confidence=0.61,
        price=201.28,
        timestamp_ms=1_741_786_140_000,
        asked_ticker="CVNA",
        probabilities=(0.1, 0.29, 0.61),
        feature_values=(("rsi", 61.5), ("bars", 14.0)),
        model="models/cvna.pkl",
    )


def test_values_are_not_judged_here() -> None:
    odd = parse_answer("SOXL", json.dumps(answer(confidence=math.nan, stock_price=-1, signal="DANCE")))
    assert isinstance(odd, Prediction)
    assert math.isnan(odd.confidence)
    assert (odd.ticker, odd.asked_ticker, odd.price, odd.signal) == ("CVNA", "SOXL", -1, "DANCE")


def test_what_informs_only_may_be_absent() -> None:
    whole = answer()
    for name in ("probabilities", "feature_values"):
        del whole["data"]["prediction"][name]
    del whole["data"]["model_info"]
    found = parse_answer("CVNA", json.dumps(whole))
    assert isinstance(found, Prediction)
    assert (found.probabilities, found.feature_values, found.model) == ((), (), "")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("ticker", ""),
        ("ticker", 7),
        ("signal", None),
        ("confidence", "0.6"),
        ("confidence", True),
        ("stock_price", None),
        ("timestamp", "2025-03-12"),
        ("timestamp", 1.5),
        ("timestamp", True),
        ("timestamp", 2**63),
        ("confidence", 10**309),
        ("stock_price", -(10**400)),
        ("probabilities", [10**309]),
        ("probabilities", ["a"]),
        ("probabilities", 3),
        ("feature_values", [1]),
        ("ticker", "x" * 101),
        ("signal", "x" * 900_000),
        ("confidence", "x" * 900_000),
    ],
)
def test_what_decides_must_be_there_and_of_its_kind(field: str, value: Any) -> None:
    found = parse_answer("CVNA", json.dumps(answer(**{field: value})))
    assert isinstance(found, PredictionProblem)
    assert found.answered
    assert found.ticker == "CVNA"
    assert found.problem.startswith("unreadable answer: ")
    assert len(found.problem) < 1_000


def test_a_feature_that_no_float_holds_is_left_out() -> None:
    found = parse_answer("CVNA", json.dumps(answer(feature_values={"volume": 10**309, "rsi": 61.5})))
    assert isinstance(found, Prediction)
    assert found.feature_values == (("rsi", 61.5),)


@pytest.mark.parametrize("field", ["ticker", "signal", "confidence", "stock_price", "timestamp"])
def test_a_missing_field_is_named(field: str) -> None:
    whole = answer()
    del whole["data"]["prediction"][field]
    found = parse_answer("CVNA", json.dumps(whole))
    assert found == PredictionProblem("CVNA", f"unreadable answer: {field} is missing", answered=True)


@pytest.mark.parametrize(
    "body", ["", "<html>", "[]", "null", "{}", '{"data": 3}', '{"data": {"prediction": []}}', "[" * 200_000]
)
def test_anything_else_is_unreadable(body: str) -> None:
    found = parse_answer("CVNA", body)
    assert isinstance(found, PredictionProblem)
    assert found.answered
