"""The numbers of SEMANTICS as frozen values, validated by config/. A limit of `None` is off, written out."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields
from decimal import Decimal
from enum import StrEnum

from core.errors import InvalidValueError


class SizeUnit(StrEnum):
    """What a ticker's size is counted in."""

    DOLLARS = "dollars"
    SHARES = "shares"


class AtrKind(StrEnum):
    """How true ranges are averaged."""

    SMA = "sma"
    WILDER = "wilder"


class EntryKind(StrEnum):
    """How the parent order is sent."""

    MARKET = "market"
    MARKETABLE_IOC = "marketable_ioc"


@dataclass(frozen=True, slots=True)
class TickerParams:
    """The per-ticker table of SEMANTICS 1."""

    ticker: str
    size: Decimal = Decimal(10_000)
    size_unit: SizeUnit = SizeUnit.DOLLARS
    confidence_threshold: float = 0.50
    atr_stop_multiplier: Decimal = Decimal("6.0")
    atr_target_multiplier: Decimal = Decimal("3.0")
    cooldown_minutes: int = 3
    sector: str = ""
    sector_sign: int = 1  # +1: long is a bet on the sector, -1: an inverse product


@dataclass(frozen=True, slots=True)
class Pair:
    """Two tickers that are one bet: correlation +1 or -1."""

    first: str
    second: str
    correlation: int


@dataclass(frozen=True, slots=True)
class RiskLimits:
    """SEMANTICS 8. Dollars unless the name says otherwise; None = off."""

    max_daily_loss: Decimal | None = Decimal(1_000)
    max_position_value: Decimal | None = Decimal(20_000)
    max_position_shares: int | None = 10_000
    max_gross_exposure: Decimal | None = Decimal(100_000)
    max_sector_exposure: Decimal | None = Decimal(30_000)
    max_pair_bet_sizes: Decimal | None = Decimal("1.5")  # multiples of the ticker's size
    max_portfolio_heat: Decimal | None = Decimal(1_500)
    max_spread_fraction: float | None = 0.005  # of the mid
    max_price_jump_fraction: float | None = 0.02  # against the last bar
    max_trades_per_ticker: int | None = 40
    max_trades: int | None = 200
    max_orders_per_minute: int | None = 60
    max_rejects_in_a_row: int | None = 3
    max_stop_outs_in_a_row: int | None = 3

    def __post_init__(self) -> None:
        """Refuse what is not a number: a limit that compares false with everything is no limit."""
        for limit in fields(self):
            figure = getattr(self, limit.name)
            if figure is not None and not math.isfinite(figure):
                raise InvalidValueError(limit.name, figure, "a finite number, or None for off")


@dataclass(frozen=True, slots=True)
class Params:
    """Everything that the engine's rules read."""

    tickers: tuple[TickerParams, ...]
    risk: RiskLimits = field(default_factory=RiskLimits)
    pairs: tuple[Pair, ...] = ()
    atr_kind: AtrKind = AtrKind.SMA
    atr_length: int = 14
    entry_kind: EntryKind = EntryKind.MARKET
    entry_slippage_cap_fraction: Decimal = Decimal("0.002")
    max_shares_per_order: int = 10_000
    correlation_sizing: bool = False
    scale_in_confidence_margin: float = 0.05
    scale_in_min_move_atr: float = 1.0
    scale_in_size_factor: Decimal = Decimal("0.5")
    scale_in_max_adds: int = 1
    reject_pause_seconds: int = 30
    prediction_max_age_seconds: int = 120
    prediction_max_ahead_seconds: int = 5
    quote_max_age_seconds: int = 5
    atr_max_age_seconds: int = 30
    protect_within_seconds: int = 2
    exit_reprice_seconds: int = 5
    exit_market_seconds: int = 10
    entry_deadline_before_closure_seconds: int = 60
    commission_per_share: Decimal = Decimal("0.005")
    commission_min_per_order: Decimal = Decimal("1.00")
    allow_foreign_positions: bool = False


@dataclass(frozen=True, slots=True)
class SessionPlan:
    """The times of one trading day (UTC epoch ms), all from the exchange calendar, and who trades."""

    session: str  # <account>-<yyyymmdd>: the first part of every order reference
    account: str
    date: str  # YYYY-MM-DD, the Eastern trading day
    client_id: int
    open_ms: int
    close_ms: int
    closure_ms: int  # close - 30 min: the loop begins to close
    flatten_ms: int  # close - 29 min: the flatten flow acts if the broker is not flat
    timed_exit_ms: int  # close - 27 min: the broker-held timed exits fire
    deadline_ms: int  # close - 1 min: what is left gets a GTC stop and a critical alert
