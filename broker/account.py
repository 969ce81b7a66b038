"""The account: positions as they are pushed, and the few values that the session asks for."""

from __future__ import annotations

import logging
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

from ib_async.contract import Contract

from broker.contracts import Contracts
from broker.errors import RequestTimedOut
from broker.requests import Requests
from broker.translate import away_from_zero, money
from core.events import AccountRead, Event, PositionReported
from core.orders import PositionRow

TAGS = "BuyingPower,NetLiquidation,DayTradesRemaining"

log = logging.getLogger(__name__)


class Account:
    """Positions and values of one account of the login."""

    def __init__(self, account: str, contracts: Contracts, requests: Requests, emit: Callable[[Event], None],
                 now_ms: Callable[[], int]) -> None:  # fmt: skip
        self._account = account
        self._contracts = contracts
        self._requests = requests
        self._emit = emit
        self._now_ms = now_ms
        self._listed: dict[int, PositionRow] | None = None

    def begin_listing(self) -> None:
        """From now on every position belongs to the read-back."""
        self._listed = {}

    def end_listing(self) -> tuple[PositionRow, ...]:
        """The positions named since `begin_listing`, without those that are flat."""
        listed, self._listed = self._listed or {}, None
        return tuple(row for row in listed.values() if row.shares)

    def on_position(self, account: str, contract: Contract, shares: float, average_cost: float) -> None:
        """A position, listed or pushed after a fill."""
        if account != self._account:
            return
        row = PositionRow(
            self._contracts.ticker_of(contract), away_from_zero(shares), money(average_cost, "average cost")
        )
        if self._listed is not None:
            self._listed[contract.conId] = row
        else:
            self._emit(PositionReported(self._now_ms(), row))

    async def read(self, client: Any) -> AccountRead:
        """Buying power, net liquidation, day trades remaining; None for what the broker does not say in numbers.

        Raises RequestTimedOut, RequestRefused, BrokerUnavailable.
        """
        key = self._requests.next_id()
        words = f"the summary of account {self._account}"
        try:
            rows: list[tuple[str, str, str]] = await self._requests.ask(
                key, words, lambda: client.reqAccountSummary(key, "All", TAGS)
            )
        except RequestTimedOut:
            _cancel(client, key)  # IB keeps two open at most (322): one that is late would be in the way
            raise
        _cancel(client, key)
        values = {tag: value for account, tag, value in rows if account == self._account}
        remaining = _number(values.get("DayTradesRemaining", ""), "DayTradesRemaining")
        return AccountRead(
            at_ms=self._now_ms(),
            buying_power=_number(values.get("BuyingPower", ""), "BuyingPower"),
            net_liquidation=_number(values.get("NetLiquidation", ""), "NetLiquidation"),
            day_trades_remaining=None if remaining is None else int(remaining),
        )

    def on_summary(self, request_id: int, account: str, tag: str, value: str, _currency: str) -> None:
        """One value of the summary."""
        self._requests.add(request_id, (account, tag, value))

    def on_summary_end(self, request_id: int) -> None:
        """The summary is complete."""
        self._requests.finish(request_id)


def _cancel(client: Any, key: int) -> None:
    """End a summary; one of a connection that went in the same moment, by a silent heartbeat, has ended with it."""
    if client.isConnected():
        client.cancelAccountSummary(key)


def _number(text: str, field: str) -> Decimal | None:
    """A figure, or None: one that can't be read must not end a session that trades well without it."""
    if not text:
        return None
    try:
        number: Decimal | None = Decimal(text)
    except InvalidOperation:
        number = None
    if number is None or not number.is_finite():
        log.warning("%s = %r of the account summary is no number: it stays unknown", field, text)
        return None
    return number
