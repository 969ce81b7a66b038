"""What the venue tells its listeners, in the sequences that IB uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.doubts import Doubts
from simulator.model import CommissionReport, Execution, Order, PositionRow

if TYPE_CHECKING:
    from simulator.venue import VenueListener


class Reports:
    """Speaks to every listener in turn."""

    def __init__(self, doubts: Doubts) -> None:
        self.listeners: list[VenueListener] = []
        self.doubts = doubts

    def order(self, order: Order) -> None:
        """An openOrder echo."""
        for listener in self.listeners:
            listener.on_order(order)

    def status(self, order: Order) -> None:
        """One orderStatus."""
        for listener in self.listeners:
            listener.on_order_status(order)

    def state(self, order: Order) -> None:
        """openOrder and orderStatus; IB repeats the latter once an order works."""
        self.order(order)
        self.status(order)
        if self.doubts.duplicate_statuses and order.status in ("Submitted", "Filled"):
            self.status(order)

    def error(self, order: Order, code: int, text: str) -> None:
        """An error for an order's own client."""
        self.error_for(order.client_id, order.order_id, code, text)

    def error_for(self, client_id: int, order_id: int, code: int, text: str) -> None:
        """An error for an order id that may not exist."""
        for listener in self.listeners:
            listener.on_order_error(client_id, order_id, code, text)

    def fill(self, order: Order, execution: Execution) -> None:
        """Execution, openOrder and orderStatus; recorded sessions have them in either order."""
        if self.doubts.filled_before_execution:
            self.order(order)
            self.status(order)
            self.execution(execution)
        else:
            self.execution(execution)
            self.order(order)
            self.status(order)

    def execution(self, execution: Execution) -> None:
        """A fill or its correction."""
        for listener in self.listeners:
            listener.on_execution(execution)

    def commission(self, report: CommissionReport) -> None:
        """Always after its execution."""
        for listener in self.listeners:
            listener.on_commission(report)

    def position(self, row: PositionRow) -> None:
        """A position changed, and with it the account."""
        for listener in self.listeners:
            listener.on_position(row)
        for listener in self.listeners:
            listener.on_account()
