"""The wire log: every message of every client, one a line, in the order in which the server took or sent it.

Tab-separated: wall clock (UTC, ISO), simulated time (epoch ms), connection number, client id (-1 before startApi),
`>` from the client or `<` to it, then the fields joined by `|`. Inside a field `|`, tab, line feed, carriage return
and backslash are written as \\p, \\t, \\n, \\r and \\\\. Two deterministic runs with one
seed differ in the first column only.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TextIO

from simulator.wire.framing import fields_of

_ESCAPES: Final = str.maketrans({"\\": "\\\\", "|": "\\p", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_LETTERS: Final = {"\\": "\\", "p": "|", "t": "\t", "n": "\n", "r": "\r"}
FROM_CLIENT: Final = ">"
TO_CLIENT: Final = "<"


@dataclass(frozen=True, slots=True)
class Line:
    """One message of a wire log."""

    at_ms: int
    connection: int
    client_id: int
    direction: str
    fields: tuple[str, ...]


class WireLog:
    """Writes the log; buffered by the file."""

    def __init__(self, path: Path) -> None:
        self._file: TextIO = path.open("w", encoding="utf-8", newline="\n")

    def write(self, at_ms: int, connection: int, client_id: int, direction: str, payload: bytes) -> None:
        """Append one message."""
        fields = "|".join(field.translate(_ESCAPES) for field in fields_of(payload))
        wall = datetime.now(UTC).isoformat(timespec="microseconds")
        self._file.write(f"{wall}\t{at_ms}\t{connection}\t{client_id}\t{direction}\t{fields}\n")

    def close(self) -> None:
        """Flush and close."""
        self._file.close()


def read(path: Path) -> Iterator[Line]:
    """The messages of a log. Raises ValueError naming the line that is not one."""
    with path.open(encoding="utf-8", newline="\n") as file:
        for number, text in enumerate(file, 1):
            parts = text.rstrip("\n").split("\t")
            if len(parts) != 6 or parts[4] not in (FROM_CLIENT, TO_CLIENT):
                raise ValueError(f"{path} line {number}: expected six columns, the fifth {FROM_CLIENT} or {TO_CLIENT}")
            fields = tuple(_unescaped(field) for field in parts[5].split("|"))
            yield Line(int(parts[1]), int(parts[2]), int(parts[3]), parts[4], fields)


def _unescaped(text: str) -> str:
    if "\\" not in text:
        return text
    letters = iter(text)
    return "".join(_LETTERS[next(letters)] if letter == "\\" else letter for letter in letters)
