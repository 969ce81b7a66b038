"""The times of one trading day, counted back from the calendar's close (SEMANTICS 5 and 7)."""

from __future__ import annotations

from core.errors import InvalidValueError
from core.params import SessionPlan

MINUTE_MS = 60_000
CLOSURE_MINUTES = 30
FLATTEN_AFTER_CLOSURE_MS = 1 * MINUTE_MS
TIMED_EXIT_AFTER_CLOSURE_MS = 3 * MINUTE_MS
DEADLINE_BEFORE_CLOSE_MS = 1 * MINUTE_MS
FLATTEN_BEFORE_CLOSE_MS = CLOSURE_MINUTES * MINUTE_MS - FLATTEN_AFTER_CLOSURE_MS
"""When the flatten flow is scheduled; a closure that begins earlier leaves it where it is."""


def plan_session(
    account: str, date: str, client_id: int, open_ms: int, close_ms: int, closure_minutes: int = CLOSURE_MINUTES
) -> SessionPlan:
    """Plan the trading day `date` (YYYY-MM-DD, Eastern) from the exchange's open and close of that day (UTC epoch ms).

    Closure begins `closure_minutes` before the close; what acts after it keeps its distance, so that two never sell
    the same shares.

    Raises InvalidValueError when the account could not be part of an order reference, and when the day is too short
    to trade before its closure.
    """
    if not account or "/" in account:
        raise InvalidValueError("account", account, "an account id without a slash: it begins every order reference")
    closure_ms = close_ms - closure_minutes * MINUTE_MS
    if closure_ms <= open_ms:
        raise InvalidValueError("close_ms", close_ms, f"over {closure_minutes} minutes after the open at {open_ms}")
    return SessionPlan(
        session=f"{account}-{date.replace('-', '')}",
        account=account,
        date=date,
        client_id=client_id,
        open_ms=open_ms,
        close_ms=close_ms,
        closure_ms=closure_ms,
        flatten_ms=closure_ms + FLATTEN_AFTER_CLOSURE_MS,
        timed_exit_ms=closure_ms + TIMED_EXIT_AFTER_CLOSURE_MS,
        deadline_ms=close_ms - DEADLINE_BEFORE_CLOSE_MS,
    )
