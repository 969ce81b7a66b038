"""`trader trades` and `trader decisions` on a day in Postgres, and `trader db` beside it."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli.main import app
from db.journal import Journal, JournalRow, journal_path
from tests.support.journals import SESSION
from tests.support.shipping import DAY, ship_all

DATE = "2024-06-05"


@pytest.fixture
def trader(postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Settings that name the database; the folder of the day's journal."""
    monkeypatch.setenv("TRADER_DATABASE_URL", postgres_url)
    monkeypatch.setenv("TRADER_STATE_FOLDER", str(tmp_path / "state"))
    return tmp_path


@pytest.fixture
def a_day(trader: Path, postgres_url: str) -> None:
    with Journal.open(trader, SESSION) as journal:
        journal.append(DAY)
        ship_all(journal, postgres_url)


def run(*arguments: str) -> Result:
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == 0, result.output
    return result


@pytest.mark.usefixtures("a_day")
def test_the_trades_of_the_newest_day_are_listed_in_their_order() -> None:
    rows = json.loads(run("trades", "--json").stdout)
    assert [row["number"] for row in rows] == sorted(row["number"] for row in rows)
    assert len(rows) == 12
    assert {row["trade_date"] for row in rows} == {DATE}
    net = sum(Decimal(row["net_pnl"]) for row in rows if row["net_pnl"] is not None)
    shown = run("trades", "--date", DATE).stdout
    assert f"12 trades, net {net:+,.2f}" in shown
    assert "66.7% of the trades must win" in shown


@pytest.mark.usefixtures("a_day")
def test_a_journal_that_cannot_be_shipped_hides_no_day(trader: Path, caplog: pytest.LogCaptureFixture) -> None:
    """One was begun anew without the database, another is torn: neither is a matter of time."""
    sessions = trader / "state" / "sessions"
    with Journal.open(sessions / SESSION, SESSION) as begun_anew:
        begun_anew.append([JournalRow(1, 1, DAY[0].event, "")])
    torn = "DU1234567-20240606"
    Journal.open(sessions / torn, torn).close()
    journal_path(sessions / torn, torn).write_bytes(b"no journal any more" * 1_000)
    assert len(json.loads(run("trades", "--json").stdout)) == 12
    assert "the file was lost or replaced" in caplog.text
    assert f"{torn}.journal: file is not a database" in caplog.text


@pytest.mark.usefixtures("a_day")
def test_the_decisions_of_a_day_give_their_reason() -> None:
    rows = json.loads(run("decisions", "--date", DATE, "--json").stdout)
    assert rows
    assert all(row["refusal"] for row in rows if row["outcome"] == "refuse")


@pytest.mark.usefixtures("trader")
def test_a_day_without_trades_says_so() -> None:
    assert "Trades: none yet" in run("trades").stdout
    assert f"Decisions: none on {DATE}" in run("decisions", "--date", DATE).stdout
    assert json.loads(run("trades", "--json").stdout) == []


@pytest.mark.usefixtures("a_day")
def test_psql_opens_on_the_database_of_the_settings(trader: Path, capfd: pytest.CaptureFixture[str]) -> None:
    run("db", "--sql", "select count(*) as found from v_trades")
    assert "12" in capfd.readouterr().out
    assert not (trader / "state" / "postgres").exists()  # beside a database of your own none is embedded
