"""May this phase run now? The calendar and the clock decide, for a schedule knows neither holidays nor half days."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from core.session_plan import FLATTEN_BEFORE_CLOSE_MS, MINUTE_MS
from runtime.calendar import TradingHours, eastern_clock, eastern_date, trading_day

EARLIEST_BEFORE_OPEN_MS = 120 * MINUTE_MS
"""A session is not opened earlier than this before the bell: an earlier run is a mistake or a restart in the night."""


class Window(StrEnum):
    """The part of a trading day in which a phase makes sense."""

    SESSION = "session"  # until the close
    CLOSURE = "closure"  # from close - 29 min until the close
    DAY = "day"  # the whole day: while the broker still tells the day's executions


class Standing(StrEnum):
    """Where a run stands. All but DUE end it, as completed, under this name."""

    DUE = "Due"
    NOT_DUE = "NotDue"
    MARKET_CLOSED = "MarketClosed"
    TOO_LATE = "TooLate"


@dataclass(frozen=True, slots=True)
class Ruling:
    """The gate's answer, with its reason for people."""

    standing: Standing
    reason: str


DUE = Ruling(Standing.DUE, "")


def judge(window: Window, date: str, now_ms: int | None, scheduled_ms: int | None) -> Ruling:
    """Judge a run for `date` (YYYY-MM-DD, Eastern).

    `now_ms` is None in a simulation, whose time only the session knows. `scheduled_ms` is the time that a schedule
    chose, None when a person or another flow started the run. Times are UTC epoch ms.
    """
    hours = trading_day(date)
    if hours is None:
        return Ruling(Standing.MARKET_CLOSED, f"The exchange is closed on {date}.")
    if now_ms is None:
        if scheduled_ms is None:
            return DUE
        now_ms = scheduled_ms
    today = eastern_date(now_ms)
    if date < today:
        return Ruling(Standing.TOO_LATE, f"{date} has passed: it is {today}.")
    if date > today:
        return Ruling(Standing.NOT_DUE, f"{date} has not begun: it is {today}.")
    match window:
        case Window.SESSION:
            return _judge_session(hours, now_ms)
        case Window.CLOSURE:
            return _judge_closure(hours, now_ms, scheduled_ms)
        case Window.DAY:
            return DUE


def _judge_session(hours: TradingHours, now_ms: int) -> Ruling:
    earliest_ms = hours.open_ms - EARLIEST_BEFORE_OPEN_MS
    if now_ms < earliest_ms:
        return Ruling(Standing.NOT_DUE, f"It is {eastern_clock(now_ms)}: not before {eastern_clock(earliest_ms)}.")
    return _judge_late(hours, now_ms)


def _judge_closure(hours: TradingHours, now_ms: int, scheduled_ms: int | None) -> Ruling:
    """Only scheduled runs have a due time; what a person asks for is done at once."""
    if scheduled_ms is None:
        return DUE
    due_ms = hours.close_ms - FLATTEN_BEFORE_CLOSE_MS
    if scheduled_ms < due_ms:
        return Ruling(Standing.NOT_DUE, f"The account is closed at {eastern_clock(due_ms)} on {hours.date}.")
    if scheduled_ms >= hours.close_ms:
        return Ruling(Standing.MARKET_CLOSED, f"{hours.date} closed at {eastern_clock(hours.close_ms)}.")
    return _judge_late(hours, now_ms)


def _judge_late(hours: TradingHours, now_ms: int) -> Ruling:
    if now_ms < hours.close_ms:
        return DUE
    return Ruling(Standing.TOO_LATE, f"It is {eastern_clock(now_ms)}: closed at {eastern_clock(hours.close_ms)}.")
