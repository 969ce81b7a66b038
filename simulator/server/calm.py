"""No faults at all."""

from __future__ import annotations

from collections.abc import Sequence

from simulator.server.connection import Connection
from simulator.server.session import Session
from simulator.wire import codes


class Calm:
    """An Interference that leaves everything as it is."""

    @property
    def is_active(self) -> bool:
        """Never."""
        return False

    def accepts(self, connection: Connection) -> bool:
        """Every socket is welcome."""
        return True

    def start_code(self, client_id: int) -> int | None:
        """Every client may start."""
        return 0

    def start_notices(self) -> Sequence[int]:
        """All farms are well."""
        return codes.START_NOTICES

    def incoming(self, session: Session, message_id: int, fields: list[str]) -> bool:
        """Every request reaches its desk."""
        return True

    def outgoing(self, session: Session, payload: bytes) -> Sequence[bytes]:
        """Every message leaves as it is."""
        return (payload,)

    def clock_skew_seconds(self) -> int:
        """The clock is right."""
        return 0

    def dispatched(self) -> None:
        """Nothing was set off."""
