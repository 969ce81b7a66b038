"""What may happen to single messages on their way: lost, doubled, late, out of order, or with a wrong time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random

from simulator.server.session import Session
from simulator.wire.framing import fields_of, payload_of

Later = Callable[[Session, bytes, int], None]
"""Deliver a payload to a session some seconds later."""


@dataclass(slots=True)
class MessageFilter:
    """One rule for messages of some kinds; spent after `left` of them or at `until_ms`."""

    what: str
    numbers: frozenset[int]
    left: int
    until_ms: int
    clients: frozenset[int]
    probability: float
    chance: Random
    delay_seconds: int = 0
    skip: int = 0
    kept: list[tuple[Session, bytes]] = field(default_factory=list)

    def applies(self, session: Session, number: int) -> bool:
        """Whether this message is one of the unlucky; counts it."""
        if number not in self.numbers or self.left <= 0 or (self.clients and session.client_id not in self.clients):
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        if self.probability < 1 and self.chance.random() >= self.probability:
            return False
        self.left -= 1
        return True

    def change(self, session: Session, payload: bytes, later: Later) -> Sequence[bytes]:
        """What goes out in the place of the message."""
        if self.what == "duplicate":
            return (payload, payload)
        if self.what == "delay":
            later(session, payload, self.delay_seconds)
        elif self.what == "reorder":
            self.kept.append((session, payload))
        elif self.what == "misalign":
            return (_shifted(payload, self.delay_seconds),)
        return ()

    def release(self, session: Session) -> list[bytes]:
        """Messages kept back for this session: they go out behind the one that has just gone."""
        mine = [payload for owner, payload in self.kept if owner is session]
        self.kept = [(owner, payload) for owner, payload in self.kept if owner is not session]
        return mine

    def is_spent(self, now_ms: int) -> bool:
        """Whether it can be thrown away."""
        return (self.left <= 0 or now_ms >= self.until_ms) and not self.kept


def _shifted(payload: bytes, seconds: int) -> bytes:
    """A bar with another time: the fourth field of a real-time bar, the second of a growing one."""
    fields = fields_of(payload)
    place = {"50": 3, "90": 3}.get(fields[0])
    if place is not None and fields[place].isdigit():
        fields[place] = str(int(fields[place]) + seconds)
    return payload_of(fields)
