"""Days with other people in the account: gateway, session, journal, Postgres, reconciliation, all of them real."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

from core.events import FlattenRequested
from db.queries import day_summary, read_view
from runtime.reconcile import reconcile
from tests.cases.field import DATE, field

STILL = {"atr_target_multiplier": 40, "atr_stop_multiplier": 40}
"""Legs so far away that nothing but the closure ends a position."""


def by_hand(at: str, symbol: str, shares: int) -> dict[str, Any]:
    """The owner trades."""
    return {"at": at, "manual_trade": {"symbol": symbol, "shares": shares}}


async def test_what_the_owner_trades_beside_the_session_is_explained(tmp_path: Path, postgres_url: str) -> None:
    """Of a holding of before, in another ticker, a part is sold; a ticker of the session is bought and sold."""
    async with field(tmp_path, "SOXL", database_url=postgres_url, **STILL) as day:
        trades = [("+2", "SLV", 50), ("+30", "SOXL", 7), ("+50", "SOXL", -7), ("+200", "SLV", -20)]
        for entry in trades:
            day.fault(by_hand(*entry))
        day.pass_time(10)
        day.predict(100, "SOXL", "BUY")
        await day.live()
        assert len(day.injected("manual_trade")) == 4
        assert (day.position("SOXL"), day.position("SLV")) == (0, 30)
        report = await reconcile(day.settings, DATE)
        assert (report.ok, report.breaks) == (True, 0), report.summary
        again = await reconcile(day.settings, DATE)
        assert (again.ok, again.added) == (True, 0)
        assert day_summary(postgres_url, day.plan.session).trades == 1


async def test_a_position_closed_by_hand_is_explained_to_the_cent(tmp_path: Path, postgres_url: str) -> None:
    async with field(tmp_path, "SOXL", database_url=postgres_url, **STILL) as day:
        day.fault({"at": "+120", "manual_trade": {"symbol": "SOXL", "close": True}})
        day.predict(60, "SOXL", "BUY")
        await day.live()
        assert day.injected("manual_trade") != []
        report = await reconcile(day.settings, DATE)
        assert (report.ok, report.breaks) == (True, 0), report.summary
        (trade,) = read_view(postgres_url, "v_trades")
        assert trade["exit_reason"] == "external"
        executions = read_view(postgres_url, "v_executions")
        assert sum(row["commission"] for row in executions) == trade["commissions"] > Decimal(0)


async def test_a_flatten_of_the_whole_account_is_shipped_and_explained(tmp_path: Path, postgres_url: str) -> None:
    async with field(tmp_path, "SOXL", database_url=postgres_url, **STILL) as day:
        day.fault(by_hand("+2", "SLV", 50))
        day.pass_time(10)
        day.predict(60, "SOXL", "BUY")
        await day.live(120)
        assert day.position("SOXL") > 0
        await day.live(None, FlattenRequested(0, "a person", whole_account=True))
        assert (day.position("SOXL"), day.position("SLV")) == (0, 0)
        report = await reconcile(day.settings, DATE)
        assert (report.ok, report.breaks, report.flat) == (True, 0, True), report.summary
        sold = [row for row in read_view(postgres_url, "v_executions") if row["ticker"] == "SLV" and row["order_ref"]]
        assert {(row["order_ref"].split("/")[0], row["session"]) for row in sold} == {
            (f"{day.plan.session}+account", None)
        }
        assert sum(row["shares"] for row in sold) == 50
