"""From journal rows to the tables that people query: each row is applied once, in order, by the shipper.

A table's row is changed only here (and by the reconciliation); from the same journal come the same tables, however it
was cut into batches.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy.orm import Session

from core.codec import decode
from core.commands import Commands
from db.journal import JournalRow
from db.projections.events import EVENTS
from db.projections.place import Place, Subject
from db.projections.records import COMMANDS

_NAME_BEGIN = len('{"type":"')


def event_name(event: str) -> str:
    """The kind of an encoded event, without decoding the rest."""
    return event[_NAME_BEGIN : event.index('"', _NAME_BEGIN)]


def project(tables: Session, subject: Subject, rows: Iterable[JournalRow]) -> None:
    """Apply these rows of the subject's journal. Raises InvalidValueError for a row that this program cannot read."""
    for row in rows:
        on_event = EVENTS.get(event_name(row.event))
        if on_event is not None:
            on_event(tables, Place(subject, row.sequence, row.at_ms), decode(row.event))
        if row.commands:
            for part, command in enumerate(decode(row.commands, Commands)):
                on_command = COMMANDS.get(type(command))
                if on_command is not None:
                    on_command(tables, Place(subject, row.sequence, row.at_ms, part), command)
