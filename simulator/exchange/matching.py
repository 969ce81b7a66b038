"""Fills against the touch, and only there: at its price, up to its size."""

from __future__ import annotations

from typing import Final

from simulator.account.ledger import Fill
from simulator.exchange.floor import Floor, PlannedCommission
from simulator.exchange.groups import after_fill
from simulator.exchange.kinds import awaits_trigger, is_immediate, is_market, works_outside_rth
from simulator.exchange.lifecycle import cancel, end, held_by
from simulator.model import UNITS_PER_DOLLAR, CommissionReport, Execution, Money, Order, Price, Trade

_VENUES = ("ARCA", "NASDAQ", "IEX", "BATS", "NYSE", "EDGX", "MEMX")
NOT_KNOWN_YET: Final[Money] = -UNITS_PER_DOLLAR
"""IB writes a bare -1 in a commission report while the amount is not known; the report that knows it follows."""
NOT_KNOWN_SECONDS: Final = 30


def match(floor: Floor, order: Order, trade: Trade | None = None) -> None:
    """Fill what the touch gives now. `trade` is what traded in the second that has just ended, if it did."""
    if not order.is_live or awaits_trigger(order) or held_by(floor, order):
        return
    if not floor.hours.matches(floor.clock.now_ms, works_outside_rth(order)):
        return  # the opening bell rings, but no second of these hours has passed
    touch = floor.touch(order.instrument)
    quote = touch.quote
    price, left = (quote.ask, touch.ask_left) if order.side > 0 else (quote.bid, touch.bid_left)
    if price and not touch.halted:
        if _reaches(order, price):
            _take(floor, order, price, min(left, fillable(floor, order)))
        else:
            order.resting = True
            if floor.doubts.trade_through_fills and trade is not None and _printed_through(order, trade):
                _take(floor, order, price, min(trade.size, fillable(floor, order)))
    if is_immediate(order):
        _kill(floor, order)


def _take(floor: Floor, order: Order, price: Price, shares: int) -> None:
    """Fill at the touch or, once an order has rested, at its own limit."""
    if shares == 0 or (shares < order.remaining and (order.tif == "FOK" or order.request.all_or_none)):
        return
    limit = order.request.limit_price
    if order.resting and limit is not None and not is_market(order):
        fill(floor, order, shares, limit, added=True)
    else:
        fill(floor, order, shares, price, added=False)


def _reaches(order: Order, price: Price) -> bool:
    limit = order.request.limit_price
    if is_market(order) or limit is None:
        return True
    return price <= limit if order.side > 0 else price >= limit


def _printed_through(order: Order, trade: Trade) -> bool:
    limit = order.request.limit_price
    if limit is None:
        return False
    return trade.low < limit if order.side > 0 else trade.high > limit


def fillable(floor: Floor, order: Order) -> int:
    """What may fill: a child no more than its parent has filled, as long as that one is still filling."""
    parent = order.parent
    if parent is None or not parent.is_live:
        return order.remaining
    return min(order.remaining, floor.orders.left_for_children(parent))


def fill(floor: Floor, order: Order, shares: int, price: Price, *, added: bool) -> None:
    """Book one execution, report it in IB's sequence, then let group and family follow."""
    before = order.remaining
    touch = floor.touch(order.instrument)
    if not added and order.side > 0:
        touch.ask_left = max(0, touch.ask_left - shares)
    elif not added:
        touch.bid_left = max(0, touch.bid_left - shares)
    planned = _planned_commission(floor)
    commission = _commission(floor, order, shares, price, added)
    if planned is not None and planned.amount not in (None, NOT_KNOWN_YET):
        commission = planned.amount
    order.filled += shares
    order.filled_value += shares * price
    order.last_fill_price = price
    execution = _execution(floor, order, shares, price, added)
    floor.account.ledger.book(Fill(execution.exec_id, order.instrument.con_id, order.side * shares, price, commission))
    if order.remaining == 0:
        end(floor, order, "Filled", f"Filled Size: {order.filled}")
    elif order.status != "PendingCancel":
        order.status, order.why_held = "Submitted", ""
    floor.executions.append(execution)
    floor.filled_orders.append(order)
    floor.reports.fill(order, execution)
    order.commission = (order.commission or 0) + commission
    _report_commission(floor, order, len(floor.executions) - 1, planned)
    overfilled = after_fill(floor, order, before)
    floor.reports.position(floor.account.row(order.instrument))
    for sibling in overfilled:
        forced = min(shares, sibling.remaining)
        at = touch.quote.ask if sibling.side > 0 else touch.quote.bid
        if forced and sibling.is_live:
            fill(floor, sibling, forced, at or price, added=True)


def _commission(floor: Floor, order: Order, shares: int, price: Price, added: bool) -> int:
    """The order's commission grows by this; a minimum is paid once per order."""
    plan = floor.account.plan
    total = plan.order_total(order.filled + shares, order.filled_value + shares * price)
    before = plan.order_total(order.filled, order.filled_value) if order.filled else 0
    return total - before + plan.fees(order.side, shares, price, added)


def _execution(floor: Floor, order: Order, shares: int, price: Price, added: bool) -> Execution:
    number = len(floor.executions)
    return Execution(
        exec_id=floor.exec_id(number),
        time_ms=floor.clock.now_ms,
        instrument=order.instrument,
        account=floor.account.name,
        exchange=_VENUES[number % len(_VENUES)],
        side="BOT" if order.side > 0 else "SLD",
        shares=shares,
        price=price,
        perm_id=order.perm_id,
        client_id=order.client_id,
        order_id=order.order_id,
        cumulative_shares=order.filled,
        average_price=order.average_price,
        order_ref=order.request.order_ref,
        last_liquidity=1 if added else 2,
    )


def _planned_commission(floor: Floor) -> PlannedCommission | None:
    """The fault that waits for this fill; None: nothing is wrong with its commission."""
    planned = floor.planned_commissions[0] if floor.planned_commissions else None
    if planned is not None:
        planned.count -= 1
        if planned.count == 0:
            floor.planned_commissions.pop(0)
    return planned


def _report_commission(floor: Floor, order: Order, number: int, planned: PlannedCommission | None) -> None:
    """Late, missing or "not known yet" when a fault says so; else at once, after the echo that shows it."""
    delay_seconds = 0 if planned is None else planned.delay_seconds
    if planned is not None and planned.amount == NOT_KNOWN_YET:
        execution = floor.executions[number]
        placeholder = CommissionReport(execution.exec_id, NOT_KNOWN_YET, execution.instrument.currency, None)
        _say_commission(floor, order, placeholder)
        delay_seconds = NOT_KNOWN_SECONDS if delay_seconds == 0 else delay_seconds
    if delay_seconds == 0:
        _say_commission(floor, order, floor.booked_commission(number))
    elif delay_seconds is not None:
        due = floor.clock.now_ms + 1000 * delay_seconds
        floor.timers.at(due, lambda: _say_commission(floor, order, floor.booked_commission(number)))


def _say_commission(floor: Floor, order: Order, report: CommissionReport) -> None:
    floor.commissions[report.exec_id] = report
    floor.reports.order(order)
    if floor.doubts.duplicate_statuses:
        floor.reports.status(order)
    floor.reports.commission(report)


def _kill(floor: Floor, order: Order) -> None:
    """What IOC leaves is cancelled; FOK that can't fill becomes Inactive."""
    if not order.is_live:
        return
    if order.tif == "IOC":
        cancel(floor, order, "Cancelled by System:IOC remainder", alone=True)
        return
    end(floor, order, "Inactive", "Cancelled by System:FOK")
    floor.reports.order(order)
    floor.reports.status(order)
    for child in floor.orders.children(order):
        cancel(floor, child, "Cancelled by System:Parent order cancelled", alone=True)
