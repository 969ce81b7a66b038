"""An account that may not see one ticker's data trades the others, and that ticker once it may (ADR 22)."""

from __future__ import annotations

from pathlib import Path

from core.vocabulary import Outcome, Refusal
from tests.cases.field import field


async def test_a_ticker_without_market_data_is_kept_out_alone_until_it_has_some(tmp_path: Path) -> None:
    async with field(tmp_path, "SOXL", "GLD") as day:
        day.fault({"at": "+0", "entitlement": {"code": 354, "symbols": ["GLD"]}})
        day.fault({"at": "+200", "entitlement": {"code": 0}})
        day.predict(60, "GLD", "BUY")
        day.predict(60, "SOXL", "BUY")
        day.predict(420, "GLD", "BUY")
        await day.live()
        outcomes = {(one.ticker, one.outcome, one.refusal) for one in day.decisions()}
        assert outcomes == {
            ("GLD", Outcome.REFUSE, Refusal.DATA_STALE),
            ("SOXL", Outcome.ENTER, None),
            ("GLD", Outcome.ENTER, None),
        }
        assert day.injected("entitlement")
        assert day.alerts("link") == []
        assert day.alerts("data/") == ["raised data/GLD", "over data/GLD"]
        day.check_laws()
