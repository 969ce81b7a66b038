"""Orders: what was asked for, and how the broker says it stands.

As in the engine, a late message does not bring an ended order back to life; only a complete read-back does.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.events import OrderErrorReported, OrderStatusReported
from core.orders import ON_ACCOUNT, OpenOrder, OrderSpec, parse_order_ref
from core.vocabulary import ErrorKind, OrderStatus
from db.models import OrderRecord
from db.projections.place import Place, owner_of, session_row, text
from db.times import from_ms

ENDED = frozenset({OrderStatus.FILLED, OrderStatus.CANCELLED, OrderStatus.API_CANCELLED, OrderStatus.INACTIVE})


def place(tables: Session, where: Place, specs: Iterable[OrderSpec]) -> None:
    """Orders that are about to be sent."""
    for spec in specs:
        order = _order(tables, where, spec.order_ref, spec.ticker, spec.action, spec.kind, spec.shares)
        if order is None:
            continue
        order.limit_price, order.stop_price = spec.limit_price, spec.stop_price
        order.time_in_force = spec.time_in_force
        order.good_after = None if spec.good_after_ms is None else from_ms(spec.good_after_ms)
        order.parent_ref, order.oca_group = spec.parent_ref or None, spec.oca_group or None
        order.placed_at = where.at


def echo(tables: Session, where: Place, reported: OpenOrder, *, read_back: bool = False) -> None:
    """The broker's echo of a live order; one that is not ours is passed over."""
    order = _order(
        tables, where, reported.order_ref, reported.ticker, reported.action, text(reported.kind), reported.shares
    )
    if order is None:
        return
    order.shares = reported.shares
    order.limit_price = order.limit_price if reported.limit_price is None else reported.limit_price
    order.stop_price = order.stop_price if reported.stop_price is None else reported.stop_price
    order.oca_group = text(reported.oca_group) or order.oca_group
    order.order_id, order.client_id, order.perm_id = reported.order_id, reported.client_id, reported.perm_id
    _take_status(order, where, reported.status, reported.filled, revive=read_back)


def status(tables: Session, where: Place, event: OrderStatusReported) -> None:
    """The broker's status of an order."""
    order = tables.get(OrderRecord, event.order_ref)
    if order is not None:
        order.perm_id = event.perm_id or order.perm_id
        order.why_held = text(event.why_held) or None
        _take_status(order, where, event.status, event.filled)


def error(tables: Session, where: Place, event: OrderErrorReported) -> None:
    """The broker's error for an order."""
    order = tables.get(OrderRecord, event.order_ref)
    if order is None:
        return
    order.error_code, order.error_text = event.code, text(event.text)
    never_was = event.kind is ErrorKind.NOT_FOUND and order.status is None
    if order.ended_at is None and (never_was or event.kind in (ErrorKind.REJECTED, ErrorKind.CANCELLED)):
        order.ended_at = where.at


def read_back(tables: Session, where: Place, listed: Iterable[OpenOrder]) -> None:
    """The complete list of open orders: ours that the broker knew and no longer lists have ended."""
    refs = set()
    for reported in listed:
        refs.add(reported.order_ref)
        echo(tables, where, reported, read_back=True)
    still_open = select(OrderRecord).where(
        OrderRecord.session == where.subject.session, OrderRecord.ended_at.is_(None), OrderRecord.status.is_not(None)
    )
    for order in tables.scalars(still_open):
        if order.order_ref not in refs:
            order.ended_at = where.at


def _take_status(order: OrderRecord, where: Place, new: OrderStatus, filled: int, *, revive: bool = False) -> None:
    order.filled = max(order.filled, filled)
    ends = new in ENDED
    if order.status == OrderStatus.FILLED or (order.ended_at and not revive and new is not OrderStatus.FILLED):
        return
    if order.status != new:
        order.status, order.status_at = new, where.at
    if not ends:
        order.ended_at = None
    elif order.ended_at is None:
        order.ended_at = where.at


def _order(
    tables: Session, where: Place, order_ref: str, ticker: str, action: str, kind: str, shares: int
) -> OrderRecord | None:
    """The row of an order of ours, made when it is not there; None when it is not ours.

    One that closes other people's shares is ours too, of the session that was asked to; what it fills is not.
    """
    ref = parse_order_ref(order_ref)
    owner = where.subject if ref is not None and ref.session == where.subject.session + ON_ACCOUNT else None
    owner = owner or owner_of(order_ref, where.subject.account)
    if ref is None or owner is None:
        return None
    order = tables.get(OrderRecord, order_ref)
    if order is None:
        session_row(tables, owner)
        order = OrderRecord(
            order_ref=order_ref,
            session=owner.session,
            ticker=ticker,
            number=ref.number,
            leg=ref.leg,
            action=action,
            kind=kind,
            shares=shares,
            filled=0,
        )
        tables.add(order)
    return order
