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
WORDS: Final = "the read-back of open orders, executions and positions"
_LISTS: Final = frozenset({"open orders", "executions", "positions"})


class ReadBack:
    """Asks for the three lists together and emits them as one event from within the callback of the last end.

    What is reported while the answers come in belongs to the picture too, so that it stands in the order of the wire:
    nothing that came before it is missing from it, nothing that comes after it is undone by it.
    """

    def __init__(self, orders: Orders, executions: Executions, account: Account, requests: Requests,
                 emit: Callable[[Event], None], now_ms: Callable[[], int]) -> None:  # fmt: skip
        self._orders = orders
        self._executions = executions
        self._account = account
        self._requests = requests
        self._emit = emit
        self._now_ms = now_ms
        self._missing: set[str] = set()
        self._executions_id = 0
        self._one_at_a_time = asyncio.Lock()

    async def read(self, client: Any, account: str) -> None:
        """Read and emit. Raises RequestTimedOut or BrokerUnavailable, and then nothing was emitted."""
        async with self._one_at_a_time:
            self._begin()
            request_id = self._executions_id = self._requests.next_id()

            def write() -> None:
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
        self._requests.refuse(KEY, code, text)

    def _begin(self) -> None:
        self._missing = set(_LISTS)
        self._orders.begin_listing()
        self._executions.begin_listing()
        self._account.begin_listing()

    def _abandon(self) -> None:
        """Stop collecting; nothing to do when the picture was emitted."""
        if self._missing:
            self._missing.clear()
            self._orders.end_listing()
            self._executions.end_listing()
            self._account.end_listing()

    def _ended(self, name: str) -> None:
        if name not in self._missing:
            return
        self._missing.discard(name)
        if self._missing:
            return
        picture = BrokerRead(
            self._now_ms(), self._orders.end_listing(), self._executions.end_listing(), self._account.end_listing()
        )
        self._emit(picture)
        self._requests.finish(KEY)
