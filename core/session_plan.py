"""The times of one trading day, counted back from the calendar's close (SEMANTICS 5 and 7)."""

from __future__ import annotations

from core.errors import InvalidValueError
from core.params import SessionPlan

MINUTE_MS = 60_000
CLOSURE_BEFORE_CLOSE_MS = 30 * MINUTE_MS
FLATTEN_BEFORE_CLOSE_MS = 29 * MINUTE_MS
TIMED_EXIT_BEFORE_CLOSE_MS = 27 * MINUTE_MS
DEADLINE_BEFORE_CLOSE_MS = 1 * MINUTE_MS


def plan_session(account: str, date: str, client_id: int, open_ms: int, close_ms: int) -> SessionPlan:
    """Plan the trading day `date` (YYYY-MM-DD, Eastern) from the exchange's open and close of that day (UTC epoch ms).

    Raises InvalidValueError when the account could not be part of an order reference, and when the day is too short
    to trade before its closure.
    """
    if not account or "/" in account:
        raise InvalidValueError("account", account, "an account id without a slash: it begins every order reference")
    if close_ms - CLOSURE_BEFORE_CLOSE_MS <= open_ms:
        raise InvalidValueError("close_ms", close_ms, f"more than 30 minutes after the open at {open_ms}")
    return SessionPlan(
        session=f"{account}-{date.replace('-', '')}",
        account=account,
        date=date,
        client_id=client_id,
        open_ms=open_ms,
        close_ms=close_ms,
        closure_ms=close_ms - CLOSURE_BEFORE_CLOSE_MS,
        flatten_ms=close_ms - FLATTEN_BEFORE_CLOSE_MS,
        timed_exit_ms=close_ms - TIMED_EXIT_BEFORE_CLOSE_MS,
        deadline_ms=close_ms - DEADLINE_BEFORE_CLOSE_MS,
    )
