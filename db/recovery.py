"""Opening a session's journal when the local file may lack what Postgres has: lost, or cut short by a loss of power."""

from __future__ import annotations

import logging
from itertools import islice
from pathlib import Path

from sqlalchemy import func, text, update

from db import models
from db.engine import DatabaseError, open_database
from db.journal import Journal, JournalRow
from db.queries import read_journal, session_state

APPEND_ROWS = 5_000
CLAIM_SECONDS = 3
"""A shipper's transaction takes less; one that hangs holds up neither a restart nor a takeover."""

log = logging.getLogger(__name__)


def open_journal(folder: Path, session: str, url: str | None) -> Journal:
    """Open the journal for writing, completed by the rows that only Postgres has, under an epoch above every other.

    Without a database, or with it away, the local file is all there is. Raises what `Journal.open` raises.
    """
    try:
        known = session_state(url, session) if url else None
    except DatabaseError as error:
        log.warning("Postgres cannot be asked for rows of session %s that the local file lacks: %s", session, error)
        known = None
    if url is None or known is None:
        return Journal.open(folder, session)
    journal = Journal.open(folder, session, epoch_above=known.epoch)
    try:
        _claim(url, session, journal.epoch)
        _complete(journal, url)
    except BaseException:
        journal.close()
        raise
    return journal


def _claim(url: str, session: str, epoch: int) -> None:
    """From here on Postgres takes no rows of an earlier epoch: the shipper of a killed process may still have some.

    Where Postgres cannot be written (read-only, full, the row held by a transaction that hangs), it takes none of that
    shipper's rows either, or later takes one journal for another and says so: no reason not to start.
    """
    row = models.Session
    try:
        with open_database(url).begin() as connection:
            connection.execute(text(f"SET LOCAL lock_timeout = '{CLAIM_SECONDS}s'"))
            connection.execute(update(row).where(row.session == session).values(epoch=func.greatest(row.epoch, epoch)))
    except DatabaseError as error:
        log.warning("Postgres does not note that session %s is at epoch %d now: %s", session, epoch, error)


def _complete(journal: Journal, url: str) -> None:
    before = journal.last_sequence
    try:
        missing = read_journal(url, journal.session, after_sequence=max(0, before - 1))
        if before and not _is_same(next(missing, None), journal):
            return
        while rows := list(islice(missing, APPEND_ROWS)):
            journal.append(rows)
    except DatabaseError as error:
        log.warning("Postgres went away before its rows of session %s were read: %s", journal.session, error)
    if journal.last_sequence > before:
        log.warning("%s lacked rows %d to %d: taken from Postgres", journal.path, before + 1, journal.last_sequence)


def _is_same(theirs: JournalRow | None, journal: Journal) -> bool:
    """Whether the file's newest row is that of Postgres, which then has what follows it.

    If it is another, the file was begun anew without the database, or another machine has had the session since: no
    day consists of the beginning of the one and the end of the other. The shipper, which may not go on either, tells.
    """
    ours = next(journal.read(journal.last_sequence - 1))
    if theirs is not None and (theirs.event, theirs.commands) != (ours.event, ours.commands):
        log.error("row %d of %s is not that of Postgres: nothing is taken from there", ours.sequence, journal.path)
        return False
    return theirs is not None
