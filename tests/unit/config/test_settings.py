"""Settings: what is refused and how it is said, what the engine gets, and what never shows."""

from __future__ import annotations

import dataclasses
from decimal import Decimal
from pathlib import Path

import pytest

from config import ClockKind, Mode, Settings, SettingsError, load_settings
from config.load import load_with_origins
from config.settings import as_text
from core.params import Params, RiskLimits, SizeUnit, TickerParams

NO_ENV_FILE = Path("there is no such file")
LIVE = {"TRADER_MODE": "live", "TRADER_LIVE": "true", "TRADER_ACCOUNT": "U7654321"}


def load(**variables: str) -> Settings:
    """Settings from TRADER_* variables given by their short names."""
    return load_settings(environment={f"TRADER_{k.upper()}": v for k, v in variables.items()}, env_file=NO_ENV_FILE)


def refusal(**variables: str) -> str:
    with pytest.raises(SettingsError) as caught:
        load(**variables)
    return str(caught.value)


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"ib_port": "70000"}, ["TRADER_IB_PORT = 70000", "65535"]),
        ({"ib_port": "0"}, ["TRADER_IB_PORT = 0", "1 to 65535"]),
        ({"allocation": "-5"}, ["TRADER_ALLOCATION = -5", "greater than 0", "dollars"]),
        ({"allocation": "1000"}, ["TRADER_ALLOCATION = 1000", "more than 1,000", "quantity"]),
        ({"allocation": "nan"}, ["TRADER_ALLOCATION = nan", "finite"]),
        ({"quantity": "2.5"}, ["TRADER_QUANTITY = 2.5", "integer"]),
        ({"size": "2.5"}, ["TRADER_SIZE = 2.5", "whole shares"]),
        ({"quantity": "5", "size": "5"}, ["TRADER_QUANTITY = 5", "TRADER_SIZE = 5", "only one of"]),
        ({"typo": "1"}, ["TRADER_TYPO = 1", "no such setting"]),
        ({"ib_prt": "4002"}, ["TRADER_IB_PRT = 4002", "did you mean TRADER_IB_PORT"]),
        ({"mode": "demo"}, ["TRADER_MODE = demo", "'sim', 'paper' or 'live'"]),
        ({"mode": "paper", "account": "U7654321"}, ["TRADER_ACCOUNT = U7654321", "begin with D"]),
        ({"account": "U7654321"}, ["TRADER_ACCOUNT = U7654321", "mode sim", "begin with D"]),
        ({"mode": "paper"}, ["TRADER_ACCOUNT", "your own account id"]),
        ({"mode": "live", "account": "U7654321"}, ["TRADER_LIVE", "TRADER_LIVE=true"]),
        ({"mode": "live", "live": "true", "account": "DU7654321"}, ["TRADER_ACCOUNT = DU7654321", "live account"]),
        ({"live": "true"}, ["TRADER_LIVE = true", "must be off in mode sim"]),
        ({"clock": "real"}, ["TRADER_CLOCK = real", "broker or deterministic"]),
        ({"max_daily_loss": "nan"}, ["TRADER_MAX_DAILY_LOSS = nan", "finite"]),
        ({"max_daily_loss": ""}, ["TRADER_MAX_DAILY_LOSS", "`off` written out"]),
        ({"max_spread_fraction": "inf"}, ["TRADER_MAX_SPREAD_FRACTION = inf", "finite"]),
        ({"max_trades": "-1"}, ["TRADER_MAX_TRADES = -1", "greater than or equal to 0"]),
        ({"tickers": "SOXL,SOXL"}, ["TRADER_TICKERS = SOXL,SOXL", "repeated: SOXL"]),
        ({"tickers": "SOXL,a/b"}, ["TRADER_TICKERS", "a ticker such as"]),
        ({"tickers": ""}, ["TRADER_TICKERS", "at least 1"]),
        ({"confidence_threshold": "1.5"}, ["TRADER_CONFIDENCE_THRESHOLD = 1.5", "0 to 1"]),
        ({"closure_minutes": "29"}, ["TRADER_CLOSURE_MINUTES = 29", "30 (the flatten flow comes at 29) to 180"]),
        ({"exit_market_seconds": "5"}, ["TRADER_EXIT_MARKET_SECONDS = 5", "more than exit_reprice_seconds"]),
        ({"exit_market_seconds": "601"}, ["TRADER_EXIT_MARKET_SECONDS = 601", "600"]),
        ({"protect_within_seconds": "1"}, ["TRADER_PROTECT_WITHIN_SECONDS = 1", "2 to 60"]),
        ({"protect_within_seconds": "61"}, ["TRADER_PROTECT_WITHIN_SECONDS = 61", "2 to 60"]),
        ({"ib_client_id": "90"}, ["TRADER_IB_CLIENT_ID = 90", "each client id once"]),
        ({"ib_client_id": "0"}, ["TRADER_IB_CLIENT_ID = 0", "greater than or equal to 1"]),
        ({"prediction_url": "api.example.com"}, ["TRADER_PREDICTION_URL = api.example.com", "http://"]),
        ({"table": '{"SOXL": {"allocation": 50}}'}, ["table.SOXL.allocation = 50", "quantity"]),
        ({"table": '{"SOXL": {"alocation": 5000}}'}, ["table.SOXL.alocation = 5000", "not permitted"]),
        ({"table": "{"}, ["TRADER_TABLE = {"]),
        ({"table": '{"SOXL": {"quantity": 1}, "SOXL": {"quantity": 9}}'}, ["TRADER_TABLE", "dictionary"]),
        ({"table": '{"SOXL": {"quantity": 1}, "soxl": {"quantity": 9}}'}, ["TRADER_TABLE", "repeated: SOXL"]),
        ({"pairs": '[{"first": "GLD", "second": "gld", "correlation": 1}]'}, ["TRADER_PAIRS", "two different"]),
        (
            {
                "pairs": '[{"first": "GLD", "second": "SLV", "correlation": 1},'
                '{"first": "SLV", "second": "GLD", "correlation": -1}]'
            },
            ["TRADER_PAIRS", "each pair once"],
        ),
        ({"prediction_url": "http://h:99999"}, ["TRADER_PREDICTION_URL = http://h:99999", "http://"]),
        ({"prediction_url": "http://[::1"}, ["TRADER_PREDICTION_URL = http://[::1", "http://"]),
        ({"prediction_url": "http://a host"}, ["TRADER_PREDICTION_URL = http://a host", "http://"]),
        ({"database_url": "postgresql://u:p[w@h/d"}, ["TRADER_DATABASE_URL = (hidden)", "%5B"]),
    ],
)
def test_an_impossible_setting_is_refused_by_name_value_and_what_is_allowed(
    variables: dict[str, str], said: list[str]
) -> None:
    text = refusal(**variables)
    for part in said:
        assert part in text


def test_every_problem_is_told_at_once() -> None:
    text = refusal(ib_port="70000", max_daily_loss="nan", typo="1")
    assert [line.split(" = ")[0] for line in text.splitlines()] == [
        "TRADER_TYPO",
        "TRADER_IB_PORT",
        "TRADER_MAX_DAILY_LOSS",
    ]


def test_the_defaults_are_those_of_the_core() -> None:
    params = load().params()
    assert params.risk == RiskLimits()
    assert dataclasses.replace(params, tickers=(), pairs=()) == Params(tickers=())
    plain = {dataclasses.replace(ticker, ticker="X", sector="", sector_sign=1) for ticker in params.tickers}
    assert plain == {TickerParams("X")}


def test_the_shipped_table_knows_sectors_and_pairs() -> None:
    params = load().params()
    signs = {ticker.ticker: (ticker.sector, ticker.sector_sign) for ticker in params.tickers}
    assert signs["SOXL"] == ("semiconductors", 1)
    assert signs["SQQQ"] == ("nasdaq", -1)
    assert ("SOXL", "SOXS", -1) in [(pair.first, pair.second, pair.correlation) for pair in params.pairs]


@pytest.mark.parametrize(
    ("spelling", "expected"),
    [
        ({"allocation": "1000.01"}, (Decimal("1000.01"), SizeUnit.DOLLARS)),
        ({"quantity": "50"}, (Decimal(50), SizeUnit.SHARES)),
        ({"size": "1000"}, (Decimal(1000), SizeUnit.SHARES)),
        ({"size": "1001"}, (Decimal(1001), SizeUnit.DOLLARS)),
        ({}, (Decimal(10_000), SizeUnit.DOLLARS)),
    ],
)
def test_a_size_gets_its_unit_once(spelling: dict[str, str], expected: tuple[Decimal, SizeUnit]) -> None:
    ticker = load(tickers="SPY", **spelling).params().tickers[0]
    assert (ticker.size, ticker.size_unit) == expected


def test_a_row_wins_over_the_general_setting() -> None:
    settings = load(tickers="SPY,AIG", quantity="7", cooldown_minutes="9", table='{"SPY": {"allocation": 2000}}')
    spy, aig = settings.params().tickers
    assert (spy.size, spy.size_unit, spy.cooldown_minutes) == (Decimal(2000), SizeUnit.DOLLARS, 9)
    assert (aig.size, aig.size_unit) == (Decimal(7), SizeUnit.SHARES)


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(RiskLimits)])
def test_every_limit_reaches_the_engine_and_can_be_off(field: str) -> None:
    assert getattr(load(**{field: "off"}).params().risk, field) is None
    assert getattr(load(**{field: "1"}).params().risk, field) == 1
    assert getattr(load(**{field: "0"}).params().risk, field) == 0


CHANGED = {
    "atr_kind": "wilder",
    "entry_kind": "marketable_ioc",
    "correlation_sizing": "true",
    "allow_foreign_positions": "true",
    "scale_in_max_adds": "0",
    "exit_reprice_seconds": "6",
    "exit_market_seconds": "12",
    "entry_slippage_cap_fraction": "0.5",
    "scale_in_confidence_margin": "0.5",
}


@pytest.mark.parametrize(
    "field", [field.name for field in dataclasses.fields(Params) if field.name not in ("tickers", "risk", "pairs")]
)
def test_every_number_of_the_engine_is_a_setting(field: str) -> None:
    before = getattr(load().params(), field)
    after = getattr(load(**{field: CHANGED.get(field, "7")}).params(), field)
    assert before != after
    assert type(before) is type(after)


def test_a_child_process_reads_the_same_settings() -> None:
    settings = load(
        max_trades="off", quantity="3", tickers="SPY", prediction_api_key="k", database_url="postgresql://a:b@c/d"
    )
    assert load_settings(environment=settings.to_environment(), env_file=NO_ENV_FILE) == settings


def test_an_emptied_variable_wins_over_the_env_file(tmp_path: Path) -> None:
    env_file = tmp_path / ".env"
    env_file.write_text("TRADER_DATABASE_URL=postgresql://u:p@h/d\nTRADER_POLL_SECONDS=30\nOTHER=1\n")
    settings = load_settings(environment={"TRADER_DATABASE_URL": ""}, env_file=env_file)
    assert settings.database_url is None
    assert settings.poll_seconds == 30


def test_where_each_setting_came_from(tmp_path: Path) -> None:
    env_file = tmp_path / ".env"
    env_file.write_text("TRADER_POLL_SECONDS=30\nTRADER_SPEED=5\n")
    settings, origins = load_with_origins({"speed": 60}, {"TRADER_MAX_TRADES": "10"}, env_file)
    assert settings.speed == 60
    assert {name: origins.get(name) for name in ("speed", "max_trades", "poll_seconds", "tickers", "ib_port")} == {
        "speed": "command line",
        "max_trades": "environment",
        "poll_seconds": ".env",
        "tickers": "trading.yaml",
        "ib_port": None,
    }


def test_secrets_never_show() -> None:
    settings = load(
        prediction_api_key="s3cret-a",
        database_url="postgresql://u:s3cret-b@h/d",
        alert_urls="slack://s3cret-c,json://x",
    )
    assert "s3cret" not in repr(settings) + str(settings)
    assert as_text("prediction_api_key", settings.prediction_api_key) == "s3cret-a"
    assert "s3cret" not in refusal(database_url="mysql://u:s3cret@h/d", prediction_api_ky="s3cret")
    assert "s3cret" not in refusal(postgres_dsn="postgresql://u:s3cret@h/d", slack="https://hooks.slack.com/s3cret")
    for url in ("http://u:s3cret@h", "http://h/?key=s3cret"):
        said = refusal(prediction_url=url)
        assert "TRADER_PREDICTION_API_KEY" in said
        assert "s3cret" not in said


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("TRADER_MAX_DAILY_LOSS: 200", ".env line 1"),
        ("# ours\nTRADER_MAX_DAILY_LOSS 200", ".env line 2"),
        ('TRADER_MAX_DAILY_LOSS="200\nTRADER_POLL_SECONDS=30', ".env line 1"),
        ("TRADER_LIVE", "TRADER_LIVE=value"),
        ("TRADER_MAX_TRADES=5\ntrader_max_trades=50", "each name once"),
        ("# f\xfcr uns\nTRADER_MAX_TRADES=5", "UTF-8"),
    ],
)
def test_a_line_of_the_env_file_that_would_be_passed_over_is_refused(content: str, said: str, tmp_path: Path) -> None:
    env_file = tmp_path / ".env"
    env_file.write_bytes(content.encode("latin-1"))
    with pytest.raises(SettingsError) as caught:
        load_settings(environment={}, env_file=env_file)
    assert said in str(caught.value)


def test_an_env_file_from_windows_is_read(tmp_path: Path) -> None:
    env_file = tmp_path / ".env"
    env_file.write_bytes("\ufeffTRADER_MAX_TRADES=5\r\n\r\nexport TRADER_SPEED = '2' # twice\r\nOTHER\r\n".encode())
    settings = load_settings(environment={}, env_file=env_file)
    assert (settings.max_trades, settings.speed) == (5, 2)


@pytest.mark.parametrize(
    "key", ["s3cret\n", "s3cret\r\nX-Other: 1", "s3cr\N{LATIN SMALL LETTER E WITH ACUTE}t", "\0s3cret"]
)
def test_a_key_must_fit_into_a_header(key: str) -> None:
    said = refusal(prediction_api_key=key)
    assert "TRADER_PREDICTION_API_KEY = (hidden)" in said
    assert "one line of printable ASCII" in said
    assert "s3cr" not in said


def test_live_starts_only_when_everything_says_so() -> None:
    settings = load_settings(environment=LIVE, env_file=NO_ENV_FILE)
    assert (settings.mode, settings.live, settings.clock) == (Mode.LIVE, True, ClockKind.REAL)
    for name in LIVE:
        with pytest.raises(SettingsError):
            load_settings(environment={k: v for k, v in LIVE.items() if k != name}, env_file=NO_ENV_FILE)


def test_settings_are_frozen_and_folders_absolute() -> None:
    settings = load(state_folder="elsewhere")
    assert settings.state_folder.is_absolute()
    with pytest.raises(ValueError, match="frozen"):
        settings.ib_port = 1  # type: ignore[misc]  # the refusal is what is tested


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("live: true", "live = True [trading.yaml] is not allowed: only in the environment or .env, as TRADER_LIVE"),
        ("prediction_api_key: abc", "prediction_api_key = (hidden)"),
        ("max_dayly_loss: 5", "did you mean max_daily_loss"),
        ("table:\n  SOXL: {}\n  SOXL: {}", "repeated: SOXL"),
        ("- 1", "a mapping of setting names"),
        ("a: [", "YAML"),
    ],
)
def test_what_trading_yaml_may_not_say(content: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "trading.yaml"
    file.write_text(content)
    assert said in refusal(trading_file=str(file))


def test_words_in_trading_yaml_stay_words(tmp_path: Path) -> None:
    file = tmp_path / "trading.yaml"
    file.write_text("tickers: [ON, NO]\nmax_daily_loss: off\ncorrelation_sizing: true\n")
    params = load(trading_file=str(file)).params()
    assert [ticker.ticker for ticker in params.tickers] == ["ON", "NO"]
    assert params.risk.max_daily_loss is None
    assert params.correlation_sizing is True


def test_whole_numbers_in_trading_yaml_are_decimal(tmp_path: Path) -> None:
    file = tmp_path / "trading.yaml"
    file.write_text("quantity: 010\nmax_trades: 0\npairs: [{first: GLD, second: SLV, correlation: -1}]\n")
    settings = load(trading_file=str(file))
    assert (settings.quantity, settings.max_trades, settings.pairs[0].correlation) == (10, 0, -1)
    file.write_text("max_daily_loss: 1:30\n")
    assert "max_daily_loss = 1:30" in refusal(trading_file=str(file))


def test_a_missing_trading_file_is_named() -> None:
    assert "/nowhere/trading.yaml" in refusal(trading_file="/nowhere/trading.yaml")
