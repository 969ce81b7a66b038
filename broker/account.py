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

TAGS = "BuyingPower,NetLiquidation,DayTradesRemaining,$LEDGER:USD"
"""The last: balances in dollars, and with them what a dollar costs in the account's own (base) currency."""
DOLLARS = "USD"
CENT = Decimal("0.01")
_UNSET = Decimal("1e18")
"""No account holds that much: IB's sign for a figure that it does not have is the largest double, 1.797e308."""

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
        """Buying power and net liquidation in dollars, day trades remaining; None for what is not said in numbers.

        IB tells the first two in the account's base currency.
        Raises RequestTimedOut, RequestRefused, BrokerUnavailable.
        """
        key = self._requests.next_id()
        words = f"the summary of account {self._account}"
        try:
            rows: list[tuple[str, str, str, str]] = await self._requests.ask(
                key, words, lambda: client.reqAccountSummary(key, "All", TAGS)
            )
        except RequestTimedOut:
            _cancel(client, key)  # IB keeps two open at most (322): one that is late would be in the way
            raise
        _cancel(client, key)
        summary = _Summary(
            [(tag, value, currency) for account, tag, value, currency in rows if account == self._account]
        )
        remaining = summary.number("DayTradesRemaining")
        return AccountRead(
            at_ms=self._now_ms(),
            buying_power=summary.dollars("BuyingPower"),
            net_liquidation=summary.dollars("NetLiquidation"),
            day_trades_remaining=None if remaining is None else int(remaining),
        )

    def on_summary(self, request_id: int, account: str, tag: str, value: str, currency: str) -> None:
        """One value of the summary."""
        self._requests.add(request_id, (account, tag, value, currency))

    def on_summary_end(self, request_id: int) -> None:
        """The summary is complete."""
        self._requests.finish(request_id)


def _cancel(client: Any, key: int) -> None:
    """End a summary; one of a connection that went in the same moment, by a silent heartbeat, has ended with it."""
    if client.isConnected():
        client.cancelAccountSummary(key)


class _Summary:
    """The rows (tag, value, currency) of one account. What is no number, or in no known currency, is unknown (None)."""

    def __init__(self, rows: list[tuple[str, str, str]]) -> None:
        self._rows = rows

    def number(self, tag: str, currency: str | None = None) -> Decimal | None:
        """A figure, or None: one that can't be read must not end a session that trades well without it."""
        text = next((value for name, value, of in self._rows if name == tag and currency in (None, of)), "")
        if not text:
            return None
        try:
            number: Decimal | None = Decimal(text)
        except InvalidOperation:
            number = None
        if number is None or not number.is_finite() or number >= _UNSET:
            log.warning("%s = %r of the account summary is no number: it stays unknown", tag, text)
            return None
        return number

    def dollars(self, tag: str) -> Decimal | None:
        """An amount of the base currency, in dollars."""
        amount, rate = self.number(tag), self.number("ExchangeRate", DOLLARS)
        currency = next((of for name, _, of in self._rows if name == tag), "")
        if amount is None or currency in ("", DOLLARS):
            return amount
        if rate is None or rate < CENT:  # a dollar costs more than that everywhere
            log.warning("%s is in %s, and what a dollar costs in it is not said: it stays unknown", tag, currency)
            return None
        return (amount / rate).quantize(CENT)
