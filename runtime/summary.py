"""A traded day in figures: for the screen, for the JSON file, for the report. Money as decimals, to the cent."""

from __future__ import annotations

from decimal import Decimal

from pydantic import BaseModel, field_serializer

from config import Settings
from core.money import cents
from runtime.bootstrap import plan_for
from runtime.broker_day import read_account_now
from runtime.records import TradedDay, read_traded_day

BREAK_EVEN_NOTE = "Stop 6 x ATR against target 3 x ATR: two of three trades must win to break even before costs (66.7 %)."


class DaySummary(BaseModel, frozen=True):
    """What a day came to. `flat` and `working_orders_left` are the broker's word after everything has ended."""

    session_date: str
    market: str
    tickers: tuple[str, ...]
    trades: int
    executions: int
    net_pnl: Decimal
    gross_pnl: Decimal
    commissions: Decimal
    win_rate: float | None  # of the trades, after commissions; None without trades
    capital_efficiency_min: float | None  # None without trades
    flat: bool
    working_orders_left: int
    unprotected_seconds_max: float
    breaks: int
    duration_seconds: float

    @field_serializer("net_pnl", "gross_pnl", "commissions", when_used="json")
    def _as_number(self, amount: Decimal) -> float:
        return float(amount)

    @property
    def clean(self) -> bool:
        """Flat, nothing working, everything explained."""
        return self.flat and self.working_orders_left == 0 and self.breaks == 0


async def summarise(settings: Settings, date: str, market: str, duration_seconds: float) -> DaySummary:
    """Read the day from the database, and how the account stands from the broker itself."""
    account = await read_account_now(settings)
    day = read_traded_day(settings, plan_for(settings, date).session)
    nets = [trade.net_pnl for trade in day.trades if trade.net_pnl is not None]
    efficiencies = [trade.capital_efficiency for trade in day.trades if trade.capital_efficiency is not None]
    return DaySummary(
        session_date=date,
        market=market,
        tickers=settings.tickers,
        trades=len(day.trades),
        executions=day.executions,
        net_pnl=cents(sum(nets, Decimal(0))),
        gross_pnl=cents(sum((trade.gross_pnl for trade in day.trades), Decimal(0))),
        commissions=cents(_commissions(day)),
        win_rate=round(sum(net > 0 for net in nets) / len(nets), 4) if nets else None,
        capital_efficiency_min=round(min(efficiencies), 6) if efficiencies else None,
        flat=account.is_flat,
        working_orders_left=len(account.orders),
        unprotected_seconds_max=max((trade.unprotected_ms for trade in day.trades), default=0) / 1000,
        breaks=day.breaks,
        duration_seconds=round(duration_seconds, 1),
    )


def _commissions(day: TradedDay) -> Decimal:
    return sum((trade.commissions for trade in day.trades if trade.commissions is not None), Decimal(0))
