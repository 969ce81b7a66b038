"""The fence between two processes that both believe to run a session: the newest epoch, in a file beside the journal.

Whoever opens the journal raises the number; whoever sends an order looks first. A process that slept through a takeover
(SIGSTOP, a suspended machine, a lock file removed by hand) sends nothing when it wakes, with or without Postgres.
The file is mapped into memory: a look is a comparison of 8 bytes.
"""

from __future__ import annotations

import mmap
import os
import time
from pathlib import Path

EPOCH_BYTES = 8
LINKED_SECONDS = 0.1
"""How long a look at the file's link in its folder holds good: a process that replaces us takes longer to begin."""


class Fence:
    """The epoch file of a session, open for its writer's whole life. `own_epoch` is 0 until `raise_to`."""

    def __init__(self, path: Path) -> None:
        """Open or create the file. Raises OSError."""
        self.path = path
        self.own_epoch = 0
        self._own = bytes(EPOCH_BYTES)
        self._shut = ""
        self._looked_at = 0.0
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            if os.fstat(self._descriptor).st_size < EPOCH_BYTES:
                os.pwrite(self._descriptor, self._own, 0)  # not ftruncate: a full disk must say so here
            self._shared = mmap.mmap(self._descriptor, EPOCH_BYTES)
        except BaseException:
            os.close(self._descriptor)
            raise

    @property
    def newest_epoch(self) -> int:
        """The epoch of whoever opened the session last; 0 for nobody."""
        return int.from_bytes(self._shared[:], "big")

    def raise_to(self, epoch: int) -> None:
        """Fence off every process of a lower epoch. Only under the journal's lock."""
        self.own_epoch, self._own = epoch, epoch.to_bytes(EPOCH_BYTES, "big")
        self._shared[:] = self._own

    def shut(self, why: str) -> None:
        """Fence ourselves off: Postgres knows of a higher epoch."""
        self._shut = why

    def is_passed(self) -> bool:
        """Whether another may be running the session by now; asked before each batch of orders.

        A file that was removed counts as passed: nobody can tell who has begun a new one.
        """
        if self._shared[:] != self._own or self._shut:
            return True
        now = time.monotonic()
        if now - self._looked_at < LINKED_SECONDS:
            return False
        self._looked_at = now
        return self._is_removed()

    def words(self) -> str:
        """Who passed us, for people."""
        if self._shut:
            return self._shut
        if self._is_removed():
            return f"{self.path} was removed: another process may have begun the session anew"
        return f"{self.path} says epoch {self.newest_epoch}, this process has epoch {self.own_epoch}"

    def close(self) -> None:
        """Let go of the file, which stays."""
        self._shared.close()
        os.close(self._descriptor)

    def _is_removed(self) -> bool:
        return not os.fstat(self._descriptor).st_nlink
