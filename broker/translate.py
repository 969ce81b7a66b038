"""IB's words to core words. What no table knows is rejected with `UnknownBrokerWord`, never defaulted."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Final

from ib_async.objects import CommissionReport
from ib_async.objects import Execution as IbExecution
from ib_async.order import Order, OrderState
from ib_async.util import UNSET_DOUBLE

from broker.errors import UnknownBrokerWord
from core.events import CommissionReported
from core.orders import Execution, OpenOrder, parse_order_ref
from core.vocabulary import Action, OrderStatus

_ACTIONS: Final = {"BUY": Action.BUY, "SELL": Action.SELL, "SSHORT": Action.SELL, "BOT": Action.BUY, "SLD": Action.SELL}

TERMINAL: Final = frozenset(
    {OrderStatus.API_CANCELLED, OrderStatus.CANCELLED, OrderStatus.FILLED, OrderStatus.INACTIVE}
)
"""Statuses of an order that is no longer live. An Inactive one may be revived in TWS by a person, never by us."""


def order_status(text: str) -> OrderStatus:
    """An order's status."""
    try:
        return OrderStatus(text)
    except ValueError:
        raise UnknownBrokerWord("order status", text, ", ".join(OrderStatus)) from None


def action(text: str) -> Action:
    """BUY or SELL, from an order's action or an execution's side."""
    known = _ACTIONS.get(text)
    if known is None:
        raise UnknownBrokerWord("action", text, ", ".join(_ACTIONS))
    return known


def money(value: float, field: str) -> Decimal:
    """An amount in dollars, with the digits that the broker sent. Raises UnknownBrokerWord for NaN and infinity."""
    if not math.isfinite(value):
        raise UnknownBrokerWord(field, value, "a finite number of dollars")
    return Decimal(repr(value))


def money_or_none(value: float) -> Decimal | None:
    """An amount, or None where the broker has not said (its sentinel, NaN)."""
    return None if value == UNSET_DOUBLE or not math.isfinite(value) else Decimal(repr(value))


def whole_shares(value: float, field: str) -> int:
    """A number of whole shares. The API trades no fractions; a fraction means that something else is at work."""
    if value != int(value):
        raise UnknownBrokerWord(field, value, "whole shares")
    return int(value)


def away_from_zero(value: float) -> int:
    """A count that may hold fractions of somebody else's: rounded up in size, so that it never looks like nothing."""
    return int(math.copysign(math.ceil(abs(value)), value))


def shares_of(order_ref: str, value: float, field: str) -> int:
    """Shares of an order: ours are whole; other people's may be fractions, whether or not they bear a reference."""
    return away_from_zero(value) if parse_order_ref(order_ref) is None else whole_shares(value, field)


def open_order(ticker: str, order: Order, state: OrderState, *, filled: int) -> OpenOrder:
    """An openOrder echo. Foreign orders may have any type and fractions of shares; ours have neither."""
    kind = order.orderType
    return OpenOrder(
        order_ref=order.orderRef,
        order_id=order.orderId,
        client_id=order.clientId,
        perm_id=order.permId,
        ticker=ticker,
        action=action(order.action),
        kind=kind,
        shares=away_from_zero(float(order.totalQuantity)),
        status=order_status(state.status),
        filled=filled,
        limit_price=_price(order.lmtPrice) if "LMT" in kind else None,
        stop_price=_price(order.auxPrice) if "STP" in kind else None,
        oca_group=order.ocaGroup,
        oca_type=order.ocaType,
        parent_id=order.parentId,
    )


def _price(value: float | Decimal | None) -> Decimal | None:
    return None if value is None else money_or_none(float(value))


def execution(ticker: str, report: IbExecution, order_ref: str) -> Execution:
    """One fill. `report.time` carries its zone (broker/decoding gives it)."""
    return Execution(
        exec_id=report.execId,
        order_ref=order_ref,
        order_id=report.orderId,
        client_id=report.clientId,
        perm_id=report.permId,
        ticker=ticker,
        action=action(report.side),
        shares=shares_of(order_ref, report.shares, "execution shares"),
        price=money(report.price, "execution price"),
        time_ms=int(report.time.timestamp()) * 1000,
        exchange=report.exchange,
    )


def commission(report: CommissionReport, at_ms: int) -> CommissionReported:
    """A commission in dollars. IB's sentinels, NaN and the bare -1 mean "not known"; other negatives are rebates.

    Another currency belongs to a trade that is not ours, and is no figure in dollars.
    """
    if report.currency != "USD":
        return CommissionReported(at_ms, report.execId, None, None)
    amount = None if report.commission == -1 else money_or_none(report.commission)
    return CommissionReported(at_ms, report.execId, amount, money_or_none(report.realizedPNL))
