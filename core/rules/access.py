"""Rules 0 and 1: is the broker there, is the data fresh, does the session take entries?"""

from __future__ import annotations

from core.desk import Desk
from core.rules.candidate import Candidate
from core.state import Book
from core.vocabulary import Link, Phase, Refusal

_BY_PHASE = {
    Phase.STARTING: Refusal.SESSION_STARTING,
    Phase.SUSPENDED: Refusal.SESSION_SUSPENDED,
    Phase.HALTED: Refusal.SESSION_HALTED,
    Phase.CLOSING: Refusal.SESSION_CLOSING,
    Phase.CLOSED: Refusal.SESSION_CLOSING,
}


def not_connected(desk: Desk) -> Refusal | None:
    """The link is up, and the broker has been read back since it came up."""
    state = desk.state
    if state.link is not Link.CONNECTED:
        return Refusal.NOT_CONNECTED
    if not state.reconciled and state.ever_reconciled:
        return Refusal.NOT_CONNECTED
    return None


def data_stale(desk: Desk, book: Book) -> Refusal | None:
    """A message or a 5-s bar of the ticker's subscription within the last 5 s."""
    seen_ms = book.data_seen_ms
    limit_ms = desk.params.quote_max_age_seconds * 1000
    if seen_ms is None or desk.state.now_ms - seen_ms > limit_ms:
        return Refusal.DATA_STALE
    return None


def session_closed(desk: Desk) -> Refusal | None:
    """TRADING, and at least 60 s before the closure."""
    state, plan = desk.state, desk.plan
    if state.phase is Phase.STARTING and state.ever_reconciled and state.now_ms < plan.open_ms:
        return Refusal.MARKET_NOT_OPEN
    if state.phase in _BY_PHASE:
        return _BY_PHASE[state.phase]
    if plan.closure_ms - state.now_ms < desk.params.entry_deadline_before_closure_seconds * 1000:
        return Refusal.SESSION_CLOSING
    return None


def access(candidate: Candidate) -> Refusal | None:
    """Rules 0 and 1 for a ticker of the session."""
    desk = candidate.desk
    return not_connected(desk) or data_stale(desk, candidate.book) or session_closed(desk)
