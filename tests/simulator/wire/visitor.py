"""A client with a fixed routine of its day, for fault scripts to happen to: it trades, loses its link, comes back."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path

import ib_async

from simulator.app import Gateway
from simulator.faults.script import Fault, built_in, load
from simulator.wire.framing import frame, message
from tests.simulator.wire.clients import Raw, contract_fields, eventually
from tests.simulator.wire.mutations import placed_frame

FIRST_SECONDS = 30
"""Where the first moment of a script is moved to."""
LAST_SECONDS = 92
"""How long its last outage, and the client's routine, may take."""


def moved(number: int, gateway: Gateway) -> list[Fault]:
    """The built-in script of a case, its moments of the day moved close to the start."""
    start_ms = gateway.venue.clock.now_ms
    faults = load(Path(built_in(f"case_{number:02d}").stem), gateway.venue.clock.eastern().date(), start_ms)
    moments = sorted({fault.at_ms for fault in faults if fault.at_ms is not None and fault.at_ms > start_ms})
    gap_seconds_max = 90 if len(moments) <= 5 else 15
    places, at_ms = {start_ms: start_ms}, start_ms + 1000 * FIRST_SECONDS
    for before, moment in zip([None, *moments], moments, strict=False):
        at_ms += 0 if before is None else min(moment - before, 1000 * gap_seconds_max)
        places[moment] = at_ms
    for fault in faults:
        if fault.at_ms is not None:
            fault.at_ms = places[fault.at_ms]
    return faults


class Visitor:
    """Client 1, an observer: the test moves time. What it sends, what comes, and how often its link was gone."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self.seen: list[list[str]] = []
        self.sent_orders: set[str] = set()
        self.lost = self.turned_away = 0
        self.seconds = 0
        self._raw: Raw | None = None
        self._pump: asyncio.Task[None]
        self._next_id = 1
        self._times = 0  # answers to requests for the time

    # ---- what came ------------------------------------------------------------------------------------------------
    def of(self, *fields: str) -> list[list[str]]:
        """Every message that starts so."""
        return [one for one in self.seen if tuple(one[: len(fields)]) == fields]

    def codes(self) -> list[str]:
        """Of all errors and notices, in their order."""
        return [one[3] for one in self.of("4")]

    def executions(self) -> dict[str, tuple[str, str, int]]:
        """(order id, side, shares) by execId."""
        return {one[14]: (one[2], one[18], int(one[19])) for one in self.of("11")}

    def bar_seconds(self) -> list[int]:
        """The starts of the bars of SOXL, epoch seconds."""
        return [int(one[3]) for one in self.of("50")]

    def statuses(self, order_id: int) -> list[str]:
        """Every status of an order, in their order."""
        return [one[2] for one in self.of("3", str(order_id))]

    def prices(self) -> list[float]:
        """Every last price of SOXL."""
        return [float(one[4]) for one in self.of("1", "6", "3", "4")]

    # ---- what it does ---------------------------------------------------------------------------------------------
    async def live(self, seconds: int, routine: Callable[[Visitor], None]) -> None:
        """Let so many seconds pass; in each one come back if need be, act, and take in what came."""
        for self.seconds in range(1, seconds + 1):
            if self._raw is None:
                await self._connect()
            if self._raw is not None:
                routine(self)
            self.gateway.seconds.run_to(self.gateway.venue.clock.now_ms + 1000)
            self.gateway.hub.flush()
            if self._raw is not None:
                await self._take_in()
        await self._leave()

    def send(self, *fields: object) -> None:
        """One request."""
        assert self._raw is not None
        self._raw.send(*fields)

    def place(self, order: ib_async.Order, symbol: str = "SOXL", order_id: int = 0) -> int:
        """Place an order, or modify the one of this id; its id."""
        assert self._raw is not None
        order_id = order_id or self._next_id
        self._next_id = max(self._next_id, order_id + 1)
        self.sent_orders.add(str(order_id))
        self._raw.writer.write(placed_frame(order, order_id, symbol))
        return order_id

    async def _connect(self) -> None:
        """One try. That nobody will answer is seen in the log of the faults, so no test waits for a silence."""
        log = self.gateway.gate.log.entries
        before = len(log)
        self._raw = Raw(*await asyncio.open_connection("127.0.0.1", self.gateway.port))
        self._pump = asyncio.create_task(self._read(self._raw))
        self._raw.writer.write(b"API\0" + frame(b"v157..178") + message(["71", "2", "1", ""]))
        await eventually(
            lambda: self._pump.done() or self._is_held() or any(entry.fault == "mute" for entry in log[before:])
        )
        if not self._is_held():
            self.turned_away += 1
            await self._leave()
            return
        for request in (
            [61, 1], [7, 3, 2, 0, "", "", "", "", "", "", ""], [16, 1], [92, 1, "", ""],
            [1, 11, 3, *contract_fields("SOXL"), 0, "", 0, 0, ""],
            [50, 3, 4, *contract_fields("SOXL"), 5, "TRADES", 1, ""],
        ):  # fmt: skip
            self._raw.send(*request)

    def _is_held(self) -> bool:
        """Whether the gateway holds this link's session."""
        return self.gateway.hub.client(1) is not None

    async def _read(self, raw: Raw) -> None:
        with contextlib.suppress(ConnectionError):
            while fields := await raw.next():
                self.seen.append(fields)
                self._times += fields[0] == "49"

    async def _take_in(self) -> None:
        answers = self._times
        self.send(49, 1)
        await eventually(lambda: self._pump.done() or not self._is_held() or self._times > answers)
        if not self._is_held():
            self.lost += 1
            await self._leave()

    async def _leave(self) -> None:
        if self._raw is not None:
            self._raw.close()
            self._pump.cancel()
            await asyncio.wait([self._pump])
            self._raw = None
