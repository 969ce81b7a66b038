"""Which of the account's executions a reconciliation compares, and what the account has besides the session's."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from config import Settings, load_settings
from core.events import BrokerRead
from core.orders import Execution, PositionRow
from core.params import SessionPlan
from core.vocabulary import Action
from runtime.planning import plan_for
from runtime.reconcile import compared_executions, positions_of_others

DATE = "2024-06-05"
OPEN_MS = 1_717_594_200_000
DAY_MS = 86_400_000


@pytest.fixture
def settings() -> Settings:
    """Two tickers."""
    return load_settings({"account": "DU1234567", "tickers": ("SOXL", "GLD")})


@pytest.fixture
def plan(settings: Settings) -> SessionPlan:
    """A Wednesday."""
    return plan_for(settings, DATE)


def fill(exec_id: str, ticker: str, action: Action, shares: int, ref: str = "", time_ms: int = OPEN_MS) -> Execution:
    """Without a reference: by hand."""
    return Execution(exec_id, ref, 0, 0, 0, ticker, action, shares, Decimal(20), time_ms)


def test_what_is_compared_is_the_session_s_and_what_others_did_in_its_tickers_that_day(
    settings: Settings, plan: SessionPlan
) -> None:
    counts = compared_executions(settings, plan)
    assert counts(fill("a.01", "CVNA", Action.BUY, 1, f"{plan.session}/CVNA/1/entry"))
    assert counts(fill("a.01", "SOXL", Action.BUY, 1))
    assert counts(fill("a.01", "SOXL", Action.BUY, 1, "another program"))
    assert not counts(fill("a.01", "AAPL", Action.BUY, 1))
    assert not counts(fill("a.01", "SOXL", Action.BUY, 1, time_ms=OPEN_MS - DAY_MS))


def test_the_owner_s_affairs_in_other_tickers_are_explained_by_their_executions(
    settings: Settings, plan: SessionPlan
) -> None:
    """Held before, sold a part before the session began and a part after it; bought anew; yesterday's do not count."""
    early = fill("a.01", "AAPL", Action.SELL, 20)
    late = fill("b.01", "AAPL", Action.SELL, 30, f"{plan.session}+account/AAPL/1/exit")
    new = fill("c.01", "MSFT", Action.BUY, 5, "another program")
    corrected = replace(new, exec_id="c.02", shares=4)
    ours = fill("d.01", "SOXL", Action.BUY, 100, f"{plan.session}/SOXL/1/entry")
    old = fill("e.01", "AAPL", Action.BUY, 50, time_ms=OPEN_MS - DAY_MS)
    first = BrokerRead(
        0, (), (early, ours, old), (PositionRow("AAPL", 50, Decimal(1)), PositionRow("SOXL", 107, Decimal(1)))
    )
    counts = compared_executions(settings, plan)
    found = positions_of_others(first, (early, late, new, corrected, ours, old), counts, DATE)
    assert {row.ticker: row.shares for row in found} == {"AAPL": 20, "MSFT": 4, "SOXL": 7}


def test_what_the_account_held_before_is_not_guessed(settings: Settings, plan: SessionPlan) -> None:
    sold = fill("a.01", "AAPL", Action.SELL, 20)
    assert list(positions_of_others(None, (sold,), compared_executions(settings, plan), DATE)) == []
