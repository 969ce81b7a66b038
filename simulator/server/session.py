"""One client: which versions it speaks, who it says it is, what it has asked for and what waits to be written."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from enum import Enum

from simulator.server.connection import Connection
from simulator.server.limits import MessageRate

_SHORT = 512
_LENGTHS = [length.to_bytes(4, "big") for length in range(_SHORT)]


class Stage(Enum):
    """How far a connection has come."""

    OFFERING = "offering"
    NEGOTIATED = "negotiated"
    STARTED = "started"
    GONE = "gone"


class Session:
    """The server's side of one connection; lives as long as its socket."""

    __slots__ = ("client_id", "connection", "held", "outbox", "paced", "rate", "stage", "strikes", "version", "waits")

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.stage = Stage.OFFERING
        self.version = 0
        self.client_id = -1
        self.outbox: list[bytes] = []
        self.waits = False
        """Deterministic time: has sent its barrier message and gets no answers until the tick."""
        self.held: deque[bytes] = deque()
        """Frames that came while it waited, or over the rate of a paced client."""
        self.paced = False
        """Asked for +PACEAPI: too many messages are slowed down, not refused."""
        self.rate = MessageRate()
        self.strikes = 0
        """Times that it went over the permitted message rate."""

    @property
    def number(self) -> int:
        """The connection's number, from 1, in the order of acceptance."""
        return self.connection.number

    @property
    def is_started(self) -> bool:
        """Whether startApi was accepted."""
        return self.stage is Stage.STARTED

    def queue(self, payloads: Iterable[bytes]) -> None:
        """Frame payloads into the batch that the next flush writes."""
        append = self.outbox.append
        for payload in payloads:
            length = len(payload)
            append(_LENGTHS[length] if length < _SHORT else length.to_bytes(4, "big"))
            append(payload)

    def flush(self) -> None:
        """Write the batch in one go."""
        if self.outbox:
            batch = b"".join(self.outbox)
            self.outbox.clear()
            self.connection.write(batch)
