"""Moments that a fault can wait for, when no script can know their time: an order, a cancel, a fill, a start."""

from __future__ import annotations

from dataclasses import dataclass

from simulator.faults.names import FROM_CLIENT
from simulator.model import Execution, Order
from simulator.venue import Venue
from simulator.wire.fields import FieldError, integer_of

KINDS = ("order", "modify", "cancel", "fill", "start", "request")
_NAMES = {number: name for name, number in FROM_CLIENT.items()}
_SYMBOL, _ACTION, _TYPE, _PARENT = 3, 16, 18, 28


@dataclass(frozen=True, slots=True)
class Event:
    """What has just happened. `leg` is `parent` or `child` for orders that have (or may get) children."""

    kind: str
    client_id: int = -1
    order_id: int = 0
    symbol: str = ""
    action: str = ""
    order_type: str = ""
    leg: str = ""
    request: str = ""

    def describes(self) -> str:
        """For the log."""
        parts = (self.kind, self.action, self.order_type, self.symbol, self.leg, self.request)
        return " ".join(part for part in parts if part)


class OrderSight:
    """Makes events of requests and fills."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue

    def event(self, client_id: int, message_id: int, fields: list[str]) -> Event | None:
        """The event of a request; None when the request cannot be read (its desk will say so)."""
        try:
            if message_id == FROM_CLIENT["placeOrder"] and len(fields) > _PARENT:
                return self._placed(client_id, fields)
            if message_id == FROM_CLIENT["cancelOrder"] and len(fields) > 2:
                return self._of_order("cancel", client_id, integer_of("orderId", fields[2]) or 0)
        except FieldError:
            return None
        return Event("request", client_id, request=_NAMES.get(message_id, str(message_id)))

    def _placed(self, client_id: int, fields: list[str]) -> Event:
        order_id = integer_of("orderId", fields[1]) or 0
        is_known = any(order.order_id == order_id for order in self._venue.open_orders(client_id))
        leg = "child" if integer_of("parentId", fields[_PARENT]) else "parent"
        symbol = fields[_SYMBOL]
        con_id = integer_of("conId", fields[2])
        found = self._venue.find(con_id=con_id) if con_id else None
        return Event(
            "modify" if is_known else "order",
            client_id,
            order_id,
            found.symbol if found is not None else symbol,
            fields[_ACTION],
            fields[_TYPE],
            leg,
        )

    def fill(self, execution: Execution) -> Event:
        """The event of an execution."""
        return self._of_order("fill", execution.client_id, execution.order_id, execution.perm_id)

    def _of_order(self, kind: str, client_id: int, order_id: int, perm_id: int = 0) -> Event:
        orders = [*self._venue.open_orders(None), *self._venue.completed_orders()]
        for order in reversed(orders):
            if order.perm_id == perm_id or (not perm_id and (order.client_id, order.order_id) == (client_id, order_id)):
                return _event_of(kind, order)
        return Event(kind, client_id, order_id)


def _event_of(kind: str, order: Order) -> Event:
    request = order.request
    leg = "child" if order.parent is not None or request.parent_id else "parent"
    symbol = order.instrument.symbol
    return Event(kind, order.client_id, order.order_id, symbol, request.action, request.order_type, leg)
