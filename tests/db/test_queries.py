"""What the program reads back: the journal to the letter, trades and days as the core knows them, a day's summary."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from core.codec import decode
from core.commands import Commands, RecordTrade
from core.orders import Execution
from core.vocabulary import Phase
from db.journal import Journal
from db.queries import (
    DaySummary,
    database_day,
    day_summary,
    latest_trade_date,
    read_journal,
    read_view,
    session_state,
    trades,
)
from db.snapshots import record_settings, settings_of
from tests.support.journals import SESSION
from tests.support.shipping import DAY, ship_all


@pytest.fixture
def url(postgres_url: str, tmp_path: Path) -> Iterator[str]:
    """A database with the made-up day in it, shipped by the second writer of the journal."""
    Journal.open(tmp_path, SESSION).close()
    with Journal.open(tmp_path, SESSION) as journal:
        journal.append(DAY)
        ship_all(journal, postgres_url)
        yield postgres_url


def ours(execution: Execution) -> bool:
    return execution.order_ref.startswith(SESSION)


def test_a_journal_can_be_recovered_to_the_letter(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("db.queries.READ_ROWS", 7)
    assert list(read_journal(url, SESSION)) == DAY
    assert list(read_journal(url, SESSION, after_sequence=len(DAY) - 10)) == DAY[-10:]
    known = session_state(url, SESSION)
    assert known is not None
    with Journal.open(tmp_path / "new", SESSION, epoch_above=known.epoch) as recovered:
        recovered.append(list(read_journal(url, SESSION)))
        ship_all(recovered, url)  # Postgres takes it for the same journal
        assert recovered.epoch == 3


def test_the_state_of_a_session(url: str) -> None:
    state = session_state(url, SESSION)
    assert state is not None
    assert (state.epoch, state.shipped_sequence, state.phase, state.halted) == (2, len(DAY), Phase.CLOSED, False)
    assert session_state(url, "DU1-20240101") is None
    assert latest_trade_date(url) == date(2024, 6, 5)


def test_trades_come_back_as_they_were_recorded(url: str) -> None:
    recorded = {}
    for row in DAY:
        for command in decode(row.commands, Commands) if row.commands else ():
            if isinstance(command, RecordTrade):
                recorded[command.trade.number] = command.trade
    assert trades(url, SESSION) == tuple(recorded.values())


def test_a_day_for_the_reconciliation(url: str) -> None:
    day = database_day(url, SESSION, ours)
    assert len({execution.exec_id for execution in day.executions}) == len(day.executions) > 24
    assert {row.commission for row in day.commissions} == {Decimal("1.00")}
    assert len(day.trades) == 12
    assert database_day(url, SESSION, lambda execution: execution.ticker == "GLD").executions == tuple(
        execution for execution in day.executions if execution.ticker == "GLD"
    )
    assert database_day(url, "DU1234567-20240606", ours).executions == ()


def test_the_summary_of_a_day(url: str) -> None:
    assert day_summary(url, SESSION) == DaySummary(
        trades=12,
        executions=24,
        gross_pnl=Decimal("180.00"),
        commissions=Decimal("24.00"),
        net_pnl=Decimal("156.00"),
        win_rate=1.0,
        capital_efficiency_min=0.98,
        unprotected_seconds_max=0.0,
        open_orders=0,
        position_shares=0,
        breaks=0,
    )


def test_the_summary_of_a_day_without_anything(postgres_url: str) -> None:
    summary = day_summary(postgres_url, SESSION)
    assert (summary.trades, summary.gross_pnl, summary.net_pnl, summary.win_rate) == (0, 0, None, None)


def test_views_of_a_day_and_of_a_session(url: str) -> None:
    assert len(read_view(url, "v_trades", session=SESSION)) == 12
    assert len(read_view(url, "v_trades", trade_date=date(2024, 6, 5))) == 12
    assert read_view(url, "v_trades", trade_date=date(2024, 6, 4)) == []
    with pytest.raises(KeyError, match="v_nothing"):
        read_view(url, "v_nothing")


def test_settings_are_kept_once_per_start(postgres_url: str) -> None:
    record_settings(postgres_url, SESSION, 1, {"allocation": "10000"})
    record_settings(postgres_url, SESSION, 1, {"allocation": "20000"})
    record_settings(postgres_url, SESSION, 2, {"allocation": "30000"})
    assert settings_of(postgres_url, SESSION) == {1: {"allocation": "10000"}, 2: {"allocation": "30000"}}
