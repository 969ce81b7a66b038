"""The journal: durable at once, one writer, no gaps, typed when the disk is full."""

from __future__ import annotations

import fcntl
import signal
import sqlite3
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from db.journal import Journal, JournalFull, JournalLocked, JournalMismatch, JournalRow, is_locked, journal_path
from db.journal_reader import JournalReader

SESSION = "DU1234567-20240605"


def rows(first: int, last: int, text: str = "x") -> list[JournalRow]:
    return [JournalRow(n, 1_000 * n, f'{{"type":"Woke","timer":"{text}{n}"}}', "") for n in range(first, last + 1)]


def test_what_was_appended_is_read_back_in_order(tmp_path: Path) -> None:
    with Journal.open(tmp_path, SESSION) as journal:
        journal.append(rows(1, 1))
        journal.append(rows(2, 40))
        assert journal.last_sequence == 40
        assert list(journal.read()) == rows(1, 40)
        assert list(journal.read(after_sequence=38)) == rows(39, 40)
    with Journal.open(tmp_path, SESSION) as journal:
        assert journal.last_sequence == 40
        assert list(journal.read()) == rows(1, 40)


def test_a_gap_or_repetition_is_refused_and_nothing_of_it_is_written(tmp_path: Path) -> None:
    with Journal.open(tmp_path, SESSION) as journal:
        journal.append(rows(1, 3))
        for wrong in (rows(3, 3), rows(5, 5), [*rows(4, 4), *rows(6, 6)]):
            with pytest.raises(JournalMismatch, match="does not follow row"):
                journal.append(wrong)
        assert list(journal.read()) == rows(1, 3)


def test_a_reader_sees_each_row_as_soon_as_it_is_appended(tmp_path: Path) -> None:
    with Journal.open(tmp_path, SESSION) as journal:
        reader = JournalReader(journal.path)
        journal.append(rows(1, 2))
        assert reader.read(0, limit=10) == rows(1, 2)
        journal.append(rows(3, 9))
        reader.checkpoint()
        assert reader.read(2, limit=3) == rows(3, 5)
        reader.close()


def test_every_writer_gets_a_higher_epoch(tmp_path: Path) -> None:
    epochs = []
    for epoch_above in (0, 0, 7, 0):
        with Journal.open(tmp_path, SESSION, epoch_above=epoch_above) as journal:
            epochs.append(journal.epoch)
    assert epochs == [1, 2, 8, 9]


def test_a_second_writer_is_refused_until_the_first_has_gone(tmp_path: Path) -> None:
    with Journal.open(tmp_path, SESSION), pytest.raises(JournalLocked, match=r"process \d+ is writing it"):
        Journal.open(tmp_path, SESSION)
    Journal.open(tmp_path, SESSION).close()


def test_who_looks_for_a_writer_is_none(tmp_path: Path) -> None:
    """A status beside the reconciliation, which would leave the shipping to a session that is none."""
    with Journal.open(tmp_path, SESSION) as journal:
        assert is_locked(tmp_path, SESSION)
    with journal.path.with_suffix(".lock").open() as looking:
        fcntl.flock(looking, fcntl.LOCK_SH)  # as `is_locked` does, and has not let go of yet
        assert not is_locked(tmp_path, SESSION)


def test_a_live_writer_is_seen_on_a_disk_that_has_turned_read_only(small_disk: Path) -> None:
    """It closes the day without its journal, and `trader flatten` has to find it."""
    written, read_only = small_disk / "written", small_disk / "read_only"
    read_only.mkdir()
    with Journal.open(written, SESSION, reserve_bytes=0):
        subprocess.run(["mount", "--bind", "-o", "ro", written, read_only], check=True)
        try:
            assert is_locked(read_only, SESSION)
        finally:
            subprocess.run(["umount", "--lazy", read_only], check=True)


def test_rows_and_lock_outlive_and_die_with_a_killed_process(tmp_path: Path) -> None:
    program = f"""
import sys
from pathlib import Path
from db.journal import Journal, JournalRow
journal = Journal.open(Path({str(tmp_path)!r}), {SESSION!r})
for n in range(1, 501):
    journal.append([JournalRow(n, n, "e", "")])
print("written", flush=True)
sys.stdin.read()
"""
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdin is not None
    assert process.stdout.readline() == "written\n"
    with pytest.raises(JournalLocked, match=f"process {process.pid} "):
        Journal.open(tmp_path, SESSION)
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdin.close()
    process.stdout.close()
    with Journal.open(tmp_path, SESSION) as journal:
        assert [row.sequence for row in journal.read()] == list(range(1, 501))
        assert journal.epoch == 2


def test_a_file_of_another_session_or_schema_is_refused(tmp_path: Path) -> None:
    Journal.open(tmp_path, "A-20240605").close()
    journal_path(tmp_path, "A-20240605").rename(journal_path(tmp_path, "B-20240605"))
    with pytest.raises(JournalMismatch, match="belongs to session A-20240605"):
        Journal.open(tmp_path, "B-20240605")
    with sqlite3.connect(journal_path(tmp_path, "B-20240605")) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(JournalMismatch, match="schema version 99"):
        Journal.open(tmp_path, "B-20240605")


def fill(journal: Journal, pages: int) -> None:
    """Let SQLite itself find no more room: the same code path as a full disk."""
    used = journal._connection.execute("PRAGMA page_count").fetchone()[0]
    journal._connection.execute(f"PRAGMA max_page_count = {used + pages}")


def append_for_ever(journal: Journal) -> None:
    while True:
        journal.append(rows(journal.last_sequence + 1, journal.last_sequence + 10, "x" * 50))


def test_a_full_disk_takes_the_reserve_and_then_raises(tmp_path: Path) -> None:
    with Journal.open(tmp_path, SESSION, reserve_bytes=4096) as journal:
        reserve = journal.path.with_suffix(".reserve")
        assert reserve.stat().st_size == 4096
        assert not journal.low_on_space
        fill(journal, pages=3)
        with pytest.raises(JournalFull, match=str(journal.path)):
            append_for_ever(journal)
        written = journal.last_sequence
        assert written > 0
        assert journal.low_on_space
        assert not reserve.exists()
        assert [row.sequence for row in journal.read()] == list(range(1, written + 1))
        fill(journal, pages=100)  # a person makes room
        journal.append(rows(written + 1, written + 10))
        assert journal.last_sequence == written + 10


KILLED_WITH_A_RESERVE = """
import os, signal, sys
from pathlib import Path
from db.journal import Journal
journal = Journal.open(Path(sys.argv[1]), sys.argv[2], reserve_bytes=200_000)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_the_reserve_of_a_killed_process_opens_the_journal_on_a_full_disk(small_disk: Path) -> None:
    subprocess.run([sys.executable, "-c", KILLED_WITH_A_RESERVE, str(small_disk), SESSION], check=False)
    with (small_disk / "somebody's").open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(1_000))
    with Journal.open(small_disk, SESSION, reserve_bytes=200_000) as journal:
        assert journal.was_killed
        assert journal.low_on_space
        journal.append(rows(1, 10))
        (small_disk / "holder.json").write_text("a note of those who run it")


def test_a_reserve_that_cannot_be_given_back_is_none(tmp_path: Path) -> None:
    """A disk that has turned read-only: the session has to hear that it is full, as for any other that is."""
    with Journal.open(tmp_path, SESSION, reserve_bytes=4096) as journal:
        journal.path.with_suffix(".reserve").unlink()
        journal.path.with_suffix(".reserve").mkdir()
        fill(journal, pages=3)
        with pytest.raises(JournalFull, match=str(journal.path)):
            append_for_ever(journal)
        assert journal.low_on_space


def test_the_reserve_makes_room_for_the_rows_of_the_exits(tmp_path: Path) -> None:
    with Journal.open(tmp_path, SESSION, reserve_bytes=4096) as journal:
        fill(journal, pages=0)
        give_back = journal._give_reserve_back

        def give_back_and_make_room() -> None:
            give_back()
            fill(journal, pages=100)

        journal._give_reserve_back = give_back_and_make_room  # type: ignore[method-assign]  # stands for the freed bytes
        journal.append(rows(1, 200, "x" * 100))
        assert journal.low_on_space
        assert journal.last_sequence == 200


def test_the_watermark_is_kept_from_one_process_to_the_next(tmp_path: Path) -> None:
    with Journal.open(tmp_path, SESSION) as journal:
        journal.append(rows(1, 1500))
        journal.mark_shipped(1200)
        journal.append(rows(1501, 1501))
        with sqlite3.connect(journal.path) as other:
            assert other.execute("SELECT value FROM facts WHERE name = 'shipped_sequence'").fetchone() == ("1200",)
        journal.mark_shipped(1501)
    with Journal.open(tmp_path, SESSION) as journal:
        assert journal.shipped_sequence == 1501
