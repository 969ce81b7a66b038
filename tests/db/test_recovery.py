"""A journal whose file is lost or cut short is completed from Postgres; without Postgres the file is all there is."""

from __future__ import annotations

from pathlib import Path
from queue import SimpleQueue

import pytest
from sqlalchemy import make_url, text

from db import recovery
from db.engine import open_database
from db.journal import Journal, JournalRow
from db.outbox import Shipper, ShippingState
from db.recovery import open_journal
from tests.support.journals import SESSION
from tests.support.shipping import DAY, ENOUGH_SECONDS, ship_all, tables

HALF = len(DAY) // 2


def ship(folder: Path, url: str, epoch_above: int = 0) -> None:
    with Journal.open(folder, SESSION, epoch_above=epoch_above) as journal:
        journal.append(DAY)
        ship_all(journal, url)


@pytest.mark.parametrize("left", [0, HALF, len(DAY)])
def test_what_only_postgres_has_is_taken_from_it(
    tmp_path: Path, postgres_url: str, left: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recovery, "APPEND_ROWS", 7)
    ship(tmp_path / "lost", postgres_url, epoch_above=4)
    before = tables(postgres_url)
    if left:
        with Journal.open(tmp_path / "left", SESSION) as journal:
            journal.append(DAY[:left])
    with open_journal(tmp_path / "left", SESSION, postgres_url) as journal:
        assert list(journal.read()) == DAY
        assert journal.epoch == 6
        ship_all(journal, postgres_url)  # and Postgres takes it for the same
    assert tables(postgres_url) == before


def test_rows_that_postgres_lacks_stay(tmp_path: Path, postgres_url: str) -> None:
    with Journal.open(tmp_path, SESSION) as journal:
        journal.append(DAY[:HALF])
        ship_all(journal, postgres_url)
        journal.append(DAY[HALF:])
    with open_journal(tmp_path, SESSION, postgres_url) as journal:
        assert list(journal.read()) == DAY


def test_another_journal_of_the_session_is_not_continued_with_rows_of_postgres(
    tmp_path: Path, postgres_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Begun anew while Postgres was away, or of a machine that lost its power and was replaced by another since."""
    ship(tmp_path / "other", postgres_url)
    before = tables(postgres_url)
    ours = [JournalRow(row.sequence, row.at_ms + 1, row.event, "[]") for row in DAY[:HALF]]
    with Journal.open(tmp_path, SESSION) as journal:
        journal.append(ours)
    with open_journal(tmp_path, SESSION, postgres_url) as journal:
        assert list(journal.read()) == ours
        assert "is not that of Postgres" in caplog.text
        states: SimpleQueue[ShippingState] = SimpleQueue()
        shipper = Shipper(journal, postgres_url, on_state=states.put)
        shipper.start()
        assert "the file was lost or replaced" in states.get(timeout=ENOUGH_SECONDS).problem
        shipper.stop()
    assert tables(postgres_url) == before


def test_a_shipper_that_outlives_its_process_adds_nothing_to_what_was_recovered(
    tmp_path: Path, postgres_url: str
) -> None:
    """The file is gone, but the shipper of the killed process has it open still, with rows that it has not shipped."""
    with Journal.open(tmp_path / "lost", SESSION) as killed:
        killed.append(DAY[:HALF])
        states: SimpleQueue[ShippingState] = SimpleQueue()
        outliving = Shipper(killed, postgres_url, on_state=states.put)
        outliving.start()
        assert outliving.flush(ENOUGH_SECONDS), outliving.state
        with open_journal(tmp_path / "new", SESSION, postgres_url) as journal:
            killed.append(DAY[HALF:])
            outliving.notify()
            assert "was taken over" in states.get(timeout=ENOUGH_SECONDS).problem
            assert list(journal.read()) == DAY[:HALF]
            journal.append(DAY[HALF:])
            ship_all(journal, postgres_url)
        outliving.stop()


def test_a_session_that_nobody_knows_begins_empty(tmp_path: Path, postgres_url: str) -> None:
    with open_journal(tmp_path, SESSION, postgres_url) as journal:
        assert (journal.last_sequence, journal.epoch) == (0, 1)


@pytest.mark.parametrize("url", [None, "postgresql://nobody@127.0.0.1:1/none"])
def test_without_a_database_the_file_is_all_there_is(tmp_path: Path, url: str | None) -> None:
    with Journal.open(tmp_path, SESSION) as journal:
        journal.append(DAY[:HALF])
    with open_journal(tmp_path, SESSION, url) as journal:
        assert list(journal.read()) == DAY[:HALF]


READ_ONLY = "ALTER DATABASE {0} SET default_transaction_read_only = on"


def test_a_database_that_only_reads_holds_up_no_restart(tmp_path: Path, postgres_url: str) -> None:
    """It is full, or a standby: what it has is taken, and that it notes nothing is no reason not to close positions."""
    ship(tmp_path / "lost", postgres_url, epoch_above=4)
    with open_database(postgres_url).begin() as connection:
        connection.execute(text(READ_ONLY.format(make_url(postgres_url).database)))
    with open_journal(tmp_path / "new", SESSION, postgres_url) as journal:
        assert list(journal.read()) == DAY
        assert journal.epoch == 6


def test_a_transaction_that_hangs_in_postgres_holds_up_no_restart(
    tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That of a stopped shipper, for example, or of a machine that is gone without a word."""
    monkeypatch.setattr(recovery, "CLAIM_SECONDS", 1)
    ship(tmp_path, postgres_url)
    with open_database(postgres_url).begin() as hanging:
        hanging.execute(text("SELECT 1 FROM sessions FOR UPDATE"))
        with open_journal(tmp_path, SESSION, postgres_url) as journal:
            assert list(journal.read()) == DAY
