"""The place of a journal's newest rows until SQLite has them: a file mapped into memory, so that they are copied there.

A copy takes a tenth of a commit and waits for no disk, and like a commit it outlives the death of the process, because
the operating system has the pages (docs/adr/0020). It holds one text; each `put` replaces the one before.
"""

from __future__ import annotations

import mmap
import os
import struct
from pathlib import Path
from typing import Final
from zlib import crc32

SLOT_BYTES: Final = 65_536  # an entry's row is 2.4 KB; what is larger goes to SQLite at once
_HEADER: Final = struct.Struct(">II")  # the text's length and its CRC-32: a copy that death cut short is none


class Slot:
    """The writer's end."""

    def __init__(self, path: Path) -> None:
        """Begin an empty one in place of what was there. Raises OSError.

        A new file, for a process that was replaced while it slept may still have the old one mapped. Written, not
        only sized: on a full disk it must fail here, not with a signal at the first copy.
        """
        fresh = path.with_suffix(".slot-new")
        fresh.unlink(missing_ok=True)
        descriptor = os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            if os.write(descriptor, bytes(SLOT_BYTES)) < SLOT_BYTES:
                raise OSError(f"no room for {SLOT_BYTES} bytes")
            self._shared = mmap.mmap(descriptor, SLOT_BYTES)
            fresh.replace(path)
        except BaseException:
            fresh.unlink(missing_ok=True)
            raise
        finally:
            os.close(descriptor)

    def put(self, text: bytes) -> bool:
        """Hold this text instead of the one before; False when it is too long, and nothing has changed."""
        end = _HEADER.size + len(text)
        if end > SLOT_BYTES:
            return False
        self._shared[:end] = _HEADER.pack(len(text), crc32(text)) + text
        return True

    def close(self) -> None:
        """Let go of the file, which stays."""
        self._shared.close()


def read_slot(path: Path) -> bytes:
    """What the slot holds; empty for nothing, for a file that is not there, and for a copy that was cut short."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return b""
    if len(content) < _HEADER.size:
        return b""
    length, checksum = _HEADER.unpack_from(content)
    text = content[_HEADER.size : _HEADER.size + length]
    return text if len(text) == length and crc32(text) == checksum else b""
