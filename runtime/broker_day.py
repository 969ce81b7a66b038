"""The day as the broker tells it, read by a client that only looks: for reconciliation and for every final check."""

from __future__ import annotations

from dataclasses import dataclass

from config import Settings
from core.events import BrokerRead, CommissionReported, Event
from core.orders import Execution, OpenOrder, PositionRow
from core.reconciliation import CommissionRow
from runtime.observer import observing


@dataclass(frozen=True, slots=True)
class AccountNow:
    """What the broker holds and did since midnight: all clients, all tickers."""

    orders: tuple[OpenOrder, ...]
    executions: tuple[Execution, ...]
    commissions: tuple[CommissionRow, ...]
    positions: tuple[PositionRow, ...]

    @property
    def is_flat(self) -> bool:
        """No share of anything."""
        return not any(row.shares for row in self.positions)


async def read_account_now(settings: Settings) -> AccountNow:
    """Connect as an observer, read everything once, disconnect. Raises BrokerUnavailable, or what a message broke."""
    events: list[Event] = []
    async with observing(settings, settings.ib_observer_client_ids[-1], events.append) as broker:
        await broker.connect()
        await broker.read_back()
    read = [event for event in events if isinstance(event, BrokerRead)][-1]
    commissions = {
        event.exec_id: CommissionRow(event.exec_id, event.commission, event.realized_pnl)
        for event in events
        if isinstance(event, CommissionReported)
    }
    return AccountNow(read.orders, read.executions, tuple(commissions.values()), read.positions)
