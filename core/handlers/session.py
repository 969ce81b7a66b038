"""The connection, timers, and what people ask for."""

from __future__ import annotations

from core import exit_protocol
from core.bracket import Heard
from core.closure import begin_closing, flatten, pass_deadline
from core.commands import CancelEverything, ReadBroker
from core.desk import READ_MS, Desk
from core.entries import decide, refuse_unreadable
from core.events import (
    AccountRead,
    FlattenRequested,
    LinkChanged,
    PredictionReceived,
    PredictionSourceChanged,
    PredictionUnreadable,
    ReplayDiffered,
    ResumeRequested,
    StopRequested,
    SuspendRequested,
    Woke,
)
from core.losses import halt
from core.tending import tend
from core.vocabulary import ExitReason, Link, Severity

LINK_ALERT_MS = 10_000
"""An outage shorter than this is not worth a person's time."""

AUDIT_MS = 120_000
"""While anything is open the broker is read back so often, so that a message that was lost on the way is not missed."""


# --- predictions --------------------------------------------------------------------------------------------------


def on_prediction_received(desk: Desk, event: PredictionReceived) -> None:
    """Decide, exactly once."""
    book = decide(desk, event.prediction)
    if book is not None:
        tend(desk, book)


def on_prediction_unreadable(desk: Desk, event: PredictionUnreadable) -> None:
    """An unreadable answer is a refusal too."""
    refuse_unreadable(desk, event.asked_ticker, event.problem)


def on_prediction_source_changed(desk: Desk, event: PredictionSourceChanged) -> None:
    """A dead source stops new entries by its silence, and nothing else; a person is told."""
    if event.available:
        desk.clear("predictions", "The prediction source answers again.")
    else:
        desk.alert(Severity.WARNING, "predictions", "No predictions", f"{event.problem}; exits and closure go on.")


# --- the connection -----------------------------------------------------------------------------------------------


def on_link_changed(desk: Desk, event: LinkChanged) -> None:
    """Up: ask before deciding. Down: whatever was in flight is UNKNOWN."""
    state = desk.state
    was_lost = state.link is Link.LOST
    state.link, state.link_reason = event.link, event.reason
    for book in state.books.values():
        book.awaits_history, book.held_since_ms = True, state.now_ms
        if event.link is Link.CONNECTED:  # what was seen before an outage is no fresh price after it
            book.quote, book.data_seen_ms = None, None
    if event.link is Link.CONNECTED:
        desk.clear("link", "The connection is back.")
    else:
        desk.wake("link", state.now_ms + LINK_ALERT_MS)
    if event.link is Link.LOST:
        _lose(desk)
    elif was_lost or event.restored or event.link is Link.CONNECTED:
        _ask(desk)


def _lose(desk: Desk) -> None:
    """The broker's side is unknown from now on."""
    desk.state.reconciled, desk.state.read_step, desk.state.read_again = False, 0, False
    for book in desk.state.books.values():
        for order in book.orders.values():
            desk.hear(book, order, Heard.LINK_LOST)


def _ask(desk: Desk) -> None:
    """Before anything is decided: what did the broker do meanwhile? And the day's times are set anew.

    The first answer may be to a question that was under way already: it counts for that one, and another is asked.
    """
    state = desk.state
    under_way = state.read_step
    state.reconciled, state.read_step, state.read_again = False, 0, under_way > 0
    for timer, at_ms in (
        ("open", desk.plan.open_ms),
        ("closure", desk.plan.closure_ms),
        ("deadline", desk.plan.deadline_ms),
    ):
        if state.now_ms < at_ms:
            desk.wake(timer, at_ms)
    for book in state.books.values():
        for order in book.orders.values():
            order.ending_ms = None  # a cancel may have been lost with the link: it is sent anew, with its own time
    desk.wake("audit", state.now_ms + AUDIT_MS)
    if state.now_ms >= desk.plan.deadline_ms:
        state.deadline_passed = True
    desk.read_broker("the link came up")
    state.read_step = under_way or state.read_step


def on_account_read(desk: Desk, event: AccountRead) -> None:
    """Keep the buying power; an answer that lacks it does not make the known one unknown."""
    if event.buying_power is not None:
        desk.state.buying_power = event.buying_power


def on_replay_differed(desk: Desk, event: ReplayDiffered) -> None:
    """A halt is for the whole day, whatever the limits say now; and no order's reference is ever used twice."""
    desk.state.next_number = max(desk.state.next_number, event.next_number)
    if event.halted and not desk.state.halted:
        halt(desk, event.halted)


# --- timers -------------------------------------------------------------------------------------------------------


def on_woke(desk: Desk, event: Woke) -> None:
    """A timer fired."""
    name, _, ticker = event.timer.partition("/")
    if name == "tend" and ticker in desk.state.books:
        book = desk.state.books[ticker]
        book.alarm_ms = None
        tend(desk, book)
    elif name == "open":
        desk.settle_phase()
    elif name == "closure":
        begin_closing(desk, "closure")
    elif name == "deadline":
        begin_closing(desk, "deadline")
        pass_deadline(desk)
    elif name == "link" and desk.state.link is not Link.CONNECTED:
        desk.alert(
            Severity.CRITICAL,
            "link",
            f"Connection {desk.state.link}",
            f"{desk.state.link_reason}; no entries, stops stay at the broker.",
        )
    elif name == "audit":
        desk.wake("audit", desk.state.now_ms + AUDIT_MS)
        if not all(book.is_idle for book in desk.state.books.values()):
            desk.read_broker("audit")
    elif name == "read" and desk.state.read_step and desk.state.link is not Link.LOST:
        desk.out.append(ReadBroker("the last question was not answered"))
        desk.wake("read", desk.state.now_ms + READ_MS)


# --- people -------------------------------------------------------------------------------------------------------


def on_flatten_requested(desk: Desk, event: FlattenRequested) -> None:
    """Exit; never blocked by any limit. The whole account means foreign orders and shares too.

    The orders are cancelled at once, and once more where the read-back still lists foreign ones: without a link the
    first word reaches nobody.
    """
    if not event.whole_account:
        flatten(desk, ExitReason.FLATTEN, event.tickers)
        return
    desk.out.append(CancelEverything())
    desk.state.flattens_account = True
    desk.read_broker("what does the account hold?")
    for book in list(desk.state.books.values()):
        exit_protocol.begin(desk, book, ExitReason.FLATTEN, whole_account=True)
        tend(desk, book)


def on_suspend_requested(desk: Desk, event: SuspendRequested) -> None:
    """No entries until resumed, also where whoever asked gave no name."""
    desk.state.suspended = event.requested_by or "somebody"
    desk.settle_phase()


def on_resume_requested(desk: Desk, event: ResumeRequested) -> None:
    """Entries again, the circuit breaker of rejects included; a halt stays."""
    desk.state.suspended = ""
    desk.state.rejects_in_a_row = 0
    desk.settle_phase()


def on_stop_requested(desk: Desk, event: StopRequested) -> None:
    """Flatten, verify, end."""
    begin_closing(desk, f"stopped by {event.requested_by}")
