"""Live subscriptions of market data, kept by instrument so that a tick finds its readers at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from simulator.server.session import Session


class Subscription(Protocol):
    """Whatever a client has asked for under a request id."""

    session: Session
    request_id: int


Line = TypeVar("Line", bound="Subscription")


@dataclass(slots=True, eq=False)
class TickLine:
    """Quotes and trades (reqMktData)."""

    session: Session
    request_id: int
    delayed: bool
    number: bytes = field(init=False)

    def __post_init__(self) -> None:
        self.number = b"%d" % self.request_id


@dataclass(slots=True, eq=False)
class BarLine:
    """5-second bars (reqRealTimeBars)."""

    session: Session
    request_id: int
    kind: str
    regular_only: bool
    head: bytes = field(init=False)

    def __post_init__(self) -> None:
        self.head = b"50\x003\x00%d\x00" % self.request_id


@dataclass(slots=True, eq=False)
class TickByTickLine:
    """Every tick: kind 1 Last, 2 AllLast, 3 BidAsk, 4 MidPoint."""

    session: Session
    request_id: int
    kind: int


class Book(Generic[Line]):
    """The subscriptions of one kind."""

    def __init__(self) -> None:
        self._by_con_id: dict[int, list[Line]] = {}
        self._con_ids: dict[tuple[Session, int], int] = {}

    def __len__(self) -> int:
        return len(self._con_ids)

    def __contains__(self, key: tuple[Session, int]) -> bool:
        return key in self._con_ids

    def keys(self) -> list[tuple[Session, int]]:
        """(session, request id) of every subscription, oldest first."""
        return list(self._con_ids)

    def of(self, con_id: int) -> Sequence[Line]:
        """Who reads this instrument, oldest first."""
        return self._by_con_id.get(con_id, ())

    def add(self, con_id: int, line: Line) -> None:
        """One more reader."""
        self._con_ids[line.session, line.request_id] = con_id
        self._by_con_id.setdefault(con_id, []).append(line)

    def drop(self, session: Session, request_id: int) -> bool:
        """End one subscription; whether there was one."""
        con_id = self._con_ids.pop((session, request_id), None)
        if con_id is None:
            return False
        lines = self._by_con_id[con_id]
        lines[:] = [line for line in lines if (line.session, line.request_id) != (session, request_id)]
        return True

    def forget(self, session: Session | None) -> None:
        """End all subscriptions of a session; None: of everybody."""
        for owner, request_id in self.keys():
            if session is None or owner is session:
                self.drop(owner, request_id)
