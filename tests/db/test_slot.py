"""The journal's slot: rows whose orders wait are durable there first, and reach SQLite whatever happens."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config import load_settings
from core.codec import encode
from core.events import Woke
from db.journal import Journal, JournalError, JournalFull, JournalMismatch, JournalRow, JournalTakenOver
from db.journal_reader import JournalReader
from db.journal_row import pack, rows_in_slot, slot_path
from db.ship import JournalFile
from db.slot import SLOT_BYTES, Slot, read_slot
from runtime.bootstrap import open_session
from runtime.planning import plan_for, session_folder

SESSION = "DU1234567-20240605"


def rows(first: int, last: int, text: str = "x") -> list[JournalRow]:
    return [JournalRow(n, 1_000 * n, f'{{"type":"Woke","timer":"{text}{n}"}}', "[]") for n in range(first, last + 1)]


def stored(journal: Path) -> list[int]:
    """The rows that SQLite has."""
    with sqlite3.connect(journal) as connection:
        return [sequence for (sequence,) in connection.execute("SELECT sequence FROM rows ORDER BY sequence")]


def test_held_rows_are_read_by_everybody_before_and_after_they_settle(tmp_path: Path) -> None:
    with Journal.open(tmp_path, SESSION) as journal:
        journal.append(rows(1, 2))
        reader = JournalReader(journal.path)
        journal.hold(rows(3, 4))
        assert journal.last_sequence == reader.last_sequence() == 4
        assert stored(journal.path) == [1, 2]
        for _ in range(2):
            assert reader.read(0, limit=10) == rows(1, 4)
            assert reader.read(1, limit=2) == rows(2, 3)
            assert reader.read(3, limit=10) == rows(4, 4)
            assert reader.read(4, limit=10) == []
            journal.settle()
        assert stored(journal.path) == [1, 2, 3, 4]
        reader.close()


@pytest.mark.parametrize("then", ["append", "hold", "read", "close"])
def test_whatever_comes_next_settles_what_is_held(tmp_path: Path, then: str) -> None:
    with Journal.open(tmp_path, SESSION) as journal:
        journal.hold(rows(1, 1))
        if then == "read":
            assert list(journal.read()) == rows(1, 1)
        elif then != "close":
            getattr(journal, then)(rows(2, 2))
    assert stored(journal.path) == ([1, 2] if then in ("append", "hold") else [1])


KILLED = """
import os, signal, sys
from pathlib import Path
from db.journal import Journal, JournalRow
journal = Journal.open(Path(sys.argv[1]), sys.argv[2])
journal.append([JournalRow(1, 1, "first", "")])
journal.hold([JournalRow(2, 2, "decided", "orders"), JournalRow(3, 3, "and more", "")])
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_process_held_is_read_and_taken_over(tmp_path: Path) -> None:
    killed = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path), SESSION], check=False)
    assert killed.returncode == -signal.SIGKILL
    path = tmp_path / f"{SESSION}.journal"
    assert stored(path) == [1]
    reader = JournalReader(path)
    assert [row.event for row in reader.read(0, limit=10)] == ["first", "decided", "and more"]
    reader.close()
    with Journal.open(tmp_path, SESSION) as journal:
        assert journal.last_sequence == 3
        assert stored(path) == [1, 2, 3]
        assert read_slot(slot_path(path)) == b""
        journal.append([JournalRow(4, 4, "after", "")])


def test_a_row_too_long_for_the_slot_goes_to_sqlite_at_once(tmp_path: Path) -> None:
    with Journal.open(tmp_path, SESSION) as journal:
        journal.hold(rows(1, 1, "x" * SLOT_BYTES))
        assert stored(journal.path) == [1]
        assert read_slot(slot_path(journal.path)) == b""


def test_a_gap_is_refused_and_the_slot_keeps_what_it_had(tmp_path: Path) -> None:
    with Journal.open(tmp_path, SESSION) as journal:
        journal.hold(rows(1, 1))
        with pytest.raises(JournalMismatch, match="does not follow row"):
            journal.hold(rows(3, 3))
        assert list(rows_in_slot(journal.path, 0)) == rows(1, 1)


def test_on_a_full_disk_a_held_row_stays_in_the_slot_and_its_successor_stores_it(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path, SESSION, reserve_bytes=0)
    used = journal._connection.execute("PRAGMA page_count").fetchone()[0]
    journal._connection.execute(f"PRAGMA max_page_count = {used}")  # SQLite finds no more room, as on a full disk
    journal.hold(rows(1, 1, "x" * 30_000))
    for _ in range(2):
        with pytest.raises(JournalFull):
            journal.settle()
    with pytest.raises(JournalFull):
        journal.append(rows(2, 2))
    assert list(rows_in_slot(journal.path, 0)) == rows(1, 1, "x" * 30_000)
    with pytest.raises(JournalFull):
        journal.close()
    with Journal.open(tmp_path, SESSION) as successor:
        assert list(successor.read()) == rows(1, 1, "x" * 30_000)


def test_without_a_slot_rows_go_to_sqlite_before_their_orders(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / f"{SESSION}.slot-new").mkdir()  # nothing can be made in its place
    with Journal.open(tmp_path, SESSION) as journal:
        journal.hold(rows(1, 1))
        assert stored(journal.path) == [1]
    assert "no slot" in caplog.text


def make_unreadable(slot: Path) -> None:
    """As a failing disk does, or another user: also for root, who runs these tests."""
    slot.unlink(missing_ok=True)
    slot.symlink_to(slot)


@pytest.mark.parametrize("was_killed", [True, False])
async def test_a_slot_that_cannot_be_read_keeps_no_session_from_beginning(
    was_killed: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = load_settings({"state_folder": tmp_path, "tickers": "GLD"}, environment={}, env_file=tmp_path / "none")
    plan = plan_for(settings, "2024-06-05")
    with Journal.open(session_folder(settings, plan), plan.session) as journal:
        journal.append([JournalRow(1, 0, encode(Woke(0, "any")), "")])
        journal.ends_well = not was_killed
    make_unreadable(slot_path(journal.path))
    async with open_session(settings, plan.date) as host:
        assert host.session._journal.last_sequence == 1
        host.session._journal.hold(rows(2, 2))
        assert [row.sequence for row in rows_in_slot(journal.path, 1)] == [2]
    assert stored(journal.path)[:2] == [1, 2]
    assert ("The journal's newest rows cannot be read" in caplog.text) == was_killed


def test_who_reads_beside_a_slot_that_cannot_be_read_names_the_file(tmp_path: Path) -> None:
    with Journal.open(tmp_path, SESSION) as journal:
        make_unreadable(slot_path(journal.path))
        with pytest.raises(JournalError, match=str(journal.path)):
            _ = JournalFile(journal.path, SESSION, journal.epoch).last_sequence


def test_what_a_successor_took_from_the_slot_is_not_stored_again(tmp_path: Path) -> None:
    replaced = Journal.open(tmp_path, SESSION)
    replaced.hold(rows(1, 1))
    (tmp_path / f"{SESSION}.lock").unlink()  # as by hand, while it slept behind the first byte of an order
    with Journal.open(tmp_path, SESSION) as successor:
        assert list(successor.read()) == rows(1, 1)
        with pytest.raises(JournalTakenOver):
            replaced.settle()
        replaced.close()
        assert stored(successor.path) == [1]


@pytest.mark.parametrize("write", ["append", "settle"])
def test_a_row_of_a_process_that_slept_behind_its_look_at_the_fence_is_refused(tmp_path: Path, write: str) -> None:
    """Its successor's next row would have had the same number, and ended that one."""
    replaced = Journal.open(tmp_path, SESSION)
    replaced.fence.is_passed = lambda: bool(replaced.fence._shut)  # type: ignore[method-assign]  # stopped behind it
    if write == "settle":
        replaced.hold(rows(1, 1))
        slot_path(replaced.path).unlink()
    (tmp_path / f"{SESSION}.lock").unlink()
    with Journal.open(tmp_path, SESSION) as successor:
        with pytest.raises(JournalTakenOver, match="has a higher epoch than ours, 1"):
            replaced.settle() if write == "settle" else replaced.append(rows(1, 1))
        successor.append(rows(1, 2, "y"))
        replaced.close()
        assert list(successor.read()) == rows(1, 2, "y")


def test_who_opens_looks_into_the_slot_behind_a_raised_fence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What its predecessor, alive although its lock is gone, puts there afterwards must not be followed by orders."""
    replaced = Journal.open(tmp_path, SESSION)
    (tmp_path / f"{SESSION}.lock").unlink()

    def look(path: Path) -> bytes:
        with pytest.raises(JournalTakenOver):
            replaced.hold(rows(1, 1))
        return read_slot(path)

    monkeypatch.setattr("db.journal_row.read_slot", look)
    with Journal.open(tmp_path, SESSION) as successor:
        replaced.close()
        assert successor.last_sequence == 0


def test_a_process_that_slept_through_a_takeover_does_not_write_into_its_successors_slot(tmp_path: Path) -> None:
    asleep, path = Slot(tmp_path / "a.slot"), tmp_path / "a.slot"
    successor = Slot(path)
    successor.put(b"ours")
    asleep.put(b"theirs")
    assert read_slot(path) == b"ours"
    asleep.close()
    successor.close()


@given(before=st.binary(max_size=200), text=st.binary(min_size=1, max_size=200), share=st.floats(0, 1))
def test_a_copy_cut_short_is_none_or_the_one_before(
    tmp_path_factory: pytest.TempPathFactory, before: bytes, text: bytes, share: float
) -> None:
    path = tmp_path_factory.mktemp("cut") / "a.slot"
    slot = Slot(path)
    slot.put(before)
    old = path.read_bytes()
    slot.put(text)
    new = path.read_bytes()
    slot.close()
    cut = int(share * (8 + len(text)))
    path.write_bytes(new[:cut] + old[cut:])
    assert read_slot(path) in (b"", before, text)
    path.write_bytes(new[:cut])
    assert read_slot(path) in (b"", text)


def test_no_slot_and_an_empty_file_hold_nothing(tmp_path: Path) -> None:
    assert read_slot(tmp_path / "none.slot") == b""
    (tmp_path / "empty.slot").touch()
    assert read_slot(tmp_path / "empty.slot") == b""


@given(st.lists(st.text(), min_size=1, max_size=4))
def test_rows_of_any_text_come_back(texts: list[str]) -> None:
    some = [JournalRow(n, n, json.dumps(text), "") for n, text in enumerate(texts, 1)]
    lines = pack(some).decode().split("\n")[:-1]
    assert [line.split("\t")[2] for line in lines] == [row.event for row in some]
