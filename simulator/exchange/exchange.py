"""Orders come in here, and time: placing, modifying, cancelling, and what each second does to those that work."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from simulator.exchange.checks import (
    Refusal,
    check_auction,
    check_form,
    check_means,
    check_modification,
    modified_quantity,
    rejected,
)
from simulator.exchange.floor import Floor
from simulator.exchange.groups import wake_children
from simulator.exchange.kinds import awaits_trigger, is_immediate, is_market, works_outside_rth
from simulator.exchange.lifecycle import cancel, end, held_by, introduce, refresh, reject
from simulator.exchange.matching import match
from simulator.exchange.triggers import arm, watch
from simulator.exchange.what_if import answer_what_if
from simulator.model import Instrument, Order, OrderRequest, Trade
from simulator.timers import Phase


class Exchange:
    """The door to the floor."""

    def __init__(self, floor: Floor) -> None:
        self._floor = floor

    # ---- placing ----------------------------------------------------------------------------------------------
    def place(self, client_id: int, request: OrderRequest) -> None:
        """A new order or a modification."""
        floor = self._floor
        known = floor.orders.find(client_id, request.order_id) if request.order_id else None
        if request.what_if:
            refusal = check_form(floor, request)
            if refusal is not None:
                floor.reports.error_for(client_id, request.order_id, *refusal)
            else:
                answer_what_if(floor, self._new(client_id, request, None))
        elif known is not None:
            self._modify(known, request)
        else:
            self._place_new(client_id, request)
        self._drain()

    def _place_new(self, client_id: int, request: OrderRequest) -> Order | None:
        floor = self._floor
        floor.orders.note_id(client_id, request.order_id)
        parent = floor.orders.find(client_id, request.parent_id) if request.parent_id else None
        refusal = check_form(floor, request) or check_auction(floor, request)
        planned = self._planned_reject("parent" if not request.parent_id else "child", request.order_type)
        if refusal is None and request.parent_id and (parent is None or not parent.is_live):
            refusal = Refusal(135, f"Can't find order with id ={request.parent_id}")
        if refusal is None and planned is not None and planned.code != 201:
            refusal = planned
        if refusal is None and self._joins_finished_group(request):
            refusal = rejected("The OCA group has finished, its name can't be used again.")
        if refusal is not None:
            floor.reports.error_for(client_id, request.order_id, *refusal)
            return None
        order = self._new(client_id, request, parent)
        order.refusal = planned
        floor.orders.add(order)
        if request.transmit:
            self._transmit(order)
        return order

    def _joins_finished_group(self, request: OrderRequest) -> bool:
        floor = self._floor
        return floor.doubts.group_name_reuse == "refuse" and floor.orders.is_finished_group(request.oca_group)

    def _planned_reject(self, place: str, order_type: str) -> Refusal | None:
        """What the fault script has in store for such an order."""
        planned = self._floor.planned_rejects
        for plan in planned:
            if plan.kind in ("", place, order_type) and (plan.kind or place != "modify"):
                plan.count -= 1
                if plan.count == 0:
                    planned.remove(plan)
                return Refusal(plan.code, plan.text)
        return None

    def _new(self, client_id: int, request: OrderRequest, parent: Order | None) -> Order:
        floor = self._floor
        if request.action == "SSHORT":
            request = replace(request, action="SELL")
        order = Order(
            perm_id=floor.orders.new_perm_id(),
            client_id=client_id,
            order_id=request.order_id,
            request=request,
            instrument=request.instrument,
            quantity=int(request.quantity),
            oca_group=request.oca_group,
            oca_type=request.oca_type or 3,
            tif=request.tif or "DAY",
            placed_ms=floor.clock.now_ms,
            parent=parent,
            awaits_parent=parent is not None,
        )
        if parent is not None:
            self._attach(order, parent)
        order.stop_price = request.aux_price if request.order_type in ("STP", "STP LMT") else request.trail_stop_price
        return order

    def _attach(self, child: Order, parent: Order) -> None:
        """Children form a group of their own, named by the parent's permId; a group of the client's comes late."""
        if not child.request.oca_group:
            child.oca_group, child.oca_type = str(parent.perm_id), 3
        elif self._floor.doubts.explicit_child_group == "refuse_modify":
            child.oca_group, child.explicit_group = "", child.request.oca_group
            self._floor.timers.at(self._floor.clock.now_ms + 1000, lambda: self._echo_group(child))

    def _echo_group(self, child: Order) -> None:
        child.oca_group = child.explicit_group
        if child.is_live and child.transmitted:
            self._floor.reports.state(child)

    # ---- transmitting -----------------------------------------------------------------------------------------
    def _transmit(self, order: Order) -> None:
        """A whole family goes together: the parent first, its pending children, this one last."""
        orders = self._floor.orders
        head = order.parent or order
        family = [head, *orders.children(head)]
        pending = [member for member in family if not member.transmitted and member.is_live]
        for member in pending:
            self._floor.orders.transmit(member)
        for member in pending:
            self._accept(member)
        self._floor.awakened.extend(pending)

    def _accept(self, order: Order) -> None:
        floor = self._floor
        if not order.is_live:
            return  # it fell with its parent or a sibling
        if floor.doubts.preset_tif_notice and not order.request.tif:
            floor.reports.error(order, 10349, "Order TIF was set to DAY based on order preset.")
        refusal = order.refusal or (check_means(floor, order) if order.parent is None else None)
        if refusal is not None:
            reject(floor, order, Refusal(*refusal))
            return
        self._set_expiry(order)
        introduce(floor, order)
        if order.parent is not None and order.request.order_type == "MKT" and order.request.good_after_ms is not None:
            self._judge_timed_child(order)
        if order.request.outside_rth and not works_outside_rth(order):
            floor.reports.error(
                order,
                2109,
                "Order Event Warning:Attribute 'Outside Regular Trading Hours' is ignored based on the order type and "
                "destination. PlaceOrder is now being processed.",
            )

    def _judge_timed_child(self, order: Order) -> None:
        floor, variant = self._floor, self._floor.doubts.timed_child
        if variant == "accept":
            return
        siblings = floor.orders.siblings(order)
        order.oca_group = ""  # a refusal by itself leaves the siblings alone
        reject(floor, order, rejected("Good after time is not supported for an attached market order."))
        if variant == "cancel_siblings":
            for sibling in siblings:
                cancel(floor, sibling, "Cancelled by System:OCA", alone=True)

    def _set_expiry(self, order: Order) -> None:
        """DAY, OPG, IOC, FOK end with the day they belong to, GTD at its time."""
        floor, request = self._floor, order.request
        if order.tif == "GTC" or (order.tif == "DAY" and not floor.doubts.day_orders_die):
            order.expires_ms = None
            return
        if order.tif == "GTD":
            order.expires_ms = request.good_till_ms
        else:
            # An order that waits for a later day's opening, or for its goodAfterTime, belongs to that day.
            from_ms = max(floor.clock.now_ms, request.good_after_ms or 0)
            order.expires_ms = floor.hours.day_order_expiry_ms(from_ms, works_outside_rth(order))
            if order.tif == "OPG" and floor.clock.now_ms >= floor.hours.regular_open_ms:
                order.expires_ms = floor.hours.day_order_expiry_ms(floor.hours.extended_close_ms, False)
        expires_ms = order.expires_ms
        assert expires_ms is not None
        floor.timers.at(expires_ms, lambda: self._expire(order, expires_ms), Phase.AFTER_MATCHING)

    def _expire(self, order: Order, expires_ms: int) -> None:
        if order.is_live and order.transmitted and order.expires_ms == expires_ms:
            cancel(self._floor, order, "Cancelled by System:Expired", alone=True)
            self._drain()

    # ---- working ----------------------------------------------------------------------------------------------
    def _drain(self) -> None:
        """Start every order that a placement, a parent's fill or a bell has awakened."""
        floor = self._floor
        while floor.awakened:
            self._start(floor.awakened.popleft())

    def _start(self, order: Order) -> None:
        floor = self._floor
        if not order.is_live or not order.transmitted:
            return
        good_after_ms = order.request.good_after_ms
        held = held_by(floor, order)
        if held == "time" and good_after_ms is not None:
            floor.timers.at(good_after_ms, lambda: self._restart(order))
        if held == "hours" and is_immediate(order):
            cancel(floor, order, f"Cancelled by System:{order.tif} outside trading hours", alone=True)
            return
        if not held and is_market(order) and not awaits_trigger(order):
            match(floor, order)  # a market order that fills at once is never reported as Submitted
        if order.is_live and refresh(floor, order):
            arm(floor, order)
            match(floor, order)

    def _restart(self, order: Order) -> None:
        self._floor.awakened.append(order)
        self._drain()

    def on_second(self, trades: Iterable[tuple[Instrument, Trade]]) -> None:
        """Match the second that has just ended: stops first, then fills, oldest order first."""
        floor = self._floor
        con_ids = floor.orders.working_instruments()
        if not con_ids:
            return
        traded = {instrument.con_id: trade for instrument, trade in trades}
        floor.in_matching = True
        for con_id in con_ids:
            trade = traded.get(con_id)
            for order in floor.orders.working(con_id):
                if order.is_live:
                    self._work(order, trade)
        floor.in_matching = False

    def _work(self, order: Order, trade: Trade | None) -> None:
        floor = self._floor
        if awaits_trigger(order):
            if held_by(floor, order):
                return
            if trade is not None or order.request.trigger_method:
                if order.stop_price is None:
                    arm(floor, order)
                else:
                    watch(floor, order, trade)
        match(floor, order, trade)
        self._drain()

    def on_bell(self) -> None:
        """Opening or closing: statuses follow the hours."""
        for order in self._floor.orders.live():
            if order.transmitted and order.is_live:
                self._floor.awakened.append(order)
        self._drain()

    # ---- changing and ending ----------------------------------------------------------------------------------
    def _modify(self, order: Order, request: OrderRequest) -> None:
        floor = self._floor
        if not order.is_live:
            refusal = (
                Refusal(104, "Cannot modify a filled order.")
                if order.status == "Filled"
                else Refusal(103, "Duplicate order id")
            )
            floor.reports.error(order, *refusal)
            return
        if not order.transmitted:
            self._replace_untransmitted(order, request)
            return
        refusal_or_none = self._planned_reject("modify", "") or check_modification(floor, order, request)
        if refusal_or_none is not None:
            floor.reports.error(order, *refusal_or_none)
            return
        if not request.transmit or order.status == "PendingCancel":
            return  # a change that is not transmitted changes nothing yet; a dying order is past changing
        self._apply(order, request)

    def _replace_untransmitted(self, order: Order, request: OrderRequest) -> None:
        refusal = check_form(self._floor, request)
        if refusal is not None:
            self._floor.reports.error(order, *refusal)
            return
        order.request = request
        order.quantity = int(request.quantity)
        if request.transmit:
            self._transmit(order)

    def _apply(self, order: Order, request: OrderRequest) -> None:
        floor = self._floor
        kind_changed = request.order_type != order.request.order_type
        order.quantity = modified_quantity(floor, order, request)
        order.request = replace(request, action=order.request.action)
        order.tif = request.tif or "DAY"
        order.resting = False
        if not order.triggered or kind_changed:
            order.triggered = False
            if request.order_type != "TRAIL" or request.trail_stop_price is not None or kind_changed:
                order.stop_price = request.trail_stop_price if request.order_type == "TRAIL" else request.aux_price
        self._set_expiry(order)
        floor.reports.state(order)
        if order.remaining == 0:
            self._settle_reduced(order)
        else:
            floor.awakened.append(order)

    def _settle_reduced(self, order: Order) -> None:
        """A change to what has filled already completes the order."""
        end(self._floor, order, "Filled", f"Filled Size: {order.filled}")
        self._floor.reports.state(order)
        wake_children(self._floor, order)

    def cancel(self, client_id: int, order_id: int) -> None:
        """By number; only the client that placed it may, unless a doubt says otherwise."""
        floor = self._floor
        order = floor.orders.find(client_id, order_id)
        if order is None and floor.doubts.foreign_cancel:
            order = floor.orders.find_any_client(order_id)
        legacy = floor.doubts.legacy_cancel_codes
        if order is None:
            text = f"OrderId {order_id} that needs to be cancelled is not found."
            code, words = (135, f"Can't find order with id ={order_id}") if legacy else (10147, text)
            floor.reports.error_for(client_id, order_id, code, words)
        elif not order.is_live or order.status == "PendingCancel":
            text = f"OrderId {order_id} that needs to be cancelled cannot be cancelled, state: {order.status}."
            code, words = (161, f"Order not cancellable, order state is {order.status}") if legacy else (10148, text)
            floor.reports.error_for(client_id, order_id, code, words)
        else:
            self._request_cancel(order)
        self._drain()

    def global_cancel(self) -> None:
        """Every order of everyone."""
        for order in self._floor.orders.live():
            if order.is_live and order.status != "PendingCancel":
                self._request_cancel(order)
        self._drain()

    def _request_cancel(self, order: Order) -> None:
        floor = self._floor
        delay_ms = 1000 * floor.doubts.cancel_delay_seconds
        if not order.transmitted or not delay_ms:
            cancel(floor, order)
            return
        order.status = "PendingCancel"
        floor.reports.status(order)
        floor.timers.at(floor.clock.now_ms + delay_ms, lambda: self._finish_cancel(order), Phase.AFTER_MATCHING)

    def _finish_cancel(self, order: Order) -> None:
        if order.is_live:
            cancel(self._floor, order)
        else:
            text = f"OrderId {order.order_id} that needs to be cancelled cannot be cancelled, state: {order.status}."
            self._floor.reports.error(order, 10148, text)
        self._drain()

    def take_manual(self, request: OrderRequest) -> Order | None:
        """An order typed into TWS: client 0, order id 0."""
        order = self._place_new(0, replace(request, order_id=0, transmit=True))
        self._drain()
        return order
