"""The log of what was injected: one JSON object a line, in simulated time, so that a test can name it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from simulator.clock import eastern


@dataclass(frozen=True, slots=True)
class Injected:
    """One thing that was done to somebody."""

    at_ms: int
    fault: str
    detail: str

    def line(self) -> str:
        """As one line of JSON; `at` is New York wall time."""
        at = f"{eastern(self.at_ms):%Y-%m-%d %H:%M:%S}"
        return json.dumps({"at": at, "at_ms": self.at_ms, "fault": self.fault, "detail": self.detail})


class FaultLog:
    """Keeps what was injected, and writes it to a file when there is one."""

    def __init__(self, path: Path | None) -> None:
        self.entries: list[Injected] = []
        self._file: TextIO | None = path.open("w", encoding="utf-8") if path is not None else None

    def write(self, at_ms: int, fault: str, detail: str) -> None:
        """One more; on disk at once, since what follows may be the end of somebody."""
        entry = Injected(at_ms, fault, detail)
        self.entries.append(entry)
        if self._file is not None:
            self._file.write(entry.line() + "\n")
            self._file.flush()

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None
