"""What the engine records for people, and the orders that it sends: which commands the tables show."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.commands import (
    ClearAlert,
    Command,
    ForgetTrade,
    PlaceBracket,
    PlaceOrders,
    RaiseAlert,
    RecordDecision,
    RecordPhase,
    RecordTrade,
)
from core.vocabulary import Phase
from db.models import AlertRecord, DecisionRecord
from db.projections import orders
from db.projections.place import Place, session_row, text
from db.projections.trades import forget_trade, take_trade
from db.times import from_ms


def _decision(tables: Session, where: Place, command: RecordDecision) -> None:
    decision = command.decision
    tables.add(
        DecisionRecord(
            session=where.subject.session,
            number=decision.number,
            at=from_ms(decision.at_ms),
            ticker=text(decision.ticker),
            prediction_key=text(decision.prediction_key),
            signal=text(decision.signal),
            confidence=decision.confidence,
            outcome=decision.outcome,
            refusal=decision.refusal,
            explanation=text(decision.explanation),
            figures={text(name): text(figure) for name, figure in decision.values},
            order_ref=decision.order_ref or None,
            side=decision.side,
            shares=decision.shares,
            price=decision.price,
            atr=decision.atr,
            capital_efficiency=decision.capital_efficiency,
        )
    )


def _trade(tables: Session, where: Place, command: RecordTrade) -> None:
    take_trade(tables, where.subject.session, command.trade)


def _forget_trade(tables: Session, where: Place, command: ForgetTrade) -> None:
    forget_trade(tables, where.subject.session, command.number)


def _phase(tables: Session, where: Place, command: RecordPhase) -> None:
    session = session_row(tables, where.subject)
    at = from_ms(command.at_ms)
    session.phase, session.phase_at, session.phase_reason = command.phase, at, text(command.reason)
    if command.phase is Phase.HALTED and session.halted_at is None:
        session.halted_at = at
    session.closed_at = at if command.phase is Phase.CLOSED else None


def _raise(tables: Session, where: Place, command: RaiseAlert) -> None:
    alert = command.alert
    tables.add(
        AlertRecord(
            session=where.subject.session,
            sequence=where.sequence,
            part=where.part,
            key=text(alert.key),
            severity=alert.severity,
            title=text(alert.title),
            text=text(alert.text),
            raised_at=from_ms(alert.at_ms),
        )
    )


def _clear(tables: Session, where: Place, command: ClearAlert) -> None:
    open_alerts = select(AlertRecord).where(
        AlertRecord.session == where.subject.session,
        AlertRecord.key == text(command.key),
        AlertRecord.cleared_at.is_(None),
    )
    for alert in tables.scalars(open_alerts):
        alert.cleared_at, alert.cleared_text = from_ms(command.at_ms), text(command.text)


def _bracket(tables: Session, where: Place, command: PlaceBracket) -> None:
    orders.place(tables, where, (command.entry, *command.children))


def _orders(tables: Session, where: Place, command: PlaceOrders) -> None:
    orders.place(tables, where, command.orders)


COMMANDS: dict[type[Command], Callable[[Session, Place, Any], None]] = {
    RecordDecision: _decision,
    RecordTrade: _trade,
    ForgetTrade: _forget_trade,
    RecordPhase: _phase,
    RaiseAlert: _raise,
    ClearAlert: _clear,
    PlaceBracket: _bracket,
    PlaceOrders: _orders,
}
