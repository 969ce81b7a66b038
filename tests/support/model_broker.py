"""A model of Interactive Brokers, as small as ORDERS.md allows, with a switch for every doubt.

It takes the engine's commands and answers with the events that `broker/` would emit. Nothing trades by itself but
market orders; everything else fills when a test says so, or when `price` reaches it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from decimal import Decimal

from core import commands as c
from core import events as e
from core.market import Bar
from core.orders import Execution, OpenOrder, OrderSpec, PositionRow
from core.vocabulary import Action, ErrorKind, Leg, OrderKind, OrderStatus, TimeInForce

LAG_MS = 1_500
"""By how much positions may lag behind executions of ours."""

LIVE = (OrderStatus.PRE_SUBMITTED, OrderStatus.SUBMITTED, OrderStatus.PENDING_CANCEL)


@dataclass(frozen=True)
class Doubts:
    """What is not known of the real broker (ORDERS.md, by row). The defaults are the harsher variants."""

    arm_on_part: bool = False  # 3: children work as soon as a part of the parent has filled
    cancel_takes_children: bool = True  # 4: a parent cancelled after a part takes its children with it
    cancel_takes_siblings: bool = True  # 5: cancelling or refusing one leg cancels its siblings
    timed_exit_refused: bool = False  # 8
    siblings_may_fill: bool = True  # 7: a group's cancels may come too late
    reduces_siblings: bool = True  # a part of one leg reduces the others by itself
    positions_lag: bool = False  # a read-back shows the account's positions as they were a moment ago


@dataclass
class Resting:
    """One order at the model."""

    spec: OrderSpec
    perm_id: int
    total: int
    limit: Decimal | None
    stop: Decimal | None
    status: OrderStatus = OrderStatus.PRE_SUBMITTED
    filled: int = 0
    armed: bool = False

    @property
    def is_live(self) -> bool:
        return self.status in LIVE

    @property
    def remaining(self) -> int:
        return self.total - self.filled

    @property
    def leg(self) -> str:
        return self.spec.order_ref.rpartition("/")[2]


@dataclass
class ModelBroker:
    """The account, its orders, and the events that are on their way to us."""

    doubts: Doubts = field(default_factory=Doubts)
    now_ms: int = 0
    fills_market_orders: bool = True
    orders: dict[str, Resting] = field(default_factory=dict)
    foreign: list[OpenOrder] = field(default_factory=list)
    executions: list[Execution] = field(default_factory=list)
    positions: dict[str, int] = field(default_factory=dict)
    prices: dict[str, Decimal] = field(default_factory=dict)
    outbox: deque[e.Event] = field(default_factory=deque)
    connected: bool = True
    mute: bool = False  # accepts everything, answers nothing
    lists_by_echo: bool = True  # as the real one: what a read-back lists comes as echoes first
    refuse: dict[str, tuple[int, ErrorKind]] = field(default_factory=dict)  # leg -> the error that its placing draws
    loses: frozenset[str] = frozenset()  # legs of which a stand-alone order never arrives
    refuse_changes: tuple[int, ErrorKind] | None = None
    hears_cancels: bool = True
    cancels_hang: bool = False  # PendingCancel is all that comes of one; the order may fill
    history: tuple[Bar, ...] | None = ()  # None: no answer
    sent: int = 0
    commission: Decimal = Decimal("1.00")

    # --- commands -------------------------------------------------------------------------------------------------

    def take(self, commands: Iterable[c.Command]) -> None:
        """Carry out what concerns the broker; without a connection it is lost."""
        for command in commands if self.connected else ():
            if not isinstance(command, c.ReadHistory):
                self._carry_out(command)
            elif self.history is not None:
                self._say(e.HistoryLoaded(0, command.ticker, self.history))

    def _carry_out(self, command: c.Command) -> None:
        match command:
            case c.PlaceBracket(entry, children):
                self._place_bracket(entry, children)
            case c.PlaceOrders(sent):
                specs = [spec for spec in sent if spec.order_ref.rpartition("/")[2] not in self.loses]
                for spec in specs:
                    self._place(spec)
                for spec in specs:
                    self._start(self.orders[spec.order_ref])
            case c.ModifyOrder(ref, shares, limit, stop):
                self._modify(ref, shares, limit, stop)
            case c.CancelOrder() if not self.hears_cancels:
                pass
            case c.CancelOrder(ref, 0):
                self._cancel(ref)
            case c.CancelOrder(_, perm_id):
                self._cancel_double(perm_id)
            case c.CancelEverything():
                self.foreign.clear()
                for order in [order for order in self.orders.values() if order.is_live]:
                    self._cancel(order.spec.order_ref)
            case c.ReadBroker():
                self._list()

    def _list(self) -> None:
        for order in self.orders.values():
            if order.is_live and self.lists_by_echo:
                self._report(order)
        self._say(self.read_back())
        for execution in self.executions:
            self._say(e.CommissionReported(0, execution.exec_id, self.commission, None))

    def _place_bracket(self, entry: OrderSpec, children: tuple[OrderSpec, ...]) -> None:
        for spec in (entry, *children):
            self._place(spec)
        if not self.orders[entry.order_ref].is_live:
            for spec in children:
                self.orders[spec.order_ref].status = OrderStatus.INACTIVE
                self._error(spec.order_ref, 135, ErrorKind.NOT_FOUND)
            return
        self._start(self.orders[entry.order_ref])

    def _place(self, spec: OrderSpec) -> None:
        assert spec.order_ref not in self.orders, f"reference {spec.order_ref} was used twice"
        self.sent += 1
        order = Resting(spec, 1_000 + self.sent, spec.shares, spec.limit_price, spec.stop_price)
        self.orders[spec.order_ref] = order
        code_kind = self.refuse.get(order.leg)
        if order.leg == Leg.TIMED_EXIT and self.doubts.timed_exit_refused:
            code_kind = (201, ErrorKind.REJECTED)
        if code_kind is not None:
            order.status = OrderStatus.INACTIVE
            self._error(spec.order_ref, *code_kind)
            return
        order.armed = not spec.parent_ref
        if order.armed and spec.kind is not OrderKind.STOP:
            order.status = OrderStatus.SUBMITTED
        self._report(order)

    def _start(self, order: Resting) -> None:
        price = self.prices.get(order.spec.ticker)
        if not order.is_live or price is None or not self.fills_market_orders:
            return
        if order.spec.kind is OrderKind.MARKET and order.spec.good_after_ms is None and order.armed:
            self.fill(order.spec.order_ref, order.remaining, price)
        self.price(order.spec.ticker, price)
        if order.spec.time_in_force is TimeInForce.IOC:
            self._end(order, OrderStatus.CANCELLED)

    def _modify(self, ref: str, shares: int, limit: Decimal | None, stop: Decimal | None) -> None:
        order = self.orders.get(ref)
        if order is None or not order.is_live:
            self._error(ref, 104, ErrorKind.NOT_FOUND)
            return
        if self.refuse_changes is not None:
            self._error(ref, *self.refuse_changes)
            return
        if order.status is OrderStatus.PENDING_CANCEL:
            return  # a dying order is past changing
        order.total = max(shares, order.filled)
        order.limit, order.stop = limit or order.limit, stop or order.stop
        if order.remaining == 0:
            order.status = OrderStatus.FILLED
        self._report(order)
        if order.spec.ticker in self.prices:
            self.price(order.spec.ticker, self.prices[order.spec.ticker])

    def _cancel(self, ref: str) -> None:
        order = self.orders.get(ref)
        if order is None:
            self._error(ref, 10147, ErrorKind.NOT_FOUND)
        elif not order.is_live:
            self._error(ref, 10148, ErrorKind.NOT_CANCELLABLE)
        elif order.status is OrderStatus.PENDING_CANCEL:
            self._error(ref, 10148, ErrorKind.WARNING)  # it has not ended yet
        elif self.cancels_hang:
            self.hang(order)
        else:
            self._end(order, OrderStatus.CANCELLED)

    def hang(self, order: Resting) -> None:
        """Its end is on its way, by whomever it was asked for, and does not come."""
        order.status = OrderStatus.PENDING_CANCEL
        self._status(order)

    def end_hanging(self) -> None:
        """The exchange answers: what hung ends."""
        self.cancels_hang = False
        for order in [order for order in self.orders.values() if order.status is OrderStatus.PENDING_CANCEL]:
            self._end(order, OrderStatus.CANCELLED)

    def _cancel_double(self, perm_id: int) -> None:
        for row in [row for row in self.foreign if row.perm_id == perm_id]:
            self.foreign.remove(row)
            self._say(
                e.OrderStatusReported(0, row.order_ref, perm_id, OrderStatus.CANCELLED, row.filled, row.shares, "")
            )

    def _end(self, order: Resting, status: OrderStatus) -> None:
        if not order.is_live:
            return
        order.status = status
        self._status(order)
        if order.spec.parent_ref or order.spec.oca_group:
            takes = self.doubts.cancel_takes_siblings and order.remaining > 0
            others = self._siblings(order) if takes else []
        else:
            others = [o for o in self.orders.values() if o.spec.parent_ref == order.spec.order_ref]
            if order.filled and not self.doubts.cancel_takes_children:
                for other in others:
                    self._arm(other)
                others = []
        for other in others:
            self._end(other, OrderStatus.CANCELLED)

    # --- fills ----------------------------------------------------------------------------------------------------

    def fill(self, ref: str, shares: int, price: Decimal | str, *, tell: bool = True) -> Execution:
        """Fill a part of an order; its group and its children follow. `tell` False: the report is lost."""
        order = self.orders[ref]
        shares = min(shares, order.remaining)
        order.filled += shares
        execution = self.trade(order.spec.ticker, order.spec.action, shares, price, ref, tell=tell)
        if order.remaining == 0:
            order.status = OrderStatus.FILLED
        before, self.mute = self.mute, self.mute or not tell
        self._status(order)
        self._after_fill(order, shares)
        self.mute = before
        return execution

    def trade(
        self, ticker: str, action: Action, shares: int, price: Decimal | str, ref: str = "", *, tell: bool = True
    ) -> Execution:
        """An execution in the account, of an order of ours or (without a reference) of somebody else's."""
        number = len(self.executions) + 1
        order = self.orders.get(ref)
        execution = Execution(
            exec_id=f"0000e0d5.{number:08x}.01.01",
            order_ref=ref,
            order_id=number if ref else 0,
            client_id=1 if ref else 0,
            perm_id=order.perm_id if order is not None else 7,
            ticker=ticker,
            action=action,
            shares=shares,
            price=Decimal(price),
            time_ms=self.now_ms,
        )
        self.executions.append(execution)
        self.positions[ticker] = self.positions.get(ticker, 0) + action.sign * shares
        if tell:
            self._say(e.ExecutionReported(0, execution))
            self._say(e.CommissionReported(0, execution.exec_id, self.commission, None))
        return execution

    def correct(self, index: int, shares: int, price: Decimal) -> None:
        """Correct an execution; one of no shares is annulled."""
        old = self.executions[index]
        revision = int(old.exec_id.rpartition(".")[2]) + 1
        new = replace(old, exec_id=f"{old.lineage}.{revision:02}", shares=shares, price=price)
        self.positions[old.ticker] += old.action.sign * (shares - old.shares)
        self.executions[index] = new
        self._say(e.ExecutionReported(0, new))

    def _after_fill(self, order: Resting, shares: int) -> None:
        children = [o for o in self.orders.values() if o.spec.parent_ref == order.spec.order_ref]
        if children and (order.remaining == 0 or self.doubts.arm_on_part):
            for child in children:
                self._arm(child)
        for sibling in self._siblings(order):
            if order.remaining == 0:
                self._end(sibling, OrderStatus.CANCELLED)
            elif self.doubts.reduces_siblings:
                sibling.total -= min(shares, sibling.remaining)
                if sibling.remaining == 0:
                    self._end(sibling, OrderStatus.CANCELLED)
                else:
                    self._report(sibling)

    def _siblings(self, order: Resting) -> list[Resting]:
        spec = order.spec
        return [
            other
            for other in self.orders.values()
            if other is not order
            and other.is_live
            and other.status is not OrderStatus.PENDING_CANCEL
            and (
                (spec.parent_ref and other.spec.parent_ref == spec.parent_ref)
                or (spec.oca_group and other.spec.oca_group == spec.oca_group)
            )
        ]

    def _arm(self, order: Resting) -> None:
        if order.armed or not order.is_live:
            return
        order.armed = True
        if order.spec.kind is OrderKind.LIMIT and order.status is not OrderStatus.PENDING_CANCEL:
            order.status = OrderStatus.SUBMITTED
        self._status(order)

    def price(self, ticker: str, price: Decimal | str) -> None:
        """The market trades at this price: working stops and limits that it reaches fill whole."""
        price = self.prices[ticker] = Decimal(price)
        for order in list(self.orders.values()):
            if order.is_live and order.armed and order.spec.ticker == ticker and self._reached(order, price):
                self.fill(order.spec.order_ref, order.remaining, price)

    def _reached(self, order: Resting, price: Decimal) -> bool:
        sign = order.spec.action.sign
        if order.spec.good_after_ms is not None and self.now_ms < order.spec.good_after_ms:
            return False
        if order.spec.kind is OrderKind.LIMIT:
            return order.limit is not None and (order.limit - price) * sign >= 0
        if order.spec.kind is OrderKind.STOP:
            return order.stop is not None and (price - order.stop) * sign >= 0
        return self.fills_market_orders

    # --- what we hear ---------------------------------------------------------------------------------------------

    def row(self, order: Resting) -> OpenOrder:
        """An order as the broker lists it."""
        spec = order.spec
        return OpenOrder(
            order_ref=spec.order_ref,
            order_id=order.perm_id - 1_000,
            client_id=1,
            perm_id=order.perm_id,
            ticker=spec.ticker,
            action=spec.action,
            kind=spec.kind,
            shares=order.total,
            status=order.status,
            filled=order.filled,
            limit_price=order.limit,
            stop_price=order.stop,
            why_held=self._why_held(order),
        )

    def read_back(self) -> e.BrokerRead:
        """Everything, at this moment."""
        rows = tuple(self.row(order) for order in self.orders.values() if order.is_live)
        shown = dict(self.positions)
        for execution in self.executions if self.doubts.positions_lag else ():
            if execution.order_ref and execution.time_ms > self.now_ms - LAG_MS:
                shown[execution.ticker] -= execution.action.sign * execution.shares
        positions = tuple(PositionRow(ticker, shares, Decimal(0)) for ticker, shares in shown.items())
        return e.BrokerRead(0, (*rows, *self.foreign), tuple(self.executions), positions)

    def working(self, ticker: str) -> list[Resting]:
        """Live orders of a ticker."""
        return [order for order in self.orders.values() if order.is_live and order.spec.ticker == ticker]

    def _why_held(self, order: Resting) -> str:
        held = [] if order.armed else ["child"]
        if order.spec.kind is OrderKind.STOP and order.is_live:
            held.append("trigger")
        return ",".join(held)

    def _report(self, order: Resting) -> None:
        self._say(e.OrderReported(0, self.row(order)))
        self._status(order)

    def _status(self, order: Resting) -> None:
        ref = order.spec.order_ref
        held = self._why_held(order)
        self._say(e.OrderStatusReported(0, ref, order.perm_id, order.status, order.filled, order.remaining, held))

    def _error(self, ref: str, code: int, kind: ErrorKind) -> None:
        self._say(e.OrderErrorReported(0, ref, code, kind, f"code {code}"))

    def _say(self, event: e.Event) -> None:
        if self.connected and not self.mute:
            self.outbox.append(event)
