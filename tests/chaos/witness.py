"""What happened at the exchange, written down by the exchange's own side, second by second, whoever is connected.

A desk at the gateway's hub: it hears what the venue does whether or not a client is there to be told. One JSON object
a line, in simulated time.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TextIO

from simulator.faults.gate import FaultGate
from simulator.model import Execution, Order
from simulator.server.desk import Desk
from simulator.server.hub import Hub

PLACE_ORDER = 3
"""The number of the message."""

WORKING = ("PreSubmitted", "Submitted", "PendingCancel")
"""Statuses in which an order at the exchange can fill."""


@dataclass(slots=True)
class Exposure:
    """An unbroken stretch of seconds in which something of a position was not covered.

    Shares are alike, so that cover counts for those that have waited longest; `lots` are what is left: since when, how
    many. A lost link or a dead session sets the times anew: nobody could do anything meanwhile. So does an order that
    the gateway loses or refuses: that nothing came of it shows a second later, since an exchange of messages takes one.
    """

    ticker: str
    since_ms: int
    lots: list[tuple[int, int]] = field(default_factory=list)
    waited_seconds_max: int = 0  # of any share, while connected
    cut_off_seconds: int = 0

    def look(self, now_ms: int, grown: int, uncovered: int, *, connected: bool, thwarted: bool = False) -> None:
        """Take in a second's end: how many shares have come to the position, and how many of it are not covered.

        `thwarted`: in this second an order came to nothing by the gateway's doing.
        """
        if not connected or thwarted:
            self.cut_off_seconds += not connected
            self.lots = [(now_ms, uncovered)]
            return
        if grown > 0:
            self.lots.append((now_ms, grown))
        excess = sum(shares for _, shares in self.lots) - uncovered
        if excess < 0:
            self.lots.append((now_ms, -excess))
        while excess > 0:
            since_ms, shares = self.lots.pop(0)
            if shares > excess:
                self.lots.insert(0, (since_ms, shares - excess))
            excess -= shares
        waited_seconds = (now_ms - self.lots[0][0]) // 1000
        self.waited_seconds_max = max(self.waited_seconds_max, waited_seconds)


class Witness(Desk):
    """Watches one session's client. `stream` gets a line for each thing worth knowing."""

    def __init__(self, hub: Hub, gate: FaultGate, client_id: int, stream: TextIO) -> None:
        super().__init__(hub)
        self._gate = gate
        self._client_id = client_id
        self._stream = stream
        self._exposures: dict[str, Exposure] = {}
        self._orphans: dict[int, int] = {}
        self._traded: dict[tuple[str, bool], int] = {}  # in this second, by ticker and whether bought
        self._known: dict[int, str] = {}
        self._refused: set[str] = set()  # tickers of which an order was refused in this second
        self._faults_seen = 0
        self._was_connected = False
        self.exposures: list[Exposure] = []
        self.perm_ids: dict[str, set[int]] = {}

    def on_order(self, order: Order) -> None:
        """A new order: its reference and permId."""
        if order.client_id == self._client_id and order.perm_id not in self._known:
            ref = self._known[order.perm_id] = order.request.order_ref
            self.perm_ids.setdefault(ref, set()).add(order.perm_id)
            self._write("order", ref=ref, perm_id=order.perm_id)

    def on_order_status(self, order: Order) -> None:
        """A refusal."""
        if order.client_id == self._client_id and order.status == "Inactive":
            self._refused.add(order.instrument.symbol)

    def on_execution(self, execution: Execution) -> None:
        """A fill or its correction."""
        traded = (execution.instrument.symbol, execution.side == "BOT")
        if execution.exec_id.endswith(".01"):
            self._traded[traded] = self._traded.get(traded, 0) + execution.shares
        self._write("execution", exec_id=execution.exec_id, ref=execution.order_ref, shares=execution.shares)

    def second_ended(self) -> None:
        """Look at every position and at who covers it."""
        client = self.office.client(self._client_id)
        connected = client is not None and not self._gate.is_cut
        if connected != self._was_connected:
            self._was_connected = connected
            self._write("connected" if connected else "cut_off")
        held = {row.instrument.symbol: row.quantity for row in self.venue.positions() if row.quantity}
        orders = self.venue.open_orders(None)
        lost = self._order_was_lost()
        for ticker, shares in held.items():
            uncovered = abs(shares) - covers(ticker, shares, orders)
            if uncovered > 0:
                one = self._exposures.setdefault(ticker, Exposure(ticker, self.office.now_ms))
                grown = self._traded.get((ticker, shares > 0), 0)
                thwarted = lost or ticker in self._refused
                one.look(self.office.now_ms, grown, uncovered, connected=connected, thwarted=thwarted)
            else:
                self._end(ticker)
        for ticker in self._exposures.keys() - held.keys():
            self._end(ticker)
        self._traded.clear()
        self._refused.clear()
        self._watch_orphans(held, orders, connected)

    def close(self) -> None:
        """End what is still open."""
        for ticker in [*self._exposures]:
            self._end(ticker)

    def _end(self, ticker: str) -> None:
        one = self._exposures.pop(ticker, None)
        if one is not None:
            self.exposures.append(one)
            self._write(
                "exposure",
                ticker=ticker,
                since_ms=one.since_ms,
                waited_seconds_max=one.waited_seconds_max,
                cut_off_seconds=one.cut_off_seconds,
            )

    def _order_was_lost(self) -> bool:
        """Whether the faults took an order from the wire in this second; whose is not told."""
        new, self._faults_seen = self._gate.log.entries[self._faults_seen :], len(self._gate.log.entries)
        return any(one.fault == "lose" and one.detail.startswith(f"request {PLACE_ORDER} ") for one in new)

    def _watch_orphans(self, held: dict[str, int], orders: list[Order], connected: bool) -> None:
        """Exits that work although there is nothing to exit: one that fills opens a position."""
        found = {order.perm_id for order in orders if is_orphan(order, held, self._client_id)} if connected else set()
        for perm_id in [*self._orphans]:
            if perm_id not in found:
                self._write("orphan", perm_id=perm_id, ref=self._known.get(perm_id), seconds=self._orphans.pop(perm_id))
        for perm_id in found:
            self._orphans[perm_id] = self._orphans.get(perm_id, 0) + 1

    def _write(self, what: str, **facts: object) -> None:
        self._stream.write(json.dumps({"at_ms": self.office.now_ms, "what": what, **facts}) + "\n")
        self._stream.flush()


def covers(ticker: str, shares: int, orders: list[Order]) -> int:
    """Shares of a position for which a stop works, or an exit at the market is on its way out."""
    return sum(order.remaining for order in _exits(ticker, -1 if shares > 0 else 1, orders))


def _exits(ticker: str, side: int, orders: list[Order]) -> Iterator[Order]:
    for order in orders:
        kind = order.request.order_type
        waits = order.awaits_parent or (kind == "MKT" and "time" in order.why_held)
        is_exit = order.instrument.symbol == ticker and order.side == side and kind in ("STP", "MKT")
        if is_exit and not waits and order.status in WORKING:
            yield order


def is_orphan(order: Order, held: dict[str, int], client_id: int) -> bool:
    """Whether an order of the session works as an exit without a position."""
    leg = order.request.order_ref.rpartition("/")[2]
    works = order.status in WORKING and not order.awaits_parent
    return works and order.client_id == client_id and leg != "entry" and not held.get(order.instrument.symbol)
