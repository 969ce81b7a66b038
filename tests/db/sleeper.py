"""A process that holds a session and does as it is told, line by line: `append` a row, put an `order` into the queue.

Started by test_fence: `python -m tests.db.sleeper FOLDER SESSION`.
"""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

from broker.pacing import MessageQueue, Priority
from db.journal import Journal, JournalRow, JournalTakenOver


class LeapingClock:
    """There is always room for another message."""

    def __init__(self) -> None:
        self._seconds = itertools.count()

    def now_ms(self) -> int:
        """A second more each time."""
        return 1_000 * next(self._seconds)


def say(words: str) -> None:
    """One line for the test."""
    print(words, flush=True)


def main() -> None:
    """Obey until the end of standard input."""
    with Journal.open(Path(sys.argv[1]), sys.argv[2]) as journal:
        queue = MessageQueue(LeapingClock(), lambda: None, journal.check_fence)
        say(f"epoch {journal.epoch}")
        for line in sys.stdin:
            try:
                if line.strip() == "append":
                    journal.append([JournalRow(journal.last_sequence + 1, 1_000, '{"type":"Woke"}', "")])
                    say("appended")
                else:
                    queue.put(Priority.EXIT, 1, lambda: say("sent"))
            except JournalTakenOver as taken_over:
                say(str(taken_over))


if __name__ == "__main__":
    main()
