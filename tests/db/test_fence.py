"""The fence: a process that slept through a takeover neither writes nor sends when it wakes; without Postgres."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from db.journal import Journal, JournalLocked, JournalRow, JournalTakenOver, journal_path

ROOT = Path(__file__).resolve().parents[2]
SESSION = "DU1234567-20240605"


class Sleeper:
    """A real process with the session open, at the end of two pipes."""

    def __init__(self, folder: Path) -> None:
        command = [sys.executable, "-m", "tests.db.sleeper", str(folder), SESSION]
        self.process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def hear(self) -> str:
        """Its next line."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def tell(self, word: str) -> None:
        """Give an order, which a stopped process finds when it wakes."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{word}\n")
        self.process.stdin.flush()


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[Sleeper]:
    made = Sleeper(tmp_path)
    assert made.hear() == "epoch 1"
    yield made
    made.process.kill()
    made.process.wait()
    for pipe in (made.process.stdin, made.process.stdout):
        assert pipe is not None
        pipe.close()


def row(sequence: int) -> JournalRow:
    return JournalRow(sequence, 2_000, '{"type":"Woke"}', "")


def test_a_stopped_process_that_was_replaced_neither_writes_nor_sends_when_it_wakes(
    sleeper: Sleeper, tmp_path: Path
) -> None:
    for word, done in (("append", "appended"), ("order", "sent")):
        sleeper.tell(word)
        assert sleeper.hear() == done
    sleeper.process.send_signal(signal.SIGSTOP)
    with pytest.raises(JournalLocked):
        Journal.open(tmp_path, SESSION)
    journal_path(tmp_path, SESSION).with_suffix(".lock").unlink()  # somebody clears what looks like a stale lock
    with Journal.open(tmp_path, SESSION) as successor:
        assert successor.epoch == 2
        successor.append([row(2)])
        sleeper.tell("order")
        sleeper.tell("append")
        sleeper.process.send_signal(signal.SIGCONT)
        for _ in range(2):
            assert "was taken over" in (said := sleeper.hear())
            assert "epoch 2, this process has epoch 1" in said
        successor.append([row(3)])
        assert [found.sequence for found in successor.read()] == [1, 2, 3]


def test_a_session_whose_folder_was_removed_stops(sleeper: Sleeper, tmp_path: Path) -> None:
    sleeper.tell("order")
    assert sleeper.hear() == "sent"
    sleeper.process.send_signal(signal.SIGSTOP)
    shutil.rmtree(tmp_path)
    with Journal.open(tmp_path, SESSION) as successor:
        assert successor.epoch == 1  # it cannot know better
        sleeper.process.send_signal(signal.SIGCONT)
        said = "sent"
        while said == "sent":  # a look at the folder holds good for a tenth of a second
            sleeper.tell("order")
            said = sleeper.hear()
        assert "was removed" in said


def test_the_one_who_was_replaced_leaves_its_successors_files_alone(tmp_path: Path) -> None:
    replaced = Journal.open(tmp_path, SESSION)
    journal_path(tmp_path, SESSION).with_suffix(".lock").unlink()
    with Journal.open(tmp_path, SESSION) as successor:
        replaced.close()
        assert not successor.low_on_space
        assert journal_path(tmp_path, SESSION).with_suffix(".reserve").exists()


def test_epochs_go_on_when_the_journal_itself_was_lost(tmp_path: Path) -> None:
    Journal.open(tmp_path, SESSION).close()
    journal_path(tmp_path, SESSION).unlink()
    with Journal.open(tmp_path, SESSION) as journal:
        assert journal.epoch == 2


def test_who_is_told_of_a_higher_epoch_elsewhere_stops_too(tmp_path: Path) -> None:
    with Journal.open(tmp_path, SESSION) as journal:
        journal.append([row(1)])
        journal.fence.shut("Postgres has rows of epoch 5, this process has epoch 1")
        with pytest.raises(JournalTakenOver, match="Postgres has rows of epoch 5"):
            journal.append([row(2)])
