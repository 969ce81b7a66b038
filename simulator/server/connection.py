"""One socket: bytes in, payloads out of it; batches out, with a bound on what a peer that never reads may cost."""

from __future__ import annotations

import asyncio
import logging
import socket
from typing import Final, Protocol

from simulator.wire.framing import FrameCutter, FramingError

UNSENT_BYTES_MAX: Final = 32 << 20
"""A day of eight tickers is about 80 MB; a client that leaves 32 MiB unread is not reading. TWS cuts far earlier."""

_log = logging.getLogger("simulator.connection")


class Door(Protocol):
    """What a connection tells the server."""

    def opened(self, connection: Connection) -> None:
        """The socket is accepted."""

    def received(self, connection: Connection, payload: bytes) -> None:
        """A whole payload arrived; the first one is the version offer."""

    def settled(self) -> None:
        """All payloads of a chunk are handed over: time to write answers."""

    def lost(self, connection: Connection) -> None:
        """The socket is gone, or half of it: to TWS that is the same."""


class Connection(asyncio.Protocol):
    """The transport side of a session; knows frames, not messages."""

    def __init__(self, door: Door, number: int) -> None:
        self.number = number
        self.deaf = False
        """A fault: what arrives is thrown away and nothing is sent, but the socket stays open."""
        self._door = door
        self._cutter = FrameCutter()
        self._transport: asyncio.Transport | None = None

    @property
    def is_open(self) -> bool:
        """Whether bytes can still go out."""
        return self._transport is not None and not self._transport.is_closing()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the socket; small writes leave at once."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        peer = transport.get_extra_info("socket")
        if peer is not None and peer.family in (socket.AF_INET, socket.AF_INET6):
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._door.opened(self)

    def data_received(self, data: bytes) -> None:
        """Cut frames; a stream that cannot be cut ends the connection."""
        if self.deaf:
            return
        try:
            for payload in self._cutter.feed(data):
                self._door.received(self, payload)
                if not self.is_open or self.deaf:
                    break
        except FramingError as error:
            _log.warning("connection %d closed: %s", self.number, error)
            self.abort()
        self._door.settled()

    def eof_received(self) -> bool:
        """A half-closed peer is a gone peer: ib_async ends its side first and expects its client id to be free."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the server, once."""
        self._door.lost(self)

    def write(self, batch: bytes) -> None:
        """Send; a peer that lets too much pile up is cut off."""
        if self.deaf or not self.is_open or self._transport is None:
            return
        self._transport.write(batch)
        if self._transport.get_write_buffer_size() > UNSENT_BYTES_MAX:
            _log.warning("connection %d closed: more than %d bytes unread", self.number, UNSENT_BYTES_MAX)
            self.abort()

    def close(self) -> None:
        """End with FIN after what is written has left."""
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """End at once, without waiting for unsent bytes."""
        if self._transport is not None:
            self._transport.abort()

    def reset(self) -> None:
        """End with RST, as a crashed host does."""
        if self._transport is not None:
            peer = self._transport.get_extra_info("socket")
            if peer is not None:
                peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
            self._transport.abort()

    def pause(self) -> None:
        """Read nothing more for now."""
        if self._transport is not None and self.is_open:
            self._transport.pause_reading()

    def resume(self) -> None:
        """Read again."""
        if self._transport is not None and self.is_open:
            self._transport.resume_reading()
