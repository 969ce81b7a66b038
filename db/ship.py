"""The shipper as a process of its own: `python -m db.ship`, so that it never takes the interpreter from the session.

Its standard input is its lifeline: the first line is the database's URL; when it closes, because the session has ended
or died, what is left is shipped and the process ends. Each change of health is a line of JSON on standard output.
"""

from __future__ import annotations

import argparse
import json
import os
import select
import signal
import sys
from contextlib import closing, suppress
from pathlib import Path

from db.journal import typed_errors
from db.journal_reader import JournalReader
from db.outbox import Shipper, ShippingState

LOOK_SECONDS = 0.25
"""How often the journal is looked at for new rows."""

REST_SECONDS = 20.0
"""How long the rest may take once the session has ended; what is left then is shipped at the next start."""


class JournalFile:
    """What a shipper needs to know of a journal that another process writes."""

    def __init__(self, path: Path, session: str, epoch: int) -> None:
        self.path = path
        self.session = session
        self.epoch = epoch

    @classmethod
    def of_latest_writer(cls, path: Path, session: str) -> JournalFile:
        """The file under the epoch of whoever opened it last. Raises JournalError for a file that is no journal."""
        with typed_errors(path), closing(JournalReader(path)) as reader:
            return cls(path, session, reader.newest_epoch())

    @property
    def last_sequence(self) -> int:
        """The newest durable row; 0 for none."""
        with typed_errors(self.path), closing(JournalReader(self.path)) as reader:
            return reader.last_sequence()

    def mark_shipped(self, sequence: int) -> None:
        """Postgres knows; the file is not ours to write."""


def tell(state: ShippingState) -> None:
    """One line for the session that watches, if it still lives: what it left behind is shipped all the same."""
    with suppress(BrokenPipeError):
        os.write(1, json.dumps({"healthy": state.healthy, "problem": state.problem}).encode() + b"\n")


def main() -> None:
    """Ship until standard input closes, then ship the rest."""
    parser = argparse.ArgumentParser(prog="python -m db.ship", description=__doc__)
    parser.add_argument("--journal", type=Path, required=True)
    parser.add_argument("--session", required=True)
    parser.add_argument("--epoch", type=int, required=True)
    given = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM):  # it ends after the session, not with it
        signal.signal(number, signal.SIG_IGN)
    url = sys.stdin.readline().strip()
    shipper = Shipper(JournalFile(given.journal, given.session, given.epoch), url, on_state=tell)
    shipper.start()
    is_reached = False
    while shipper.is_alive() and not select.select([sys.stdin], [], [], LOOK_SECONDS)[0]:  # else another is started
        shipper.notify()
        if not is_reached and shipper.state.shipped_sequence:
            is_reached = True
            tell(shipper.state)  # no change to this one; to a session whose last process was killed in an outage it is
    shipped = shipper.flush(REST_SECONDS)
    shipper.stop()
    sys.exit(0 if shipped else 1)


if __name__ == "__main__":
    main()
