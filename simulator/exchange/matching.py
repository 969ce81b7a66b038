"""Fills against the touch, and only there: at its price, up to its size."""

from __future__ import annotations

from simulator.account.ledger import Fill
from simulator.exchange.floor import Floor
from simulator.exchange.groups import after_fill
from simulator.exchange.kinds import awaits_trigger, is_immediate, is_market, works_outside_rth
from simulator.exchange.lifecycle import cancel, end, held_by
from simulator.model import CommissionReport, Execution, Order, Price, Trade

_VENUES = ("ARCA", "NASDAQ", "IEX", "BATS", "NYSE", "EDGX", "MEMX")


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
    commission = _commission(floor, order, shares, price, added)
    order.filled += shares
    order.filled_value += shares * price
    order.last_fill_price = price
    execution = _execution(floor, order, shares, price, added)
    realized = floor.account.ledger.book(
        Fill(execution.exec_id, order.instrument.con_id, order.side * shares, price, commission)
    )
    if order.remaining == 0:
        end(floor, order, "Filled", f"Filled Size: {order.filled}")
    elif order.status != "PendingCancel":
        order.status, order.why_held = "Submitted", ""
    floor.executions.append(execution)
    floor.reports.fill(order, execution)
    order.commission = (order.commission or 0) + commission
    _report_commission(
        floor, order, CommissionReport(execution.exec_id, commission, order.instrument.currency, realized)
    )
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


def _report_commission(floor: Floor, order: Order, report: CommissionReport) -> None:
    """Late, missing or altered when a fault says so; else at once, after the echo that shows it."""
    plan = floor.planned_commissions[0] if floor.planned_commissions else None
    if plan is None:
        _say_commission(floor, order, report)
        return
    plan.count -= 1
    if plan.count == 0:
        floor.planned_commissions.pop(0)
    if plan.amount is not None:
        report = CommissionReport(report.exec_id, plan.amount, report.currency, report.realized_pnl)
    if plan.delay_seconds is not None:
        due = floor.clock.now_ms + 1000 * plan.delay_seconds
        if plan.delay_seconds == 0:
            _say_commission(floor, order, report)
        else:
            floor.timers.at(due, lambda: _say_commission(floor, order, report))


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
