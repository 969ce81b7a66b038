"""A traded day in figures: for the screen and for the JSON file. Money as decimals, to the cent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from pydantic import BaseModel, field_serializer

from config import Settings
from core.money import cents
from db.queries import day_summary
from runtime.broker_day import read_account_now
from runtime.planning import plan_for


class DaySummary(BaseModel, frozen=True):
    """What a day came to. `flat` and `working_orders_left` are the broker's word after everything has ended."""

    session_date: str
    market: str
    tickers: tuple[str, ...]
    trades: int
    executions: int
    net_pnl: Decimal | None  # None while a commission is pending
    gross_pnl: Decimal
    commissions: Decimal | None
    win_rate: float | None  # of the trades, after commissions; None without trades
    capital_efficiency_min: float | None  # None without trades
    flat: bool
    working_orders_left: int
    unprotected_seconds_max: float
    breaks: int
    duration_seconds: float

    @field_serializer("net_pnl", "gross_pnl", "commissions", when_used="json")
    def _as_number(self, amount: Decimal | None) -> float | None:
        return None if amount is None else float(amount)

    @property
    def clean(self) -> bool:
        """Flat, nothing working, everything explained."""
        return self.flat and self.working_orders_left == 0 and self.breaks == 0


async def summarise(settings: Settings, date: str, market: str, duration_seconds: float) -> DaySummary:
    """Read the day from the database, and how the account stands from the broker itself."""
    assert settings.database_url is not None
    account = await read_account_now(settings)
    day = day_summary(settings.database_url.get_secret_value(), plan_for(settings, date).session)
    return DaySummary(
        session_date=date,
        market=market,
        tickers=settings.tickers,
        trades=day.trades,
        executions=day.executions,
        net_pnl=_cents(day.net_pnl) if day.trades else Decimal(0),
        gross_pnl=cents(day.gross_pnl),
        commissions=_cents(day.commissions) if day.trades else Decimal(0),
        win_rate=day.win_rate,
        capital_efficiency_min=day.capital_efficiency_min,
        flat=account.is_flat,
        working_orders_left=len(account.orders),
        unprotected_seconds_max=day.unprotected_seconds_max,
        breaks=day.breaks,
        duration_seconds=round(duration_seconds, 1),
    )


def _cents(amount: Decimal | None) -> Decimal | None:
    return None if amount is None else cents(amount)


def trades_in_words(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """What rows of v_trades came to: a sentence for each account, for their dollars are not the same."""
    accounts = sorted({row["account"] for row in rows})
    return [
        (f"{account}: " if len(accounts) > 1 else "") + _of_account([row for row in rows if row["account"] == account])
        for account in accounts
    ]


def _of_account(rows: Sequence[Mapping[str, Any]]) -> str:
    nets = [row["net_pnl"] for row in rows if row["net_pnl"] is not None]
    if not nets:
        return f"{len(rows)} trades, net not known: commissions are pending."
    words = f"net {sum(nets):+,.2f}, won {sum(net > 0 for net in nets) / len(nets):.1%}"
    if len(nets) < len(rows):
        words = f"of {len(nets)} {words}; {len(rows) - len(nets)} with a commission pending are not in it"
    return f"{len(rows)} trades, {words}."


def break_even_note(settings: Settings) -> str:
    """How often trades must win only to lose nothing, by the distances of stop and target."""
    stop, target = settings.atr_stop_multiplier, settings.atr_target_multiplier
    rate = f"{stop / (stop + target):.1%}"
    return f"Stop {stop} x ATR against target {target} x ATR: {rate} of the trades must win to break even before costs."
