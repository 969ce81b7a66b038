"""The gate between server and socket: everything that a fault changes about the traffic passes here."""

from __future__ import annotations

import heapq
import itertools
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from simulator.faults.events import Event, OrderSight
from simulator.faults.filters import MessageFilter
from simulator.faults.log import FaultLog
from simulator.faults.names import DATA, ORDERS, numbers
from simulator.model import Execution
from simulator.server.connection import Connection
from simulator.server.desk import Desk, Office
from simulator.server.session import Session
from simulator.wire import codes

_HELD_WHEN_CUT: Final = numbers([*ORDERS, "position", "openOrderEnd", "execDetailsEnd", "positionEnd"], inbound=False)
"""The ends of lists wait behind their rows: without them they would read as empty."""
_LOST_WHEN_CUT: Final = numbers(DATA, inbound=False)
_START: Final = 71
_ORDER_REQUESTS: Final = numbers(["placeOrder", "cancelOrder", "reqGlobalCancel"], inbound=True)
NEVER_MS: Final = 1 << 62


def _nothing() -> None:
    """No script."""


@dataclass(slots=True)
class Refusal:
    """A rule for the next sockets or sessions; code 0 means silence."""

    left: int
    code: int = 0
    clients: frozenset[int] = frozenset()
    until_ms: int = NEVER_MS


class FaultGate(Desk):
    """An Interference that does what the faults have set; without any it costs one test per message."""

    def __init__(self, office: Office, log: FaultLog) -> None:
        super().__init__(office)
        self.log = log
        self.filters: list[MessageFilter] = []
        self.inbound: list[MessageFilter] = []
        self.refused_until_ms = 0
        self.refused_sockets = 0
        self.deaf_sockets = 0
        self.start_rules: list[Refusal] = []
        self.skew_seconds = 0
        self.broken_farms: dict[int, int] = {}
        """The OK code of each farm that is known to be broken, and the code that says so."""
        self.is_cut = False
        """Connectivity between the gateway and IB is lost (1100): data is lost, order traffic waits both ways."""
        self.watchers: list[Callable[[Event], bool]] = []
        """Triggers of the script; each says whether it wants to hear more."""
        self.run_due: Callable[[], None] = _nothing
        """Runs what the script has due; set by its runner."""
        self._order_sight = OrderSight(office.venue)
        self._counts: Counter[str] = Counter()
        self._later: list[tuple[int, int, Session, bytes]] = []
        self._serial = itertools.count()
        self._waiting_out: list[tuple[Session, bytes]] = []
        self._waiting_in: list[tuple[Session, int, list[str]]] = []

    @property
    def is_active(self) -> bool:
        """Whether messages have to pass here at all."""
        return bool(self.filters or self.inbound or self.watchers or self.is_cut)

    # ---- sockets and sessions ---------------------------------------------------------------------------------
    def accepts(self, connection: Connection) -> bool:
        """A socket may be refused, or taken and never answered."""
        if self.office.now_ms < self.refused_until_ms:
            return False
        if self.refused_sockets > 0:
            self.refused_sockets -= 1
            self._count("refuse", f"connection {connection.number}")
            return False
        if self.deaf_sockets > 0:
            self.deaf_sockets -= 1
            connection.deaf = True
            self._count("mute", f"connection {connection.number} accepted, never answered")
        return True

    def start_code(self, client_id: int) -> int | None:
        """A startApi may be refused by code, or never answered."""
        for rule in self.start_rules:
            if rule.clients and client_id not in rule.clients:
                continue
            if rule.left > 0 and self.office.now_ms < rule.until_ms:
                rule.left -= 1
                self._count("lock_out" if rule.code else "mute", f"client {client_id} code {rule.code}")
                return rule.code or None
        self.see(Event("start", client_id=client_id))
        return 0

    def start_notices(self) -> Sequence[int]:
        """How each farm is; while IB is out of reach a client hears that in their place."""
        return (2110,) if self.is_cut else [self.broken_farms.get(code, code) for code in codes.START_NOTICES]

    def clock_skew_seconds(self) -> int:
        """How wrong the answers to reqCurrentTime are."""
        return self.skew_seconds

    # ---- messages ---------------------------------------------------------------------------------------------
    def incoming(self, session: Session, message_id: int, fields: list[str]) -> bool:
        """Whether a request goes on to its desk; triggers that want to act before it do so now."""
        event = self._order_sight.event(session.client_id, message_id, fields) if self.watchers else None
        if event is not None:
            self.see(event)
        for rule in self.inbound:
            if rule.applies(session, message_id):
                self._count("lose", f"request {message_id} of client {session.client_id}")
                return False
        if self.is_cut and message_id in _ORDER_REQUESTS:
            self._waiting_in.append((session, message_id, fields))
            return False
        return session.is_started or message_id == _START

    def outgoing(self, session: Session, payload: bytes) -> Sequence[bytes]:
        """What is sent in the place of a message."""
        number = int(payload[: payload.index(0)])
        if self.is_cut and number in _LOST_WHEN_CUT:
            return ()
        if self.is_cut and number in _HELD_WHEN_CUT:
            self._waiting_out.append((session, payload))
            return ()
        for rule in self.filters:
            if rule.applies(session, number):
                self._count(rule.what, f"message {number} to client {session.client_id}")
                return rule.change(session, payload, self.deliver_later)
        freed = [kept for rule in self.filters if rule.kept for kept in rule.release(session)]
        return (payload, *freed)

    def deliver_later(self, session: Session, payload: bytes, seconds: int) -> None:
        """Send a message some simulated seconds from now, past all filters."""
        heapq.heappush(self._later, (self.office.now_ms + seconds * 1000, next(self._serial), session, payload))

    def restore(self) -> None:
        """Connectivity is back: what waited goes out in its order, then requests that waited are taken."""
        self.is_cut = False
        reports, self._waiting_out = self._waiting_out, []
        for session, payload in reports:
            self.office.send(session, payload)
        asked, self._waiting_in = self._waiting_in, []
        for session, message_id, fields in asked:
            if session.is_started:
                self.office.dispatch(session, message_id, fields)

    def dispatched(self) -> None:
        """A request is answered: what it has set off happens now."""
        self.run_due()

    # ---- time -------------------------------------------------------------------------------------------------
    def second_ended(self) -> None:
        """Deliver what is due; let kept messages go at the end of their second; forget spent rules."""
        now_ms = self.office.now_ms
        self.run_due()
        while self._later and self._later[0][0] <= now_ms:
            _, _, session, payload = heapq.heappop(self._later)
            self.office.put(session, payload)
        for rule in self.filters:
            for session, payload in rule.kept:
                self.office.put(session, payload)
            rule.kept.clear()
        self.filters = [rule for rule in self.filters if not rule.is_spent(now_ms)]
        self.inbound = [rule for rule in self.inbound if not rule.is_spent(now_ms)]

    # ---- events -----------------------------------------------------------------------------------------------
    def on_execution(self, execution: Execution) -> None:
        """A fill is an event; its faults act when the venue is done with it."""
        if self.watchers:
            self.see(self._order_sight.fill(execution))

    def see(self, event: Event) -> None:
        """Show an event to every trigger."""
        if self.watchers:
            self.watchers = [watcher for watcher in self.watchers if watcher(event)]

    def _count(self, fault: str, detail: str) -> None:
        self._counts[fault] += 1
        self.log.write(self.office.now_ms, fault, detail)
