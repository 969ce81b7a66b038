"""Every order that the venue knows, found by permId, by (client, order id), by family and by OCA group."""

from __future__ import annotations

from collections.abc import Iterable

from simulator.model import Order

FIRST_ORDER_ID = 1


class OrderTable:
    """Orders live on after their client has gone; ids never move backwards."""

    def __init__(self, first_perm_id: int) -> None:
        self._next_perm_id = first_perm_id
        self._by_id: dict[tuple[int, int], Order] = {}
        self._live: dict[int, Order] = {}  # by permId, so oldest first; untransmitted ones too
        self._working: dict[int, dict[int, Order]] = {}  # con_id: permId: order, transmitted only
        self._done: list[Order] = []
        self._highest_id: dict[int, int] = {}
        self._finished_groups: set[str] = set()

    def new_perm_id(self) -> int:
        """permIds rise."""
        self._next_perm_id += 1
        return self._next_perm_id - 1

    def note_id(self, client_id: int, order_id: int) -> None:
        """An id was used, for an order or in vain."""
        self._highest_id[client_id] = max(order_id, self._highest_id.get(client_id, 0))

    def next_order_id(self, client_id: int) -> int:
        """Above all ids that this client has used."""
        return self._highest_id.get(client_id, FIRST_ORDER_ID - 1) + 1

    def add(self, order: Order) -> None:
        """A new order; by-hand ones (order id 0) are not found by id."""
        self._live[order.perm_id] = order
        if order.order_id:
            self._by_id[order.client_id, order.order_id] = order
            self.note_id(order.client_id, order.order_id)

    def transmit(self, order: Order) -> None:
        """From now on it is listed and can fill."""
        order.transmitted = True
        self._working.setdefault(order.instrument.con_id, {})[order.perm_id] = order

    def finish(self, order: Order) -> None:
        """It is done: listed as completed, its group perhaps finished with it."""
        self.forget(order)
        if order.order_id:
            self._by_id[order.client_id, order.order_id] = order
        self._done.append(order)
        name = group_name(order)
        if name and not any(True for _ in self.group(name)):
            self._finished_groups.add(name)

    def forget(self, order: Order) -> None:
        """It vanishes as though it had never been sent."""
        self._live.pop(order.perm_id, None)
        self._working.get(order.instrument.con_id, {}).pop(order.perm_id, None)
        if self._by_id.get((order.client_id, order.order_id)) is order:
            del self._by_id[order.client_id, order.order_id]

    def find(self, client_id: int, order_id: int) -> Order | None:
        """Live or done."""
        return self._by_id.get((client_id, order_id))

    def find_any_client(self, order_id: int) -> Order | None:
        """The first live order with this id, whoever placed it."""
        return next((order for order in self._live.values() if order.order_id == order_id), None)

    def live(self) -> list[Order]:
        """Oldest first, untransmitted ones too."""
        return list(self._live.values())

    def working(self, con_id: int) -> Iterable[Order]:
        """Live transmitted orders of one instrument, oldest first; a snapshot."""
        orders = self._working.get(con_id)
        return list(orders.values()) if orders else ()

    def working_instruments(self) -> list[int]:
        """conIds that have transmitted live orders."""
        return [con_id for con_id, orders in self._working.items() if orders]

    def done(self) -> list[Order]:
        """Completed ones, oldest first."""
        return self._done

    def children(self, parent: Order) -> list[Order]:
        """Live orders attached to a parent."""
        return [order for order in self._live.values() if order.parent is parent]

    def left_for_children(self, parent: Order) -> int:
        """What a parent has filled and its children, live and done, have not."""
        used = sum(order.filled for order in (*self._live.values(), *self._done) if order.parent is parent)
        return max(0, parent.filled - used)

    def group(self, name: str) -> list[Order]:
        """Live transmitted members of an OCA group."""
        return [order for order in self._live.values() if order.transmitted and group_name(order) == name]

    def siblings(self, order: Order) -> list[Order]:
        """The other live members of its group."""
        name = group_name(order)
        return [other for other in self.group(name) if other is not order] if name else []

    def is_finished_group(self, name: str) -> bool:
        """Whether all members that a group ever had are done."""
        return name in self._finished_groups


def group_name(order: Order) -> str:
    """The OCA group an order belongs to, echoed or not."""
    return order.explicit_group or order.oca_group
