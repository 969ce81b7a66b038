"""One trading day: the engine, its journal, and the carrying out of its commands. Decides nothing itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from core.codec import compile_writers, encode
from core.commands import (
    ClearAlert,
    Command,
    PlaceBracket,
    RaiseAlert,
    ReadBroker,
    ReadHistory,
    WakeAt,
)
from core.engine import Engine
from core.events import Event, SuspendRequested, Woke
from core.records import Alert
from core.vocabulary import Severity
from db.journal import Journal, JournalError, JournalMismatch, JournalRow, JournalTakenOver
from runtime.inbox import Inbox
from runtime.ports import AlertSink, Broker, Clock
from runtime.timers import Timers


class Session:
    """Takes events in, steps the engine, journals, then sends. All on one thread, never waiting for a network.

    `request_read` is called for each `ReadBroker`, `request_history` for each `ReadHistory`.
    """

    def __init__(
        self,
        *,
        engine: Engine,
        journal: Journal,
        timers: Timers,
        clock: Clock,
        alerts: AlertSink,
        request_read: Callable[[str], None],
        request_history: Callable[[str], None],
    ) -> None:
        self.engine = engine
        self.inbox = Inbox()
        self.timers = timers
        self.clock = clock
        self.broker: Broker | None = None
        self.journal_full = False
        self._entries_stopped = False
        self._journal = journal
        self.alerts = alerts
        self._request_read = request_read
        self._request_history = request_history
        self._sequence = journal.last_sequence
        self._pumping = False
        compile_writers(Event, Command)

    def pump(self) -> None:
        """Step the engine through everything that waits. Not re-entrant: events raised meanwhile wait their turn."""
        if self._pumping:
            return
        self._pumping = True
        try:
            while events := self.inbox.drain(self.clock.now_ms()):
                self._step(events)
        finally:
            self._pumping = False

    def take(self, events: Iterable[Event]) -> None:
        """Step the engine through these events at once: ahead of what waits in the inbox, behind the newest quotes."""
        now_ms = self.clock.now_ms()
        taken = (*self.inbox.take_quotes(), *events)
        stamped = [event if event.at_ms == now_ms else replace(event, at_ms=now_ms) for event in taken]
        if stamped:
            self._step(stamped)

    def fire_timers(self) -> None:
        """Let every due timer fire."""
        now_ms = self.clock.now_ms()
        self.take([Woke(now_ms, timer) for timer in self.timers.take_due(now_ms)])

    def _step(self, events: Sequence[Event]) -> None:
        rows: list[JournalRow] = []
        commands: list[Command] = []
        for event in events:
            answer = self.engine.step(event)
            self._sequence += 1
            rows.append(JournalRow(self._sequence, event.at_ms, encode(event), encode(answer) if answer else ""))
            commands.extend(answer)
        if not self._journalled(rows):
            # An entry without a journal could be doubled after a crash; exits and protection must go on all the same.
            commands = [command for command in commands if not isinstance(command, PlaceBracket)]
        if commands:
            self._carry_out(commands)
            self._settle()

    def _journalled(self, rows: list[JournalRow]) -> bool:
        """Make the rows durable; where commands wait for that, in the quicker place until these have left."""
        if self.journal_full:
            return False
        try:
            if any(row.commands for row in rows):
                self._journal.hold(rows)
            else:
                self._journal.append(rows)
        except (JournalTakenOver, JournalMismatch):
            raise
        except JournalError as problem:
            self._stop_journalling(problem)
            return False
        if self._journal.low_on_space and not self._entries_stopped:
            self._stop_entries()
        return True

    def _settle(self) -> None:
        if self.journal_full:
            return
        try:
            self._journal.settle()
        except JournalTakenOver:
            raise
        except JournalError as problem:
            self._stop_journalling(problem)

    def _stop_journalling(self, problem: JournalError) -> None:
        """Full, failing, damaged or locked: a successor could not write it either, and would not even begin."""
        self.journal_full = True
        now_ms = self.clock.now_ms()
        self.inbox.put(SuspendRequested(now_ms, "journal"))
        text = f"{problem} No entries from now on; exits and the closure go on. Free space and restart the session."
        title = "The local journal cannot be written"
        self.alerts.send(Alert(now_ms, Severity.CRITICAL, "journal_full", title, text))

    def _stop_entries(self) -> None:
        """What the journal had set aside is for the rows of the exits."""
        self._entries_stopped = True
        now_ms = self.clock.now_ms()
        self.inbox.put(SuspendRequested(now_ms, "journal"))
        text = f"{self._journal.path} has no more than its last reserve. No entries from now on; exits and the closure"
        text += " go on. Free space, then `trader resume`."
        self.alerts.send(Alert(now_ms, Severity.CRITICAL, "journal_low", "The disk is full", text))

    def _carry_out(self, commands: Sequence[Command]) -> None:
        if self.broker is not None:
            self.broker.send(tuple(commands))
        for command in commands:
            match command:
                case WakeAt(timer, at_ms):
                    self.timers.set(timer, at_ms)
                case ReadBroker(reason):
                    self._request_read(reason)
                case ReadHistory(ticker):
                    self._request_history(ticker)
                case RaiseAlert(alert):
                    self.alerts.send(alert)
                case ClearAlert(at_ms, key, text):
                    self.alerts.clear(at_ms, key, text)
                case _:
                    pass  # orders went out above; records reach Postgres through the journal
