"""A row of the journal, and where the rows of a session lie."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from db.slot import read_slot


@dataclass(frozen=True, slots=True)
class JournalRow:
    """One event with the commands that it caused, both as text (core.codec), numbered from 1 within the session."""

    sequence: int
    at_ms: int
    event: str
    commands: str  # empty when the event caused none


def journal_path(folder: Path, session: str) -> Path:
    """Where the session's journal lies in `folder`."""
    return folder / f"{session}.journal"


def slot_path(journal: Path) -> Path:
    """Where the rows lie that the journal's SQLite does not have yet."""
    return journal.with_suffix(".slot")


def pack(rows: Sequence[JournalRow]) -> bytes:
    """The rows as lines with tabs between the fields: compact JSON has neither."""
    return "".join([f"{row.sequence}\t{row.at_ms}\t{row.event}\t{row.commands}\n" for row in rows]).encode()


def rows_in_slot(journal: Path, after_sequence: int) -> Iterator[JournalRow]:
    """The rows of the journal's slot that continue those up to `after_sequence`."""
    for line in read_slot(slot_path(journal)).decode().split("\n")[:-1]:
        sequence, at_ms, event, commands = line.split("\t")
        if int(sequence) == after_sequence + 1:
            after_sequence += 1
            yield JournalRow(after_sequence, int(at_ms), event, commands)
