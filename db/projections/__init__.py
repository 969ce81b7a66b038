"""From journal rows to the tables that people query: each row is applied once, in order, by the shipper.

A table's row is changed only here (and by the reconciliation); from the same journal come the same tables, however it
was cut into batches.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event, select
from sqlalchemy.orm import Session

from core.codec import decode
from core.commands import Commands
from core.events import BrokerRead, Event
from db.journal import JournalRow
from db.models import CommissionRecord, ExecutionRecord
from db.projections.events import EVENTS
from db.projections.place import Place, Subject
from db.projections.records import COMMANDS

_NAME_BEGIN = len('{"type":"')


def event_name(event: str) -> str:
    """The kind of an encoded event, without decoding the rest."""
    return event[_NAME_BEGIN : event.index('"', _NAME_BEGIN)]


def project(tables: Session, subject: Subject, rows: Iterable[JournalRow]) -> None:
    """Apply these rows of the subject's journal. Raises InvalidValueError for a row that this program cannot read."""
    with _remembered(tables) as kept:
        for row in rows:
            on_event = EVENTS.get(event_name(row.event))
            if on_event is not None:
                told = decode(row.event)
                _look_ahead(tables, subject, told, kept)
                on_event(tables, Place(subject, row.sequence, row.at_ms), told)
            if row.commands:
                for part, command in enumerate(decode(row.commands, Commands)):
                    on_command = COMMANDS.get(type(command))
                    if on_command is not None:
                        on_command(tables, Place(subject, row.sequence, row.at_ms, part), command)


@contextmanager
def _remembered(tables: Session) -> Iterator[list[Any]]:
    """Rows read or made inside stay in memory: else each look at the same order would ask the server again."""
    kept: list[Any] = []

    def keep(_: Session, row: Any) -> None:
        kept.append(row)

    moments = ("loaded_as_persistent", "pending_to_persistent")
    for moment in moments:
        event.listen(tables, moment, keep)
    try:
        yield kept
    finally:
        for moment in moments:
            event.remove(tables, moment, keep)


def _look_ahead(tables: Session, subject: Subject, told: Event, kept: list[Any]) -> None:
    """A read-back repeats the fills of the whole day: one question for all of them instead of one for each."""
    if not isinstance(told, BrokerRead):
        return
    known = {row.exec_id for row in kept if isinstance(row, ExecutionRecord | CommissionRecord)}
    ids = [execution.exec_id for execution in told.executions if execution.exec_id not in known]
    if ids:
        rows = select(ExecutionRecord).where(
            ExecutionRecord.account == subject.account, ExecutionRecord.exec_id.in_(ids)
        )
        tables.scalars(rows).all()
