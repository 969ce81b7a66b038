"""What a request desk is: routes for its message ids, a share of the venue's news, and forgetting a lost session."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from simulator.listener import VenueListener
from simulator.server.session import Session
from simulator.venue import Venue
from simulator.wire.fields import FieldReader

Route = tuple[Callable[[FieldReader, int], Any], Callable[[Session, Any], object]]
"""(reads the fields after the message id at a version, answers the request)."""


class Office(Protocol):
    """What the desks need of the server."""

    venue: Venue

    @property
    def now_ms(self) -> int:
        """The simulated moment."""

    def send(self, session: Session, payload: bytes) -> None:
        """One message to one client."""

    def put(self, session: Session, payload: bytes) -> None:
        """One message to one client, past the fault script."""

    def send_all(self, session: Session, payloads: Sequence[bytes]) -> None:
        """Several messages to one client."""

    def error(self, session: Session, request_id: int, code: int, text: str = "") -> None:
        """Error 4; without a text the usual one of that code."""

    def dispatch(self, session: Session, message_id: int, fields: list[str]) -> None:
        """Hand a request to whom it concerns, past the fault script."""

    def client(self, client_id: int) -> Session | None:
        """The started session of this client id."""

    def clients(self) -> list[Session]:
        """Every started session, by client id."""


class Desk(VenueListener):
    """Answers one family of requests. What a desk does not override of the venue's news it ignores."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.venue = office.venue

    def routes(self) -> Mapping[int, Route]:
        """Message id to reader and handler."""
        return {}

    def forget(self, session: Session) -> None:
        """The session is gone: drop its subscriptions."""

    def second_ended(self) -> None:
        """All that a simulated second brought is reported: time for what is sent once a second."""
