"""The end of the session: closing everything, and CLOSED only when the broker itself has shown it."""

from __future__ import annotations

from core import exit_protocol
from core.desk import Desk
from core.tending import tend
from core.vocabulary import ExitReason, Severity


def begin_closing(desk: Desk, reason: str) -> None:
    """Exit every position and order of the session; no entries from here on."""
    if desk.state.closing:
        return
    desk.state.closing = reason
    desk.settle_phase()
    flatten(desk, ExitReason.CLOSURE)
    desk.read_broker("closure")


def flatten(desk: Desk, reason: ExitReason, tickers: tuple[str, ...] = ()) -> None:
    """Run the exit protocol for the named tickers, or for all that the session owns."""
    for book in list(desk.state.books.values()):
        if (not tickers or book.ticker in tickers) and exit_protocol.begin(desk, book, reason) is not None:
            tend(desk, book)


def finish_closing(desk: Desk) -> None:
    """CLOSED after a read-back, asked for when everything was over, that shows flat and nothing of ours working."""
    state = desk.state
    if not state.closing or state.closed or not state.reconciled:
        return
    if not all(book.is_idle and not book.disagreed_step for book in state.books.values()):
        state.quiet_step = 0
    elif state.quiet_step == 0:
        state.quiet_step = desk.read_broker("is the session flat?")
    elif state.read_done_step >= state.quiet_step:
        state.closed = True
        for alert in ("link", "deadline"):  # nobody is left to see the trouble end
            desk.clear(alert, "The session has closed, flat at the broker.")
        desk.settle_phase()


def pass_deadline(desk: Desk) -> None:
    """One minute before the close: what is left goes behind GTC stops."""
    desk.state.deadline_passed = True
    left = [book for book in desk.state.books.values() if not book.is_idle]
    for book in left:
        exit_protocol.begin(desk, book, ExitReason.CLOSURE)
        tend(desk, book)
    if left and not desk.can_send:
        desk.alert(
            Severity.CRITICAL,
            "deadline",
            "Not flat at the deadline, and the broker cannot be reached",
            "Left: " + ", ".join(f"{book.ticker} {book.position:+d}" for book in left) + ". Act by hand.",
        )
