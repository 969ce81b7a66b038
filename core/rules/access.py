"""Rules 0 and 1: is the broker there, is the data fresh, does the session take entries?"""

from __future__ import annotations

from core.desk import Desk
from core.vocabulary import Link, Phase, Refusal

_BY_PHASE = {
    Phase.STARTING: Refusal.SESSION_STARTING,
    Phase.SUSPENDED: Refusal.SESSION_SUSPENDED,
    Phase.HALTED: Refusal.SESSION_HALTED,
    Phase.CLOSING: Refusal.SESSION_CLOSING,
    Phase.CLOSED: Refusal.SESSION_CLOSING,
}


def no_access(desk: Desk, ticker: str) -> Refusal | None:
    """Rules 0 and 1. Freshness is asked for the session's own tickers only: of others there is no data."""
    return _not_connected(desk) or _data_stale(desk, ticker) or _session_closed(desk)


def _not_connected(desk: Desk) -> Refusal | None:
    """The link is up, and the broker has been read back since it came up."""
    state = desk.state
    unread = state.ever_reconciled and not state.reconciled
    return Refusal.NOT_CONNECTED if state.link is not Link.CONNECTED or unread else None


def _data_stale(desk: Desk, ticker: str) -> Refusal | None:
    """A message or a 5-s bar of the ticker's subscription within the last 5 s: none can be, without a contract.

    Where one of the two is refused, the other makes nothing fresh.
    """
    if ticker not in desk.by_ticker:
        return None
    book = desk.book(ticker)
    limit_ms = desk.params.quote_max_age_seconds * 1000
    is_seen = book.data_seen_ms is not None and desk.state.now_ms - book.data_seen_ms <= limit_ms
    if is_seen and not book.data_problem:
        return None
    return Refusal.CONTRACT_UNKNOWN if book.instrument is None else Refusal.DATA_STALE


def _session_closed(desk: Desk) -> Refusal | None:
    """TRADING, and at least 60 s before the closure."""
    state, plan = desk.state, desk.plan
    if state.phase is Phase.STARTING and state.ever_reconciled:
        return Refusal.MARKET_NOT_OPEN
    if state.phase in _BY_PHASE:
        return _BY_PHASE[state.phase]
    if plan.closure_ms - state.now_ms < desk.params.entry_deadline_before_closure_seconds * 1000:
        return Refusal.SESSION_CLOSING
    return None
