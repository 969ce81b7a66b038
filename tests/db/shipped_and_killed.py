"""A process that writes a journal, ships it, and is killed at a named moment. Started by test_outbox_failures.

Arguments: folder, url, batch rows, the batch at which to die, "inside" its transaction or "after" it.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import Connection
from sqlalchemy.orm import Session

from db.journal import Journal, JournalRow
from db.outbox import Shipper
from tests.support.journals import SESSION, busy_day


class DyingShipper(Shipper):
    """Kills its process at the batch asked for."""

    batches_left = int(sys.argv[4])
    moment = sys.argv[5]

    def _copy(self, tables: Session, rows: Sequence[JournalRow]) -> None:
        super()._copy(tables, rows)
        self.die_at("inside")

    def _store(self, connection: Connection, rows: Sequence[JournalRow]) -> None:
        super()._store(connection, rows)
        self.die_at("after")
        self.batches_left -= 1

    def die_at(self, moment: str) -> None:
        if self.batches_left == 0 and self.moment == moment:
            os.kill(os.getpid(), signal.SIGKILL)


day = busy_day(seed=1)
journal = Journal.open(Path(sys.argv[1]), SESSION)
journal.append(day[journal.last_sequence : journal.last_sequence + 100])
shipper = DyingShipper(journal, sys.argv[2], batch_rows=int(sys.argv[3]))
shipper.start()
shipper.flush(60)
