"""The shipper when things go wrong: killed processes, a killed, full, slow or absent database, another's journal."""

from __future__ import annotations

import queue
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from db.engine import open_database
from db.journal import Journal, JournalRow
from db.journal_reader import JournalReader
from db.journal_row import slot_path
from db.migrate import upgrade
from db.outbox import Shipper, ShippingState
from runtime.stack.postgres import EmbeddedPostgres
from tests.support.journals import SESSION
from tests.support.postgres import kill_server
from tests.support.shipping import DAY, ENOUGH_SECONDS, Tables, ship_all, tables

HALF = len(DAY) // 2


class Watched:
    """A shipper whose changes of health can be waited for."""

    def __init__(self, journal: Journal, url: str) -> None:
        self.states: queue.SimpleQueue[ShippingState] = queue.SimpleQueue()
        self.shipper = Shipper(journal, url, on_state=self.states.put, batch_rows=20)
        self.shipper.start()

    def wait(self, *, healthy: bool) -> ShippingState:
        while True:
            state = self.states.get(timeout=ENOUGH_SECONDS)
            if state.healthy is healthy:
                return state

    def ship(self, journal: Journal, rows: list[JournalRow]) -> None:
        journal.append(rows)
        self.shipper.notify()


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal.open(tmp_path, SESSION) as opened:
        yield opened


def until(condition: Callable[[], bool]) -> None:
    """Ask again and again; each condition asks the database, which takes its time."""
    while not condition():
        pass


def execute(url: str, statement: str) -> None:
    with open_database(url).begin() as connection:
        connection.execute(text(statement))


@pytest.mark.long
def test_killed_again_and_again_it_ships_each_row_once(tmp_path: Path, postgres_url: str, whole_day: Tables) -> None:
    for batch, moment in [(0, "inside"), (0, "after"), (2, "inside"), (1, "after"), (1, "inside")]:
        arguments = [str(tmp_path), postgres_url, "30", str(batch), moment]
        done = subprocess.run([sys.executable, "-m", "tests.db.shipped_and_killed", *arguments], check=False)
        assert done.returncode == -9
    with Journal.open(tmp_path, SESSION) as journal:
        journal.append(DAY[journal.last_sequence :])
        ship_all(journal, postgres_url)
    assert tables(postgres_url) == whole_day


def test_postgres_killed_inside_a_transaction_loses_nothing(
    journal: Journal, own_server: EmbeddedPostgres, whole_day: Tables
) -> None:
    own_server.start()
    url = own_server.ensure_database("trader")
    upgrade(url)
    watched = Watched(journal, url)
    watched.ship(journal, DAY[:HALF])
    assert watched.shipper.flush(ENOUGH_SECONDS)
    with open_database(url).connect() as blocker:
        blocker.execute(text("LOCK TABLE trades IN ACCESS EXCLUSIVE MODE"))
        watched.ship(journal, DAY[HALF:])
        until(lambda: someone_waits(blocker))
        kill_server(url)
        blocker.invalidate()
    watched.wait(healthy=False)
    own_server.start()
    assert watched.shipper.flush(ENOUGH_SECONDS), watched.shipper.state
    watched.wait(healthy=True)
    watched.shipper.stop()
    assert tables(url) == whole_day


def someone_waits(connection: Connection) -> bool:
    return bool(connection.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")))


def test_a_full_database_is_told_and_shipped_once_there_is_room(
    journal: Journal, postgres_url: str, whole_day: Tables
) -> None:
    execute(
        postgres_url,
        """
        CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END $$;
        CREATE TRIGGER no_room BEFORE INSERT ON trades FOR EACH ROW EXECUTE FUNCTION no_room();
        """,
    )
    watched = Watched(journal, postgres_url)
    watched.ship(journal, DAY)
    assert "No space left on device" in watched.wait(healthy=False).problem
    assert not watched.shipper.flush(timeout_seconds=0.0)
    assert 0 < watched.shipper.state.shipped_sequence < len(DAY)
    execute(postgres_url, "DROP TRIGGER no_room ON trades; DROP FUNCTION no_room()")
    assert watched.shipper.flush(ENOUGH_SECONDS)
    watched.shipper.stop()
    assert tables(postgres_url) == whole_day


def test_a_slow_database_holds_up_no_append(journal: Journal, postgres_url: str, whole_day: Tables) -> None:
    watched = Watched(journal, postgres_url)
    with open_database(postgres_url).connect() as blocker:
        blocker.execute(text("LOCK TABLE journal IN ACCESS EXCLUSIVE MODE"))
        watched.ship(journal, DAY[:1])
        until(lambda: someone_waits(blocker))
        for row in DAY[1:]:
            watched.ship(journal, [row])
        assert journal.last_sequence == len(DAY)
        assert someone_waits(blocker)
    assert watched.shipper.flush(ENOUGH_SECONDS)
    watched.shipper.stop()
    assert tables(postgres_url) == whole_day


def test_a_database_that_comes_later_gets_everything(
    tmp_path: Path, journal: Journal, own_server: EmbeddedPostgres, whole_day: Tables
) -> None:
    own_server.start()
    url = own_server.ensure_database("trader")
    upgrade(url)
    own_server.stop()
    watched = Watched(journal, url)
    watched.ship(journal, DAY[:HALF])
    assert "refused" in watched.wait(healthy=False).problem
    watched.shipper.stop()  # with nobody there it waits for nothing
    watched = Watched(journal, url)
    watched.ship(journal, DAY[HALF:])
    own_server.start()
    assert watched.shipper.flush(ENOUGH_SECONDS)
    watched.shipper.stop()
    assert tables(url) == whole_day


def test_a_slot_that_cannot_be_read_is_told_and_tried_again(
    tmp_path: Path, journal: Journal, postgres_url: str, whole_day: Tables
) -> None:
    slot = slot_path(journal.path)
    slot.rename(tmp_path / "away")
    slot.symlink_to(slot)
    journal.append(DAY)
    watched = Watched(journal, postgres_url)
    assert not watched.wait(healthy=False).hopeless
    (tmp_path / "away").replace(slot)
    watched.wait(healthy=True)
    assert watched.shipper.flush(ENOUGH_SECONDS)
    watched.shipper.stop()
    assert tables(postgres_url) == whole_day


def test_a_full_disk_while_the_database_is_away_stops_no_shipper(
    small_disk: Path, own_server: EmbeddedPostgres, whole_day: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The WAL cannot be folded then. An embedded database is away for the same reason."""
    monkeypatch.setattr("db.outbox.CHECKPOINT_SECONDS", 0.0)
    url = own_server.start()
    upgrade(url)
    kill_server(url)
    with Journal.open(small_disk, SESSION, reserve_bytes=0) as journal:
        journal.append(DAY)
        with suppress(OSError):
            (small_disk / "fill").write_bytes(bytes(2_000_000))
        reader = JournalReader(journal.path)
        with pytest.raises(sqlite3.OperationalError, match="disk is full"):
            reader.checkpoint()
        reader.close()
        watched = Watched(journal, url)
        watched.wait(healthy=False)
        own_server.start()
        watched.wait(healthy=True)
        assert watched.shipper.flush(ENOUGH_SECONDS)
        watched.shipper.stop()
        assert tables(url) == whole_day
        (small_disk / "fill").unlink()


def test_another_journal_under_the_same_name_is_not_mixed_in(tmp_path: Path, postgres_url: str) -> None:
    with Journal.open(tmp_path / "one", SESSION) as journal:
        journal.append(DAY[:HALF])
        ship_all(journal, postgres_url)
    before = tables(postgres_url)
    with Journal.open(tmp_path / "two", SESSION) as journal:
        watched = Watched(journal, postgres_url)
        assert "the file was lost or replaced" in watched.wait(healthy=False).problem
        watched.ship(journal, [JournalRow(row.sequence, row.at_ms + 1, row.event, "[]") for row in DAY])
        assert not watched.shipper.flush(timeout_seconds=0.0)
        watched.shipper.stop()
    assert tables(postgres_url) == before


def test_a_writer_that_was_taken_over_ships_nothing_more(tmp_path: Path, postgres_url: str) -> None:
    with Journal.open(tmp_path / "new", SESSION, epoch_above=4) as journal:
        journal.append(DAY[:HALF])
        ship_all(journal, postgres_url)
    before = tables(postgres_url)
    with Journal.open(tmp_path / "old", SESSION) as journal:
        journal.append(DAY)
        watched = Watched(journal, postgres_url)
        assert "was taken over: Postgres has epoch 5" in watched.wait(healthy=False).problem
        watched.shipper.stop()
    assert tables(postgres_url) == before
