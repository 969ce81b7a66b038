"""Hooks for the fault script: what other people, clerks and accidents do to orders, executions and commissions."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from simulator.exchange.exchange import Exchange
from simulator.exchange.floor import Floor, PlannedCommission, PlannedReject
from simulator.exchange.matching import NOT_KNOWN_YET, fill
from simulator.model import UNITS_PER_DOLLAR, Instrument, Money, Order, OrderRequest, Price


class FaultHooks:
    """`Venue.faults`. Everything takes effect at the present simulated moment."""

    def __init__(self, floor: Floor, exchange: Exchange) -> None:
        self._floor = floor
        self._exchange = exchange

    def manual_trade(self, instrument: Instrument, quantity: int, price: Price | None = None) -> None:
        """A trade by hand in TWS (client 0, order id 0): signed shares, whole, at `price` or at the touch.

        ValueError when there is nothing to trade or no price.
        """
        touch = self._floor.touch(instrument)
        at = price or (touch.quote.ask if quantity > 0 else touch.quote.bid) or touch.mark()
        if not quantity or not at:
            raise ValueError(
                f"manual_trade quantity={quantity} price={at}: allowed is a non-zero quantity, a price > 0"
            )
        action = "BUY" if quantity > 0 else "SELL"
        request = OrderRequest(0, instrument, action, Decimal(abs(quantity)), "MKT", tif="DAY")
        order = Order(
            perm_id=self._floor.orders.new_perm_id(),
            client_id=0,
            order_id=0,
            request=request,
            instrument=instrument,
            quantity=abs(quantity),
            oca_group="",
            oca_type=3,
            tif="DAY",
            status="PreSubmitted",
            placed_ms=self._floor.clock.now_ms,
        )
        self._floor.orders.add(order)
        self._floor.orders.transmit(order)
        self._floor.reports.state(order)
        fill(self._floor, order, order.quantity, at, added=False)

    def fill_order(self, order: Order, shares: int) -> None:
        """Fill a live order now, at its own limit or stop, else at the touch. ValueError when it cannot fill."""
        touch = self._floor.touch(order.instrument)
        own = order.request.limit_price or order.stop_price or order.request.aux_price
        at = own or (touch.quote.ask if order.side > 0 else touch.quote.bid) or touch.mark()
        if not order.is_live or not 0 < shares <= order.remaining or not at:
            raise ValueError(f"fill_order shares={shares} price={at}: {order.remaining} shares of it can fill")
        fill(self._floor, order, shares, at, added=True)

    def manual_order(self, request: OrderRequest) -> Order | None:
        """An order typed into TWS; None when it was refused."""
        return self._exchange.place_by_hand(request)

    def reject_next(self, code: int, text: str, kind: str = "", count: int = 1) -> None:
        """Refuse the next `count` orders. `kind`: empty (any new one), parent, child, modify, or an order type."""
        self._floor.planned_rejects.append(PlannedReject(code, text, kind, count))

    def delay_commissions(self, seconds: int | None, count: int = 1, amount: Money | None = None) -> None:
        """The next `count` commission reports come `seconds` late (None: never).

        `amount` is charged in the place of the plan's. NOT_KNOWN_YET (-1 dollar) is charged to nobody: it is told at
        once, and the plan's amount `seconds` later (0: NOT_KNOWN_SECONDS).
        """
        self._floor.planned_commissions.append(PlannedCommission(seconds, count, amount))

    def overfill_next(self, count: int = 1) -> None:
        """The next `count` fills in groups of ocaType 3 fill a sibling as well."""
        self._floor.planned_overfills += count

    def set_shortable(self, instrument: Instrument, shares: int) -> None:
        """Change what can be borrowed; orders that wait for shares look again."""
        self._floor.touch(instrument).shortable = shares
        self._exchange.on_bell()

    def correct_execution(self, price: Price, exec_id: str = "") -> None:
        """Book and report another price for an execution (default: the latest). KeyError when there is no such one.

        The commission stays as it was charged. Everything booked after it is booked anew: whatever has been told of a
        realised P&L that is another one now is told again, the latest report of an execution being the one that counts.
        """
        floor = self._floor
        index = next(
            (at for at in reversed(range(len(floor.executions))) if exec_id in ("", floor.executions[at].exec_id)), None
        )
        if index is None:
            raise KeyError(f"exec_id={exec_id!r}: no such execution")
        old = floor.executions[index]
        stem, _, revision = old.exec_id.rpartition(".")
        moved = old.shares * (price - old.price) / old.cumulative_shares / UNITS_PER_DOLLAR
        new = replace(
            old,
            exec_id=f"{stem}.{int(revision) + 1:02d}",
            price=price,
            average_price=round(old.average_price + moved, 8),
        )
        floor.account.ledger.correct(old.exec_id, new.exec_id, price)
        order = floor.filled_orders[index]
        order.filled_value += old.shares * (price - old.price)
        if order.filled == old.cumulative_shares:
            order.last_fill_price = price
        floor.executions[index] = new
        floor.reports.execution(new)
        told = floor.commissions.pop(old.exec_id, None)
        if told is not None:
            floor.commissions[new.exec_id] = replace(told, exec_id=new.exec_id, realized_pnl=None)
        self._tell_commissions_anew(index)
        floor.reports.position(floor.account.row(old.instrument))

    def _tell_commissions_anew(self, corrected: int) -> None:
        """The report of the corrected execution, and of those whose P&L has changed with it."""
        floor = self._floor
        for number in range(corrected, len(floor.executions)):
            told = floor.commissions.get(floor.executions[number].exec_id)
            if told is None:
                continue
            booked = told if told.commission == NOT_KNOWN_YET else floor.booked_commission(number)
            if number == corrected or booked != told:
                floor.commissions[booked.exec_id] = booked
                floor.reports.commission(booked)

    def forget_orders(self, since_ms: int) -> list[Order]:
        """A restart without order memory: live orders placed at or after `since_ms` vanish without a word."""
        lost = [order for order in self._floor.orders.live() if order.placed_ms >= since_ms]
        for order in lost:
            self._floor.orders.forget(order)
            order.status = "Inactive"
        return lost
