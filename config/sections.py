"""Every setting with its default, by section. A field `x` is `TRADER_X` in the environment and `x` in trading.yaml."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat

from config.fields import (
    ROOT,
    Account,
    ClientId,
    ClientIds,
    ClockKind,
    CountLimit,
    ExitSeconds,
    Folder,
    Fraction,
    FractionLimit,
    HeaderSecret,
    Minutes,
    Mode,
    Money,
    MoneyLimit,
    Multiple,
    OptionalPath,
    OptionalSecret,
    OptionalText,
    Port,
    ProtectSeconds,
    Rows,
    Seconds,
    Secrets,
    Ticker,
    Tickers,
)
from config.table import Pairs, Sized, TickerRow
from core.params import AtrKind, EntryKind

PositiveCount = Annotated[int, Field(ge=1, le=1000)]


class Section(BaseModel):
    """What all sections share: frozen, nothing unknown."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=False)


class BrokerSection(Section):
    """The account, the gateway and the clock."""

    mode: Mode = Field(Mode.SIM, description="sim (the simulated gateway), paper or live")
    live: bool = Field(False, description="the switch for real money: must be on in mode live, and off elsewhere")
    account: Account = Field("DU1234567", description="the account id; those of paper accounts begin with D")
    live_without_probe: str = Field("", description="real money before any probe of the broker, in words")
    ib_host: str = Field("127.0.0.1", description="where TWS or IB Gateway runs")
    ib_port: Port = Field(4002, description="port, 1 to 65535 (IB Gateway: paper 4002, live 4001; TWS: 7497, 7496)")
    ib_client_id: ClientId = Field(10, description="the session's API client id, from 1; its orders belong to it")
    ib_observer_client_ids: ClientIds = Field((90, 91), description="ids of flatten and reconcile, which only look")
    clock: ClockKind = Field(
        ClockKind.REAL, description="real (the machine's), broker or deterministic; in mode sim broker by default"
    )
    speed: Annotated[FiniteFloat, Field(gt=0, le=600)] = Field(
        1.0, description="simulated seconds per second, up to 600; 1 unless in mode sim"
    )


class PredictionSection(Section):
    """Where predictions come from."""

    prediction_url: OptionalText = Field(None, description="base address of the prediction API (http or https)")
    prediction_api_key: HeaderSecret = Field(None, description="sent as X-API-Key")
    prediction_file: OptionalPath = Field(None, description="a recorded file of predictions instead of the API")
    poll_seconds: Seconds = Field(60, description="seconds between two polls of a ticker")
    prediction_timeout_seconds: Annotated[FiniteFloat, Field(gt=0, le=60)] = Field(
        5.0, description="seconds until one request is given up"
    )
    prediction_gone_polls: PositiveCount = Field(3, description="polls without any answer until an alert says so")


class StorageSection(Section):
    """Where things are kept and who is told."""

    database_url: OptionalSecret = Field(
        None, description="postgresql://user:password@host/name; without it an embedded Postgres is started"
    )
    state_folder: Folder = Field(ROOT / "var", description="journal, embedded Postgres, logs, reports")
    data_folder: Folder = Field(ROOT.parent / "shared" / "data", description="recorded market data, for tests")
    trading_file: Folder = Field(ROOT / "config" / "trading.yaml", description="the per-ticker table")
    backups_kept: PositiveCount = Field(
        10, description="nightly backups of the embedded Postgres: two weeks in which to notice a loss"
    )
    alert_urls: Secrets = Field((), description="apprise addresses, comma separated; they may hold tokens")
    prefect_port: Port = Field(4200, description="port of the local Prefect server and its pages")


class TradingSection(Sized):
    """What is traded, how much of it, and by which rules (SEMANTICS 1 to 7)."""

    tickers: Tickers = Field(
        ("CVNA", "UVXY", "SOXL", "SOXS", "TQQQ", "SQQQ", "GLD", "SLV"), description="1 to 50 tickers, comma separated"
    )
    table: Annotated[dict[Ticker, TickerRow], Rows] = Field({}, description="what differs by ticker")
    pairs: Pairs = Field((), description="tickers that are one bet")
    confidence_threshold: Fraction = Field(0.50, description="0 to 1; a prediction at or above it is acted on")
    atr_kind: AtrKind = Field(AtrKind.SMA, description="how true ranges are averaged: sma or wilder")
    atr_length: Annotated[int, Field(ge=2, le=500)] = Field(14, description="true ranges in an ATR")
    atr_stop_multiplier: Multiple = Field(Decimal("6.0"), description="distance of the stop in ATRs")
    atr_target_multiplier: Multiple = Field(Decimal("3.0"), description="distance of the target in ATRs")
    cooldown_minutes: Minutes = Field(3, description="minutes between two entries of a ticker on one side")
    entry_kind: EntryKind = Field(EntryKind.MARKET, description="market, or marketable_ioc")
    entry_slippage_cap_fraction: Annotated[Decimal, Field(ge=0, le=1)] = Field(
        Decimal("0.002"), description="furthest limit of a marketable_ioc entry from the quote"
    )
    max_shares_per_order: Annotated[int, Field(ge=1, le=10_000)] = Field(10_000, description="cap of every size")
    correlation_sizing: bool = Field(False, description="smaller sizes beside correlated positions")
    scale_in_confidence_margin: Fraction = Field(0.05, description="confidence above the threshold for an add")
    scale_in_min_move_atr: Annotated[FiniteFloat, Field(ge=0, le=100)] = Field(
        1.0, description="favourable move in ATRs for an add"
    )
    scale_in_size_factor: Annotated[Decimal, Field(gt=0, le=10)] = Field(Decimal("0.5"), description="an add's size")
    scale_in_max_adds: Annotated[int, Field(ge=0, le=1)] = Field(1, description="adds to a position: 0 or 1")
    reject_pause_seconds: Seconds = Field(30, description="pause of a ticker after a rejected entry")
    prediction_max_age_seconds: Seconds = Field(120, description="an older prediction is refused")
    prediction_max_ahead_seconds: Seconds = Field(5, description="a prediction from further ahead is refused")
    quote_max_age_seconds: Seconds = Field(5, description="an older price is not fresh")
    atr_max_age_seconds: Seconds = Field(30, description="no entry on an older bar")
    protect_within_seconds: ProtectSeconds = Field(2, description="2 to 60; no stop seen by then: emergency stop")
    exit_reprice_seconds: ExitSeconds = Field(5, description="1 to 600; an exit not flat by then: re-price further")
    exit_market_seconds: ExitSeconds = Field(10, description="1 to 600; an exit not flat by then: market order")
    entry_deadline_before_closure_seconds: Seconds = Field(60, description="no entry this near to closure")
    commission_per_share: Money = Field(Decimal("0.005"), description="dollars, for the cost check of targets")
    commission_min_per_order: Money = Field(Decimal("1.00"), description="dollars, for the cost check of targets")
    allow_foreign_positions: bool = Field(False, description="trade a ticker in which the account holds other shares")
    closure_minutes: Annotated[int, Field(ge=30, le=180)] = Field(
        30, description="minutes before the close at which closure begins; 30 (the flatten flow comes at 29) to 180"
    )


class RiskSection(Section):
    """SEMANTICS 8: a number, or `off` written out. Dollars unless the name says otherwise."""

    max_daily_loss: MoneyLimit = Field(Decimal(1_000), description="the session halts at this loss")
    max_position_value: MoneyLimit = Field(Decimal(20_000), description="one position")
    max_position_shares: CountLimit = Field(10_000, description="one position")
    max_gross_exposure: MoneyLimit = Field(Decimal(100_000), description="all positions")
    max_sector_exposure: MoneyLimit = Field(Decimal(30_000), description="net bet on a sector")
    max_pair_bet_sizes: MoneyLimit = Field(Decimal("1.5"), description="same bet of a pair, in sizes of the ticker")
    max_portfolio_heat: MoneyLimit = Field(Decimal(1_500), description="sum of shares x distance to the stop")
    max_spread_fraction: FractionLimit = Field(0.005, description="of the mid, 0 to 1")
    max_price_jump_fraction: FractionLimit = Field(0.02, description="against the last bar, 0 to 1")
    max_trades_per_ticker: CountLimit = Field(40, description="trades a day")
    max_trades: CountLimit = Field(200, description="trades a day")
    max_orders_per_minute: CountLimit = Field(60, description="orders")
    max_rejects_in_a_row: CountLimit = Field(3, description="rejected entries in a row, then none until resumed")
    max_stop_outs_in_a_row: CountLimit = Field(3, description="stop-outs of a ticker, then no entry that day")
