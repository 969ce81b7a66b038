"""One alert a check, with all that it found."""

from __future__ import annotations

from broker.preflight import Finding
from runtime.preflight import problems


def test_every_problem_of_a_check_is_told() -> None:
    found = (
        Finding("clock", True, "in time"),
        Finding("market data", True, "quotes are live: GLD"),
        Finding("market data", False, "SOXL: 354"),
        Finding("orders", False, "refused"),
        Finding("market data", False, "SLV: 10197"),
    )
    assert problems(found) == {"market data": "SOXL: 354; SLV: 10197", "orders": "refused"}
