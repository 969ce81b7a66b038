"""One consistent picture of the account: all open orders, executions since midnight, positions. Whole or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final

from ib_async.objects import ExecutionFilter

from broker.account import Account
from broker.executions import Executions
from broker.orders import Orders
from broker.pacing import Priority
from broker.requests import Requests
from core.events import BrokerRead, Event

KEY: Final = "read_back"
LATE_KEY: Final = "late read_back"
WORDS: Final = "the read-back of open orders, executions and positions"
LATE_WORDS: Final = "the read-back before, which was given up"
_LISTS: Final = frozenset({"open orders", "executions", "positions"})


class ReadBack:
    """Asks for the three lists together and emits them as one event from within the callback of the last end.

    `connected` gives the client of the moment or raises BrokerUnavailable.

    What is reported while the answers come in belongs to the picture too, so that it stands in the order of the wire:
    nothing that came before it is missing from it, nothing that comes after it is undone by it.

    The ends of orders and positions do not say which question they answer: those of a reading that was given up are
    waited for before the next begins, or they would end its lists before their rows are in.
    """

    def __init__(self, orders: Orders, executions: Executions, account: Account, requests: Requests,
                 emit: Callable[[Event], None], now_ms: Callable[[], int],
                 connected: Callable[[], Any]) -> None:  # fmt: skip
        self._orders = orders
        self._executions = executions
        self._account = account
        self._requests = requests
        self._emit = emit
        self._now_ms = now_ms
        self._connected = connected
        self._missing: set[str] = set()  # lists asked for on this connection whose ends have not come
        self._is_reading = False
        self._executions_id = 0
        self._one_at_a_time = asyncio.Lock()

    def on_connected(self) -> None:
        """A new connection: no answer to an older question can arrive on it."""
        self._missing.clear()

    async def read(self, account: str) -> None:
        """Read and emit. Raises RequestTimedOut or BrokerUnavailable, and then nothing was emitted.

        After RequestTimedOut this connection must not be read again: whose answers come is not known any more.
        """
        async with self._one_at_a_time:
            client = self._connected()  # now, and not before the wait for another reading
            if self._missing:
                await self._requests.ask(LATE_KEY, LATE_WORDS, lambda: None, priority=Priority.ENTRY, messages=0)
            self._begin()
            request_id = self._executions_id = self._requests.next_id()

            def write() -> None:
                self._missing = set(_LISTS)
                client.reqAllOpenOrders()
                client.reqExecutions(request_id, ExecutionFilter(acctCode=account))
                client.cancelPositions()
                client.reqPositions()

            try:
                await self._requests.ask(KEY, WORDS, write, priority=Priority.ENTRY, messages=4)
            finally:
                self._abandon()

    def on_open_orders_end(self) -> None:
        """Every open order has been named."""
        self._ended("open orders")

    def on_executions_end(self, request_id: int) -> None:
        """Every execution has been named."""
        if request_id == self._executions_id:
            self._ended("executions")

    def on_positions_end(self) -> None:
        """Every position has been named."""
        self._ended("positions")

    def refuse(self, request_id: int, code: int, text: str) -> bool:
        """An error for our request; True when it was ours."""
        return request_id == self._executions_id and self._requests.refuse(KEY, code, text)

    def cut_off(self, code: int, text: str) -> None:
        """The gateway has lost IB: answers from now on may lack rows, so that a reading under way is given up."""
        self._abandon()
        for key in (KEY, LATE_KEY):
            self._requests.refuse(key, code, text)

    def _begin(self) -> None:
        self._is_reading = True
        self._orders.begin_listing()
        self._executions.begin_listing()
        self._account.begin_listing()

    def _abandon(self) -> None:
        """Stop collecting; nothing to do when the picture was emitted."""
        if self._is_reading:
            self._is_reading = False
            self._missing.discard("executions")  # their end names its request, and may never come after an error
            self._orders.end_listing()
            self._executions.end_listing()
            self._account.end_listing()

    def _ended(self, name: str) -> None:
        if name not in self._missing:
            return
        self._missing.discard(name)
        if self._missing:
            return
        if not self._is_reading:
            self._requests.finish(LATE_KEY)
            return
        self._is_reading = False
        picture = BrokerRead(
            self._now_ms(), self._orders.end_listing(), self._executions.end_listing(), self._account.end_listing()
        )
        self._emit(picture)
        self._requests.finish(KEY)
