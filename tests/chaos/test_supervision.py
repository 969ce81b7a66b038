"""A session whose supervisor dies says so; a killed one is told of by its successor, and that it goes on."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from db.journal import Journal

ROOT = Path(__file__).resolve().parents[2]
SESSION = "DU1234567-20240605"
CHILD = """
import asyncio, os
from runtime import supervision
supervision.PARENT_SECONDS, parent = 0.01, os.getppid()
print("watching", flush=True)
asyncio.run(supervision.until_orphaned(parent, lambda: print("alone", flush=True)))
"""
PARENT = "import subprocess, sys; subprocess.run([sys.executable, '-c', sys.argv[1]])"


def test_the_death_of_the_parent_is_noticed() -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT, CHILD], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    with parent.stdout:
        assert parent.stdout.readline() == "watching\n"
        parent.send_signal(signal.SIGKILL)
        parent.wait()
        assert parent.stdout.read() == "alone\n"  # the pipe is the child's too: it ends when the child has


def kill_while_open(folder: Path) -> None:
    """A process opens the journal and is killed."""
    program = "import sys, os; from pathlib import Path; from db.journal import Journal; "
    program += "j = Journal.open(Path(sys.argv[1]), sys.argv[2]); os.kill(os.getpid(), 9)"
    ended = subprocess.run([sys.executable, "-c", program, str(folder), SESSION], cwd=ROOT, check=False)
    assert ended.returncode == -signal.SIGKILL


def test_a_journal_knows_whether_its_last_process_was_killed(tmp_path: Path) -> None:
    with Journal.open(tmp_path, SESSION) as journal:
        assert not journal.was_killed
    kill_while_open(tmp_path)
    with Journal.open(tmp_path, SESSION) as journal:
        assert journal.was_killed
    with Journal.open(tmp_path, SESSION) as journal:
        assert not journal.was_killed


def test_a_death_whose_end_was_not_told_is_told_by_the_next(tmp_path: Path) -> None:
    kill_while_open(tmp_path)
    with Journal.open(tmp_path, SESSION) as journal:
        journal.ends_well = False
    with Journal.open(tmp_path, SESSION) as journal:
        assert journal.was_killed
