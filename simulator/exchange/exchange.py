"""The door to the exchange: placing, cancelling, and the passing of time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from simulator.exchange.changing import cancel_by_number, modify, request_cancel
from simulator.exchange.checks import check_form
from simulator.exchange.floor import Floor
from simulator.exchange.placing import new_order, place_new
from simulator.exchange.what_if import answer_what_if
from simulator.exchange.working import drain, on_bell, on_second
from simulator.model import Instrument, Order, OrderRequest, Trade


class Exchange:
    """Everything is answered through the floor's reports, before the call returns."""

    def __init__(self, floor: Floor) -> None:
        self._floor = floor

    def place(self, client_id: int, request: OrderRequest) -> None:
        """A new order, a modification of a live one, or a whatIf."""
        floor = self._floor
        known = floor.orders.find(client_id, request.order_id)
        if request.what_if:
            refusal = check_form(floor, request)
            if refusal is not None:
                floor.reports.error_for(client_id, request.order_id, *refusal)
            else:
                answer_what_if(floor, new_order(floor, client_id, replace(request, parent_id=0), None))
        elif known is not None:
            modify(floor, known, request)
        else:
            place_new(floor, client_id, request)
        drain(floor)

    def place_by_hand(self, request: OrderRequest) -> Order | None:
        """An order typed into TWS (client 0, order id 0); None when it was refused."""
        order = place_new(self._floor, 0, replace(request, order_id=0, parent_id=0, transmit=True))
        drain(self._floor)
        return order

    def cancel(self, client_id: int, order_id: int) -> None:
        """By number."""
        cancel_by_number(self._floor, client_id, order_id)
        drain(self._floor)

    def global_cancel(self) -> None:
        """Every order of everyone."""
        for order in self._floor.orders.live():
            if order.is_live and order.status != "PendingCancel":
                request_cancel(self._floor, order)
        drain(self._floor)

    def on_second(self, trades: Iterable[tuple[Instrument, Trade]]) -> None:
        """Match the second that has just ended."""
        on_second(self._floor, trades)

    def on_bell(self) -> None:
        """An opening or closing."""
        on_bell(self._floor)
