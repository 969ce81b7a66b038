"""The server itself: connections become sessions, payloads find their desk, answers and news find their session.

The order of everything here is what clients rely on: nothing is sent between the version answer and startApi; then
managedAccounts, nextValidId and the farm notices, in this order.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Final, Protocol

from simulator.server.connection import Connection
from simulator.server.desk import Desk, Route
from simulator.server.limits import CLIENTS_MAX, CONNECTIONS_MAX, HELD_FRAMES_MAX, STRIKES_MAX
from simulator.server.session import Session, Stage
from simulator.server.wire_log import FROM_CLIENT, TO_CLIENT, WireLog
from simulator.venue import Venue
from simulator.wire import answers, codes, requests, versions
from simulator.wire.fields import FieldError, FieldReader
from simulator.wire.framing import fields_of
from simulator.wire.times import connection_time

_log = logging.getLogger("simulator.hub")
START_API: Final = 71
CURRENT_TIME: Final = 49


class Interference(Protocol):
    """What a fault script may do to the traffic; the calm one does nothing."""

    @property
    def is_active(self) -> bool:
        """Whether messages have to pass `outgoing` and `incoming` at all."""

    def accepts(self, connection: Connection) -> bool:
        """A socket is there; False: closed again at once. May make the connection deaf."""

    def start_code(self, client_id: int) -> int | None:
        """0: start the session; a code: refuse with it; None: never answer."""

    def start_notices(self) -> Sequence[int]:
        """What a client that has just started is told of the connections behind the gateway."""

    def incoming(self, session: Session, message_id: int, fields: list[str]) -> bool:
        """Whether the request may reach its desk."""

    def outgoing(self, session: Session, payload: bytes) -> Sequence[bytes]:
        """What is sent in the place of this message."""

    def clock_skew_seconds(self) -> int:
        """Added to every currentTime."""

    def dispatched(self) -> None:
        """A request is answered: time for what it has set off."""


class Pace(Protocol):
    """How simulated time moves."""

    lag_seconds_max: float

    def asks_the_time(self, session: Session) -> bool:
        """A client sent reqCurrentTime; True when the answer is due now, False when it is the tick's."""

    def lost(self, session: Session) -> None:
        """A started session is gone."""

    def plan_outage(self, seconds: int) -> None:
        """The coming loss of the last client costs this much time."""

    def settled(self) -> None:
        """All that has arrived is handled."""


class Hub:
    """Sessions, routing, and the way out; an `Office` to its desks and a `Door` to its connections."""

    def __init__(self, venue: Venue, interference: Interference, log: WireLog | None = None) -> None:
        self.venue = venue
        self.interference: Interference = interference
        self.log = log
        self.pace: Pace | None = None
        self.exempt_time_requests = False
        """Deterministic time: reqCurrentTime is the heartbeat and does not count to the message rate."""
        self.messages_sent = 0
        self._sessions: dict[int, Session] = {}
        self._clients: dict[int, Session] = {}
        self._desks: list[Desk] = []
        self._routes: dict[int, Route] = {}

    def seat(self, *desks: Desk) -> None:
        """Give desks their message ids and their share of the news, in this order."""
        for desk in desks:
            self._desks.append(desk)
            self._routes.update(desk.routes())
            self.venue.listeners.append(desk)

    # ---- Office -----------------------------------------------------------------------------------------------
    @property
    def now_ms(self) -> int:
        """The simulated moment."""
        return self.venue.clock.now_ms

    def client(self, client_id: int) -> Session | None:
        """The started session of this client id."""
        return self._clients.get(client_id)

    def clients(self) -> list[Session]:
        """Every started session, by client id."""
        return [self._clients[client_id] for client_id in sorted(self._clients)]

    def sessions(self) -> list[Session]:
        """Every connection's session, started or not, by number."""
        return list(self._sessions.values())

    def send(self, session: Session, payload: bytes) -> None:
        """One message to one client, past the fault script and into the wire log."""
        if self.interference.is_active and session.stage is not Stage.GONE:
            for changed in self.interference.outgoing(session, payload):
                self.put(session, changed)
        else:
            self.put(session, payload)

    def put(self, session: Session, payload: bytes) -> None:
        """One message to one client, past the fault script; a session that is gone gets nothing."""
        if session.stage is Stage.GONE:
            return
        if self.log is not None:
            self.log.write(self.now_ms, session.number, session.client_id, TO_CLIENT, payload)
        self.messages_sent += 1
        session.queue((payload,))

    def send_all(self, session: Session, payloads: Sequence[bytes]) -> None:
        """The same as `send` for each, at a fraction of the cost: nine of ten messages of a day are ticks."""
        if self.interference.is_active or self.log is not None:
            for payload in payloads:
                self.send(session, payload)
        else:
            self.messages_sent += len(payloads)
            session.queue(payloads)

    def error(self, session: Session, request_id: int, code: int, text: str = "") -> None:
        """Error 4; without a text the usual one of that code."""
        self.send(session, answers.error(session.version, request_id, code, text or codes.TEXTS[code]))

    def announce(self, code: int, text: str = "") -> None:
        """A notice without a request to every client."""
        for session in self.clients():
            self.error(session, -1, code, text)

    def send_time(self, session: Session) -> None:
        """currentTime."""
        self.send(session, answers.current_time(self.now_ms // 1000 + self.interference.clock_skew_seconds()))

    def second_ended(self) -> None:
        """The venue has run a second: what is due once a second, then frames that waited for room."""
        for desk in self._desks:
            desk.second_ended()
        for session in self.clients():
            if session.held and not session.waits:
                self.release(session)

    def flush(self) -> None:
        """Write every session's batch."""
        for session in self._sessions.values():
            session.flush()

    # ---- Door -------------------------------------------------------------------------------------------------
    def opened(self, connection: Connection) -> None:
        """A socket: a session that has to say hello, unless too many are open or a fault says otherwise."""
        if len(self._sessions) >= CONNECTIONS_MAX or not self.interference.accepts(connection):
            connection.abort()
            return
        self._sessions[connection.number] = Session(connection)

    def received(self, connection: Connection, payload: bytes) -> None:
        """A payload: the version offer first, then requests; they wait while the session waits."""
        session = self._sessions.get(connection.number)
        if session is None:
            return
        if session.stage is Stage.OFFERING:
            self._negotiate(session, payload)
        elif session.waits or (session.held and not self._is_heartbeat(payload)):
            if len(session.held) >= HELD_FRAMES_MAX:
                _log.warning("connection %d closed: %d requests waiting", session.number, len(session.held))
                connection.abort()
            session.held.append(payload)
        else:
            self._handle(session, payload)

    def _is_heartbeat(self, payload: bytes) -> bool:
        """A barrier message overtakes requests that are only slowed down: time has to move for them to go on."""
        return self.exempt_time_requests and payload.startswith(b"49\0")

    def settled(self) -> None:
        """A chunk is handled: let time move if it may, then write."""
        if self.pace is not None:
            self.pace.settled()
        self.flush()

    def lost(self, connection: Connection) -> None:
        """The socket is gone: free the client id at once; orders live on."""
        session = self._sessions.pop(connection.number, None)
        if session is None:
            return
        self.part(session)
        if session.client_id >= 0 and self.pace is not None:
            self.pace.lost(session)
        self.settled()

    def part(self, session: Session) -> None:
        """End a session's say: subscriptions, id and unsent messages are gone; the socket is the caller's affair."""
        if self._clients.get(session.client_id) is session:
            del self._clients[session.client_id]
        session.stage = Stage.GONE
        session.outbox.clear()
        session.held.clear()
        session.waits = False
        for desk in self._desks:
            desk.forget(session)

    # ---- requests ---------------------------------------------------------------------------------------------
    def _negotiate(self, session: Session, payload: bytes) -> None:
        offer = payload.rstrip(b"\0").decode("latin-1")
        try:
            session.version = versions.negotiate(offer)
        except versions.HandshakeError as error:
            _log.warning("connection %d closed: %s", session.number, error)
            session.connection.close()
            return
        session.paced = "PACEAPI" in offer
        session.stage = Stage.NEGOTIATED
        self._note(session, payload)
        self.put(session, answers.server_version(session.version, connection_time(self.now_ms)))

    def release(self, session: Session) -> None:
        """Handle what waited, until the session waits again or is over its rate again."""
        while session.held and not session.waits and session.stage is not Stage.GONE:
            payload = session.held.popleft()
            if session.paced and not session.rate.has_room(self.now_ms):
                session.held.appendleft(payload)
                return
            self._handle(session, payload)

    def _note(self, session: Session, payload: bytes) -> None:
        if self.log is not None:
            self.log.write(self.now_ms, session.number, session.client_id, FROM_CLIENT, payload)

    def _handle(self, session: Session, payload: bytes) -> None:
        fields = fields_of(payload)
        try:
            message_id = int(fields[0]) if fields and len(fields[0]) < 10 else -1
        except ValueError:
            message_id = -1
        if session.stage is Stage.NEGOTIATED and message_id != START_API:
            self._note(session, payload)
            _log.info("connection %d: message %d before startApi is ignored", session.number, message_id)
            return
        if session.is_started and not self._has_room(session, message_id, payload):
            return
        self._note(session, payload)
        if self.interference.is_active and not self.interference.incoming(session, message_id, fields):
            return
        self.dispatch(session, message_id, fields)
        self.interference.dispatched()

    def _has_room(self, session: Session, message_id: int, payload: bytes) -> bool:
        """The rate of 50 messages a second: refuse and warn; the third time disconnect; a paced client just waits."""
        if message_id == CURRENT_TIME and self.exempt_time_requests:
            return True
        if session.rate.has_room(self.now_ms):
            session.rate.count(self.now_ms)
            return True
        if session.paced:
            session.held.append(payload)
            return False
        self._note(session, payload)
        session.strikes += 1
        text = f"Max rate of messages per second has been exceeded:max=50 rec=51 ({session.strikes})"
        self.error(session, -1, codes.MAX_RATE, text)
        if session.strikes >= STRIKES_MAX:
            _log.warning("client %d disconnected: over 50 messages a second %d times", session.client_id, STRIKES_MAX)
            session.flush()
            session.connection.close()
        return False

    def dispatch(self, session: Session, message_id: int, fields: list[str]) -> None:
        """Hand a request to whom it concerns; one that cannot be read draws 320 under its id."""
        reader = FieldReader(fields[1:])
        try:
            if message_id == START_API:
                self._start(session, requests.StartApi.read(reader, session.version))
            elif message_id == CURRENT_TIME:
                if self.pace is None or self.pace.asks_the_time(session):
                    self.send_time(session)
            elif message_id in self._routes:
                read, answer = self._routes[message_id]
                answer(session, read(reader, session.version))
            else:
                raise FieldError(f"Message id {message_id} is unknown.")
        except FieldError as error:
            self.error(session, reader.request_id, codes.READING, codes.reading(str(error)))

    def _start(self, session: Session, wanted: requests.StartApi) -> None:
        if session.is_started:
            self.error(session, -1, codes.VALIDATING, codes.validating("startApi was already accepted."))
            return
        code = self.interference.start_code(wanted.client_id)
        if code is None:
            return
        if wanted.client_id in self._clients or len(self._clients) >= CLIENTS_MAX:
            code = codes.CLIENT_ID_IN_USE
        if code or wanted.client_id < 0:
            self.error(session, -1, code or codes.VALIDATING, "" if code else codes.validating("Negative client id."))
            session.flush()
            session.connection.close()
            return
        session.client_id = wanted.client_id
        session.stage = Stage.STARTED
        self._clients[wanted.client_id] = session
        self.send(session, answers.managed_accounts([self.venue.account]))
        self.send(session, answers.next_valid_id(self.venue.next_order_id(wanted.client_id)))
        for notice in self.interference.start_notices():
            self.error(session, -1, notice)
