"""The plan of a trading day and the place where its session is kept."""

from __future__ import annotations

from pathlib import Path

from config import Settings
from core.params import SessionPlan
from core.session_plan import plan_session
from runtime.calendar import TradingHours, trading_day


class MarketClosed(RuntimeError):
    """The exchange does not open on the day asked for."""


def hours_of(date: str) -> TradingHours:
    """The exchange's hours of an Eastern date (YYYY-MM-DD). Raises MarketClosed on a holiday or weekend."""
    hours = trading_day(date)
    if hours is None:
        raise MarketClosed(f"{date}: the exchange (XNYS) does not open that day")
    return hours


def plan_for(settings: Settings, date: str) -> SessionPlan:
    """The plan of an Eastern trading day (YYYY-MM-DD). Raises MarketClosed on a holiday or weekend."""
    hours = hours_of(date)
    return plan_session(
        settings.account, date, settings.ib_client_id, hours.open_ms, hours.close_ms, settings.closure_minutes
    )


def session_folder(settings: Settings, plan: SessionPlan) -> Path:
    """Where a session keeps its journal, its lock and its socket."""
    return settings.state_folder / "sessions" / plan.session
