"""The settings of one process: read once, frozen, passed down as values."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

from pydantic import SecretStr, model_validator

from config.fields import OFF, ClockKind, Mode
from config.problems import contradiction
from config.sections import BrokerSection, PredictionSection, RiskSection, StorageSection, TradingSection
from config.table import SIZE_NAMES
from core.params import Pair, Params, RiskLimits, TickerParams

PREFIX: Final = "TRADER_"
DEFAULT_ALLOCATION: Final = 10_000
PAPER_INITIAL: Final = "D"
_LIMITS: Final = frozenset(field.name for field in dataclasses.fields(RiskLimits))


class Settings(RiskSection, TradingSection, StorageSection, PredictionSection, BrokerSection):
    """Every setting. Made by `config.load_settings`."""

    @model_validator(mode="before")
    @classmethod
    def _defaults_that_depend(cls, values: Any) -> Any:
        """The size is 10,000 dollars when no spelling is given; in mode sim the clock is the broker's."""
        if not isinstance(values, Mapping):
            return values
        chosen = dict(values)
        if all(chosen.get(name) in (None, "") for name in SIZE_NAMES):
            chosen["allocation"] = DEFAULT_ALLOCATION
        if str(chosen.get("mode", Mode.SIM)).strip().lower() == Mode.SIM:
            chosen.setdefault("clock", ClockKind.BROKER)
        return chosen

    @model_validator(mode="after")
    def _no_contradictions(self) -> Settings:
        problems = tuple(contradictions(self))
        if problems:
            raise contradiction(problems)
        return self

    def params(self) -> Params:
        """What the engine's rules read. Fields of the same name are taken over; `off` is None."""
        names = {field.name for field in dataclasses.fields(Params)} & type(self).model_fields.keys()
        own = {name: getattr(self, name) for name in names}
        own["tickers"] = tuple(self._ticker_params(ticker) for ticker in self.tickers)
        own["pairs"] = tuple(Pair(pair.first, pair.second, pair.correlation) for pair in self.pairs)
        own["risk"] = RiskLimits(**{name: getattr(self, name) for name in _LIMITS})
        return Params(**own)

    def _ticker_params(self, ticker: str) -> TickerParams:
        row = self.table.get(ticker)
        general = self.size_and_unit()
        if general is None:
            raise AssertionError("a settings object always has a size")
        size, unit = (row.size_and_unit() if row else None) or general
        own: dict[str, Any] = {"ticker": ticker, "size": size, "size_unit": unit}
        for name in ("confidence_threshold", "atr_stop_multiplier", "atr_target_multiplier", "cooldown_minutes"):
            special = getattr(row, name) if row else None
            own[name] = getattr(self, name) if special is None else special
        if row:
            own |= {"sector": row.sector, "sector_sign": row.sector_sign}
        return TickerParams(**own)

    def to_environment(self) -> dict[str, str]:
        """Every setting as `TRADER_*` texts, secrets included: a child process reads the same settings from these."""
        return {PREFIX + name.upper(): as_text(name, getattr(self, name)) for name in type(self).model_fields}


def as_text(name: str, value: object) -> str:
    """A value as a person would write it in the environment, secrets in the clear."""
    if value is None:
        return OFF if name in _LIMITS else ""
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if name == "table" and isinstance(value, Mapping):
        return json.dumps({key: row.model_dump(mode="json", exclude_defaults=True) for key, row in value.items()})
    if name == "pairs" and isinstance(value, tuple):
        return json.dumps([row.model_dump(mode="json") for row in value])
    if isinstance(value, tuple):
        return ",".join(as_text("", part) for part in value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def contradictions(settings: Settings) -> list[tuple[str, str]]:
    """Settings that are possible one by one but not together: (name, what is allowed)."""
    return [*_money_contradictions(settings), *_clock_contradictions(settings), *_trading_contradictions(settings)]


def _money_contradictions(settings: Settings) -> list[tuple[str, str]]:
    found = []
    is_paper_account = settings.account.startswith(PAPER_INITIAL)
    if settings.mode is Mode.LIVE:
        if not settings.live:
            found.append(("live", "mode live needs TRADER_LIVE=true as well: real money is switched on in words"))
        if is_paper_account:
            found.append(("account", "mode live needs a live account; ids that begin with D are paper accounts"))
    else:
        if settings.live:
            found.append(("live", f"must be off in mode {settings.mode}; for real money set TRADER_MODE=live"))
        if not is_paper_account:
            found.append(("account", f"mode {settings.mode} takes paper accounts only; their ids begin with D"))
    if settings.mode is not Mode.SIM and "account" not in settings.model_fields_set:
        found.append(("account", f"mode {settings.mode} needs your own account id in TRADER_ACCOUNT"))
    return found


def _clock_contradictions(settings: Settings) -> list[tuple[str, str]]:
    found = []
    if settings.mode is Mode.SIM:
        if settings.clock is ClockKind.REAL:
            found.append(("clock", "broker or deterministic in mode sim: the simulated day has a time of its own"))
    else:
        if settings.clock is not ClockKind.REAL:
            found.append(("clock", f"real in mode {settings.mode}: simulated time belongs to mode sim"))
        if settings.speed != 1:
            found.append(("speed", f"1 in mode {settings.mode}: the market has its own speed"))
    return found


def _trading_contradictions(settings: Settings) -> list[tuple[str, str]]:
    found = []
    if settings.exit_market_seconds <= settings.exit_reprice_seconds:
        found.append(("exit_market_seconds", f"more than exit_reprice_seconds ({settings.exit_reprice_seconds})"))
    ids = (settings.ib_client_id, *settings.ib_observer_client_ids)
    if len(set(ids)) < len(ids):
        found.append(("ib_client_id", "each client id once, those of the observers included"))
    return [*found, *_address_contradictions(settings)]


def _address_contradictions(settings: Settings) -> list[tuple[str, str]]:
    found = []
    if settings.prediction_url is not None:
        address = _address(settings.prediction_url)
        is_whole = (
            address is not None and address.hostname and not any(sign.isspace() for sign in settings.prediction_url)
        )
        if address is None or not is_whole or address.scheme not in ("http", "https"):
            found.append(("prediction_url", "an address that begins with http:// or https://"))
        elif address.username is not None or address.query or address.fragment:
            words = f"an address without user, password or query; a key belongs into {PREFIX}PREDICTION_API_KEY"
            found.append(("prediction_url", words))
        if settings.prediction_file is not None:
            found.append(("prediction_file", "only one of prediction_url and prediction_file"))
    if settings.database_url is not None:
        address = _address(settings.database_url.get_secret_value())
        if address is None or address.scheme.partition("+")[0] not in ("postgresql", "postgres"):
            words = "an address that begins with postgresql://; special characters of a password are written as %5B"
            found.append(("database_url", words))
    return found


def _address(text: str) -> SplitResult | None:
    """The parts of an address; None for one that cannot be taken apart."""
    try:
        address = urlsplit(text)
        return None if address.port == 0 else address  # asking for a port that is no number raises
    except ValueError:
        return None
