"""Length-prefixed frames: cutting a byte stream into them, with the limits that keep a hostile peer harmless.

Every frame is a 4-byte big-endian length and that many bytes; the payload is fields, each followed by one NUL.
The first four bytes of a client are the exception: `API\\0`, without a length.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

PREAMBLE: Final = b"API\0"
OFFER_BYTES_MAX: Final = 256
"""The version offer: `v157..178 +PACEAPI` needs 18; connect options are short words."""
FRAME_BYTES_MAX: Final = 1 << 20
"""A request with every list that a client can fill stays under 64 KiB; sixteen times that bounds what 32 clients can
make us hold to 32 MiB. The protocol's own bound, 16,777,215 bytes, is for answers."""
FIELDS_MAX: Final = 20_000
"""An order has 114 fields; one with every list filled has some hundreds."""


class FramingError(ValueError):
    """The stream cannot be cut into frames any more; the connection has to end, there is no place to resume."""


def frame(payload: bytes) -> bytes:
    """The payload with its length before it."""
    return len(payload).to_bytes(4, "big") + payload


def message(fields: Iterable[str]) -> bytes:
    """One whole frame of these fields, each followed by NUL."""
    return frame(payload_of(fields))


def payload_of(fields: Iterable[str]) -> bytes:
    """The fields, each followed by NUL, without the length."""
    return ("\0".join(fields) + "\0").encode("ascii", "backslashreplace")


def fields_of(payload: bytes) -> list[str]:
    """The fields of a payload; text after the last NUL counts as one more. Raises FramingError over FIELDS_MAX."""
    if payload.count(b"\0") > FIELDS_MAX:
        raise FramingError(f"fields {payload.count(bytes(1))}: at most {FIELDS_MAX} in one frame")
    fields = payload.decode("utf-8", "replace").split("\0")
    if not fields[-1]:
        fields.pop()
    return fields


class FrameCutter:
    """Cuts what a client sends: the preamble and the version offer once, then frames."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._greeted = False
        self._limit = OFFER_BYTES_MAX

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """Payloads that this chunk completes, in order; the first one ever is the version offer.

        Raises FramingError at a wrong preamble or a length over the limit, before any such byte is stored twice.
        """
        self._buffer += chunk
        if not self._greeted:
            head = bytes(self._buffer[: len(PREAMBLE)])
            if not PREAMBLE.startswith(head):
                raise FramingError(f"first bytes {head!r}: a TWS client starts with {PREAMBLE!r}")
            if len(head) < len(PREAMBLE):
                return
            del self._buffer[: len(PREAMBLE)]
            self._greeted = True
        yield from self._cut()

    def _cut(self) -> Iterator[bytes]:
        start = 0
        buffer = self._buffer
        while len(buffer) - start >= 4:
            length = int.from_bytes(buffer[start : start + 4], "big")
            if length > self._limit:
                raise FramingError(f"frame length {length}: at most {self._limit} bytes here")
            if len(buffer) - start - 4 < length:
                break
            payload = bytes(buffer[start + 4 : start + 4 + length])
            start += 4 + length
            self._limit = FRAME_BYTES_MAX
            yield payload
        del buffer[:start]


class AnswerCutter:
    """Cuts a server's stream into payloads: for the wire log's replay, benchmarks and tests."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """Payloads that this chunk completes."""
        buffer = self._buffer
        buffer += chunk
        start = 0
        while len(buffer) - start >= 4:
            length = int.from_bytes(buffer[start : start + 4], "big")
            if len(buffer) - start - 4 < length:
                break
            yield bytes(buffer[start + 4 : start + 4 + length])
            start += 4 + length
        del buffer[:start]
