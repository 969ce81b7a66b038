"""Faults of connections: sockets that end, sockets that say nothing, gateways that restart, ids that are taken."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta

from simulator.clock import eastern, eastern_ms
from simulator.faults.action import Action
from simulator.faults.events import Event
from simulator.faults.gate import Refusal
from simulator.faults.world import World
from simulator.server.session import Session
from simulator.wire import codes

_HOW = ("fin", "rst", "silent")
RESET_SECOND = 23 * 3600 + 45 * 60


@dataclass(frozen=True, slots=True)
class Drop(Action):
    """Sockets end: by FIN, by RST, or silently (still open, but nobody is there any more).

    For `seconds` new sockets are refused (not after a silent end: the gateway is well, only this link is dead). In
    deterministic time the market goes on that long as soon as the client's socket is gone.
    """

    name = "drop"
    how: str = "fin"
    seconds: int | None = None
    clients: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.how not in _HOW:
            raise ValueError(f"fault drop.how: {self.how!r}; allowed are {', '.join(_HOW)}")

    def apply(self, world: World, event: Event | None) -> str:
        """Cut now; unsent messages are lost."""
        sessions = world.sessions(self.clients)
        world.outage(self.seconds)
        if self.how != "silent":
            _refuse_for(world, self.seconds)
        for session in sessions:
            _cut(world, session, self.how)
        return f"{self.how}: clients {[session.client_id for session in sessions]}, {self.seconds} s"


def _refuse_for(world: World, seconds: int | None) -> None:
    if seconds:
        world.gate.refused_until_ms = max(world.gate.refused_until_ms, world.now_ms + seconds * 1000)


def _cut(world: World, session: Session, how: str) -> None:
    connection = session.connection
    world.hub.part(session)
    if how == "silent":
        connection.deaf = True
    elif how == "rst":
        connection.reset()
    else:
        connection.close()


@dataclass(frozen=True, slots=True)
class HalfOpen(Action):
    """The same as a silent drop: what a peer sees when the other host has died."""

    name = "half_open"
    seconds: int | None = None
    clients: tuple[int, ...] = ()

    def apply(self, world: World, event: Event | None) -> str:
        """Cut now."""
        return Drop("silent", self.seconds, self.clients).apply(world, event)


@dataclass(frozen=True, slots=True)
class Mute(Action):
    """The next sockets are accepted and never answered; stage `start`: the handshake is answered, startApi is not."""

    name = "mute"
    connections: int = 1
    stage: str = "accept"

    def __post_init__(self) -> None:
        if self.stage not in ("accept", "start"):
            raise ValueError(f"fault mute.stage: {self.stage!r}; allowed are accept, start")

    def apply(self, world: World, event: Event | None) -> str:
        """Set it for the sockets to come."""
        if self.stage == "accept":
            world.gate.deaf_sockets += self.connections
        else:
            world.gate.start_rules.append(Refusal(self.connections))
        return f"the next {self.connections} at {self.stage}"


@dataclass(frozen=True, slots=True)
class Refuse(Action):
    """The next sockets are closed as soon as they are accepted: the gateway is down."""

    name = "refuse"
    connections: int = 0
    seconds: int = 0

    def apply(self, world: World, event: Event | None) -> str:
        """Set it for the sockets to come."""
        world.gate.refused_sockets += self.connections
        _refuse_for(world, self.seconds)
        return f"the next {self.connections} connections, for {self.seconds} s"


@dataclass(frozen=True, slots=True)
class LockOut(Action):
    """startApi is refused with 326 (or another code) as if somebody else held the client id."""

    name = "lock_out"
    connections: int = 1
    clients: tuple[int, ...] = ()
    code: int = codes.CLIENT_ID_IN_USE

    def apply(self, world: World, event: Event | None) -> str:
        """Set it for the starts to come."""
        world.gate.start_rules.append(Refusal(self.connections, self.code, frozenset(self.clients)))
        return f"code {self.code} for the next {self.connections} starts of {list(self.clients) or 'anyone'}"


@dataclass(frozen=True, slots=True)
class Restart(Action):
    """The gateway restarts: every socket ends; without memory the orders of the last seconds have never been there."""

    name = "restart"
    seconds: int = 60
    memory: bool = True
    forget_seconds: int = 2

    def apply(self, world: World, event: Event | None) -> str:
        """Restart now."""
        forgotten = []
        if not self.memory:
            since_ms = world.now_ms - self.forget_seconds * 1000
            forgotten = world.venue.faults.forget_orders(since_ms)
        world.outage(self.seconds)
        _refuse_for(world, self.seconds)
        for session in world.sessions(()):
            _cut(world, session, "fin")
        for session in world.hub.sessions():
            session.connection.close()
        return f"{self.seconds} s, forgot orders {[order.order_id for order in forgotten]}"


@dataclass(frozen=True, slots=True)
class SlowRead(Action):
    """The gateway reads nothing for some milliseconds of the wall clock: a client's sends pile up."""

    name = "slow_read"
    wall_ms: int = 500
    clients: tuple[int, ...] = ()

    def apply(self, world: World, event: Event | None) -> str:
        """Stop reading now."""
        sessions = world.sessions(self.clients)
        for session in sessions:
            session.connection.pause()
            asyncio.get_running_loop().call_later(self.wall_ms / 1000, session.connection.resume)
        return f"clients {[session.client_id for session in sessions]}, {self.wall_ms} ms"


@dataclass(frozen=True, slots=True)
class Code(Action):
    """An error, warning or notice out of the blue. `order: true` puts the id of the order of the event on it."""

    name = "code"
    code: int = 0
    text: str = ""
    request_id: int = -1
    order: bool = False
    clients: tuple[int, ...] = ()

    def apply(self, world: World, event: Event | None) -> str:
        """Send it now."""
        text = self.text or codes.TEXTS.get(self.code, f"Code {self.code}")
        request_id = event.order_id if self.order and event is not None else self.request_id
        wanted = (event.client_id,) if self.order and event is not None else self.clients
        sessions = world.sessions(wanted)
        for session in sessions:
            world.hub.error(session, request_id, self.code, text)
        return f"{self.code} for {request_id} to clients {[session.client_id for session in sessions]}"


@dataclass(frozen=True, slots=True)
class Skew(Action):
    """The gateway's clock is wrong by some seconds."""

    name = "skew"
    seconds: int = 0
    lasting_seconds: int | None = None

    def apply(self, world: World, event: Event | None) -> str:
        """Set the clock wrong (or right, with 0)."""
        world.gate.skew_seconds = self.seconds
        return f"currentTime off by {self.seconds} s"

    def follow_up(self) -> tuple[int, Action] | None:
        """Set it right again."""
        return None if self.lasting_seconds is None else (self.lasting_seconds, Skew(0))


@dataclass(frozen=True, slots=True)
class Connectivity(Action):
    """IB is out of reach: 1100 (or 2110), then 1101 or 1102. Meanwhile no data, and order messages wait."""

    name = "connectivity"
    seconds: int = 30
    restored: int = 1102
    lost: int = 1100

    def __post_init__(self) -> None:
        if self.restored not in (1101, 1102):
            raise ValueError(f"fault connectivity.restored: {self.restored}; allowed are 1101, 1102")

    def apply(self, world: World, event: Event | None) -> str:
        """Lose it now."""
        world.hub.announce(self.lost)
        world.gate.is_cut = True
        return f"{self.lost} for {self.seconds} s"

    def follow_up(self) -> tuple[int, Action] | None:
        """Restore it."""
        return self.seconds, Restored(self.restored)


@dataclass(frozen=True, slots=True)
class NightlyReset(Action):
    """IB's servers reset every night at 23:45 New York time: 1100, and 1102 a minute later. Always in the schedule."""

    name = "nightly_reset"
    seconds: int = 60

    @staticmethod
    def next_ms(now_ms: int) -> int:
        """The next 23:45 after a moment."""
        today = eastern(now_ms).date()
        tonight_ms = eastern_ms(today, RESET_SECOND)
        return tonight_ms if tonight_ms > now_ms else eastern_ms(today + timedelta(days=1), RESET_SECOND)

    def apply(self, world: World, event: Event | None) -> str:
        """Reset now, and again tomorrow."""
        world.plan(self.next_ms(world.now_ms), self)
        return Connectivity(self.seconds).apply(world, event)

    def follow_up(self) -> tuple[int, Action] | None:
        """Back after a minute."""
        return self.seconds, Restored()


@dataclass(frozen=True, slots=True)
class Restored(Action):
    """The end of a loss of connectivity: 1101 forgets every data subscription, 1102 keeps them."""

    name = "restored"
    code: int = 1102
    notices: tuple[int, ...] = field(default=codes.START_NOTICES)

    def apply(self, world: World, event: Event | None) -> str:
        """Restore it now."""
        if self.code == 1101:
            world.markets.forget_all()
            world.history.forget_all()
        world.hub.announce(self.code)
        for notice in self.notices:
            world.hub.announce(notice)
        world.gate.restore()
        return f"{self.code}"
