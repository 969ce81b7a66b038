"""Which events the tables show, by the name under which the journal has them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy.orm import Session

from core.events import (
    BrokerRead,
    CommissionReported,
    ExecutionReported,
    OrderErrorReported,
    OrderReported,
    OrderStatusReported,
)
from db.projections import orders
from db.projections.executions import take_commission, take_execution
from db.projections.place import Place


def _order(tables: Session, where: Place, event: OrderReported) -> None:
    orders.echo(tables, where, event.order)


def _execution(tables: Session, where: Place, event: ExecutionReported) -> None:
    take_execution(tables, where.subject.account, event.execution)


def _commission(tables: Session, where: Place, event: CommissionReported) -> None:
    take_commission(tables, where.subject.account, event.exec_id, event.commission, event.realized_pnl)


def _broker(tables: Session, where: Place, event: BrokerRead) -> None:
    orders.read_back(tables, where, event.orders)
    for execution in event.executions:
        take_execution(tables, where.subject.account, execution)


EVENTS: dict[str, Callable[[Session, Place, Any], None]] = {
    OrderReported.__name__: _order,
    OrderStatusReported.__name__: orders.status,
    OrderErrorReported.__name__: orders.error,
    ExecutionReported.__name__: _execution,
    CommissionReported.__name__: _commission,
    BrokerRead.__name__: _broker,
}
