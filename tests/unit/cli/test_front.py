"""The command line: what it offers, how it refuses, and that asking for help loads nothing heavy."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from cli.main import EXPECTED, app

ROOT = Path(__file__).resolve().parents[3]
COMMANDS = list(get_command(app).commands)
HEAVY = ("prefect", "ib_async", "pandas", "numpy", "sqlalchemy", "exchange_calendars", "aiohttp", "config")
NOT_FOR_A_RESTART = ("pandas", "exchange_calendars", "alembic", "jinja2", "apprise", "prefect", "rich")


def trader(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run `trader` as a process, with no settings but these."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TRADER_")}
    return subprocess.run(
        [sys.executable, "-c", "from cli.main import run; run()", *arguments],
        cwd=ROOT,
        env=environment | variables | {"COLUMNS": "160", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_the_commands_that_people_type() -> None:
    expected = "demo gateway session flatten suspend resume stop trades config decisions status doctor start".split()
    assert set(expected) <= set(COMMANDS)


@pytest.mark.parametrize("command", [name for name in COMMANDS if name != "gateway"])
def test_each_command_explains_itself(command: str) -> None:
    result = CliRunner().invoke(app, [command, "--help"])
    assert result.exit_code == 0
    assert "Usage" in result.output


@pytest.mark.parametrize("arguments", [["--help"], ["demo", "--help"], ["gateway", "--help"]])
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    program = (
        "import sys; from typer.testing import CliRunner; from cli.main import app\n"
        f"result = CliRunner().invoke(app, {arguments!r}); assert result.exit_code == 0, result.output\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_restart_waits_for_nothing_that_it_does_not_need() -> None:
    """A killed session has to be back soon: what only a migration, a report or a test of the calendar needs is out."""
    program = (
        "import sys; from config import load_settings; from runtime import phases, planning\n"
        "planning.plan_for(load_settings(), '2026-11-20')\n"
        f"print([name for name in {NOT_FOR_A_RESTART!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_refused_settings_end_with_2_and_a_sentence() -> None:
    done = trader("config", TRADER_IB_PORT="70000", TRADER_TYPO="1", TRADER_ALLOCATION="-5")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    for text in ("TRADER_IB_PORT = 70000", "TRADER_TYPO = 1", "TRADER_ALLOCATION = -5"):
        assert text in done.stderr


@pytest.mark.parametrize("command", ["session", "status", "trades", "doctor", "flatten"])
def test_no_command_starts_with_a_live_account_in_paper_mode(command: str) -> None:
    done = trader(command, TRADER_MODE="paper", TRADER_ACCOUNT="U1234567")
    assert done.returncode == 2
    assert "TRADER_ACCOUNT = U1234567" in done.stderr


def test_config_tells_value_and_origin_and_no_secret() -> None:
    done = trader("config", "--json", TRADER_MAX_TRADES="off", TRADER_PREDICTION_API_KEY="s3cret")
    assert done.returncode == 0, done.stderr
    shown = json.loads(done.stdout)
    assert shown["settings"]["max_trades"] == {
        "value": "off",
        "origin": "environment",
        "meaning": "trades a day",
    }
    assert shown["settings"]["prediction_api_key"]["value"] == "(set)"
    assert [ticker["ticker"] for ticker in shown["tickers"]][:2] == ["CVNA", "UVXY"]
    assert "s3cret" not in done.stdout
    table = trader("config", TRADER_PREDICTION_API_KEY="s3cret")
    assert "TRADER_" in table.stdout
    assert "s3cret" not in table.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["demo", "--speed", "60", "--deterministic"], "choose"),
        (["demo", "--speed", "0"], "--speed"),
        (["flatten", "--tickers", "SOXL", "--account"], "not both"),
        (["flatten", "--tickers", "SOXL,SOXX"], "SOXX"),
        (["flatten", "--tickers", "SOXX"], "CVNA"),
        (["nonsense"], "No such command"),
    ],
)
def test_impossible_arguments_end_with_2(arguments: list[str], said: str) -> None:
    done = trader(*arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_the_whole_account_is_flattened_only_by_its_name() -> None:
    result = CliRunner().invoke(app, ["flatten", "--account"], input="yes\n")
    assert result.exit_code == 2
    assert "nothing was touched" in result.output


@pytest.mark.parametrize("name", EXPECTED)
def test_errors_that_are_answers_exist_by_their_names(name: str) -> None:
    module, _, kind = name.rpartition(".")
    assert issubclass(getattr(importlib.import_module(module), kind), Exception)


def test_an_error_that_is_an_answer_ends_with_its_code_and_no_traceback(tmp_path: Path) -> None:
    done = trader(
        "session", "--date", "2025-03-12", TRADER_IB_PORT="1", TRADER_STATE_FOLDER=str(tmp_path),
        TRADER_DATABASE_URL="postgresql://nobody:s3cret@127.0.0.1:1/none",
    )  # fmt: skip
    assert done.returncode == 3
    assert "The database does not do it:" in done.stderr
    assert "Traceback" not in done.stderr
    assert "s3cret" not in done.stderr


@pytest.mark.parametrize("command", [["trades"], ["demo"], ["start"], ["session", "--date", "2025-03-12"], ["backup"]])
def test_a_state_folder_that_cannot_be_one_is_told_in_words(command: list[str], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = trader(*command, TRADER_STATE_FOLDER=str(tmp_path / "file"))
    assert done.returncode == 1
    assert "TRADER_STATE_FOLDER" in done.stderr
    assert str(tmp_path / "file") in done.stderr
    assert "Traceback" not in done.stderr


def test_a_database_that_does_not_answer_is_told_in_the_words_of_its_driver(tmp_path: Path) -> None:
    done = trader(
        "trades", TRADER_DATABASE_URL="postgresql://nobody@127.0.0.1:1/none", TRADER_STATE_FOLDER=str(tmp_path)
    )
    assert done.returncode == 3
    assert "port 1 failed" in done.stderr
    for noise in ("psycopg", "sqlalche.me"):
        assert noise not in done.stderr


def test_a_flatten_that_reaches_no_broker_says_where_to_close(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runtime.flatten.CONNECT_SECONDS", 0.5)
    monkeypatch.setenv("TRADER_STATE_FOLDER", str(tmp_path))
    monkeypatch.setenv("TRADER_IB_PORT", "1")
    monkeypatch.setenv("TRADER_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    result = CliRunner().invoke(app, ["flatten", "--date", "2025-03-12"])
    assert type(result.exception).__name__ == "BrokerUnavailable"
    assert "NOT KNOWN TO BE FLAT" in result.stderr
    assert "<unknown>" not in result.stderr
