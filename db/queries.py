"""What the program itself reads from Postgres. Every function raises DatabaseError when the database is away."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from core.orders import Execution
from core.reconciliation import CommissionRow, DatabaseDay
from core.records import Trade
from core.vocabulary import Action, ExitReason, Phase, Side
from db import models
from db.engine import open_database
from db.journal import JournalRow
from db.projections.place import Subject
from db.times import to_ms
from db.views import VIEWS

READ_ROWS = 5_000


@dataclass(frozen=True, slots=True)
class SessionState:
    """How Postgres knows a session."""

    session: str
    epoch: int  # of the journal's newest writer
    shipped_sequence: int  # rows up to here are in Postgres
    phase: Phase | None
    halted: bool


@dataclass(frozen=True, slots=True)
class DaySummary:
    """What a session came to, dollars. None: unknown while a commission is pending, or without a trade."""

    trades: int
    executions: int
    gross_pnl: Decimal
    commissions: Decimal | None
    net_pnl: Decimal | None
    win_rate: float | None
    capital_efficiency_min: float | None
    unprotected_seconds_max: float
    open_orders: int
    position_shares: int  # long and short ones added up: 0 is flat
    breaks: int


def session_state(url: str, session: str) -> SessionState | None:
    """How Postgres knows a session; None when it has heard nothing of it."""
    with Session(open_database(url)) as tables:
        row = tables.get(models.Session, session)
        if row is None:
            return None
        phase = None if row.phase is None else Phase(row.phase)
        return SessionState(row.session, row.epoch, row.shipped_sequence, phase, row.halted_at is not None)


def read_journal(url: str, session: str, after_sequence: int = 0) -> Iterator[JournalRow]:
    """The shipped rows of a session, in order and to the letter: for a recovery whose local file is gone."""
    entry = models.JournalEntry
    query = select(entry.sequence, entry.at, entry.event, entry.commands).order_by(entry.sequence).limit(READ_ROWS)
    with open_database(url).connect() as connection:
        while True:
            following = query.where(entry.session == session, entry.sequence > after_sequence)
            rows = connection.execute(following).all()
            for row in rows:
                yield JournalRow(row.sequence, to_ms(row.at), row.event, row.commands)
            if len(rows) < READ_ROWS:
                return
            after_sequence = rows[-1].sequence


def first_event(url: str, session: str, name: str) -> str | None:
    """The first event of that kind in a session's shipped journal, as JSON; None when there is none."""
    entry = models.JournalEntry
    query = select(entry.event).where(entry.session == session, entry.name == name).order_by(entry.sequence).limit(1)
    with open_database(url).connect() as connection:
        return connection.scalar(query)


def database_day(url: str, session: str, counts: Callable[[Execution], bool]) -> DatabaseDay:
    """A session's day for `core.reconcile`: of the account's executions of that Eastern day those that count."""
    subject = Subject.parse(session)
    with Session(open_database(url)) as tables:
        rows = tables.scalars(
            select(models.ExecutionRecord)
            .where(models.ExecutionRecord.account == subject.account)
            .where(eastern_date(models.ExecutionRecord.executed_at) == subject.trade_date)
            .order_by(models.ExecutionRecord.executed_at, models.ExecutionRecord.exec_id)
        )
        executions = tuple(execution for row in rows if counts(execution := _execution(row)))
        ids = [execution.exec_id for execution in executions]
        costs = tables.scalars(
            select(models.CommissionRecord)
            .where(models.CommissionRecord.account == subject.account, models.CommissionRecord.exec_id.in_(ids))
            .order_by(models.CommissionRecord.exec_id)
        )
        commissions = tuple(CommissionRow(row.exec_id, row.commission, row.realized_pnl) for row in costs)
        return DatabaseDay(session, executions, commissions, _trades(tables, session))


def trades(url: str, session: str) -> tuple[Trade, ...]:
    """The round trips of a session, by number."""
    with Session(open_database(url)) as tables:
        return _trades(tables, session)


def day_summary(url: str, session: str) -> DaySummary:
    """What a session came to."""
    query = """
        SELECT (SELECT count(*) FROM v_executions e WHERE e.session = :session) AS executions,
               (SELECT count(*) FROM v_open_orders o WHERE o.session = :session) AS open_orders,
               (SELECT coalesce(sum(abs(shares)), 0) FROM v_positions p WHERE p.session = :session) AS position_shares,
               (SELECT min(capital_efficiency) FROM v_capital_efficiency c WHERE c.session = :session)
                   AS capital_efficiency_min,
               (SELECT count(*) FROM v_breaks b WHERE b.account = :account AND b.trade_date = :trade_date) AS breaks,
               coalesce(d.trades, 0) AS trades, coalesce(d.gross_pnl, 0) AS gross_pnl, d.commissions, d.net_pnl,
               d.win_rate::double precision, coalesce(d.unprotected_seconds_max, 0)::double precision
                   AS unprotected_seconds_max
        FROM (SELECT 1) one LEFT JOIN v_daily_pnl d ON d.account = :account AND d.trade_date = :trade_date
    """
    subject = Subject.parse(session)
    given = {"session": session, "account": subject.account, "trade_date": subject.trade_date}
    with open_database(url).connect() as connection:
        return DaySummary(**connection.execute(text(query), given).mappings().one())


def read_view(
    url: str, view: str, *, trade_date: date | None = None, session: str | None = None
) -> list[dict[str, Any]]:
    """The rows of a view, of one day or one session where asked for, in the view's own order.

    Raises KeyError for a view that is not ours.
    """
    known = {known.name for known in VIEWS}
    if view not in known:
        raise KeyError(f"view {view!r} is none of {', '.join(sorted(known))}")
    wanted = {"trade_date": trade_date, "session": session}
    given = {name: value for name, value in wanted.items() if value is not None}
    where = " AND ".join(f"{name} = :{name}" for name in given) or "true"
    with open_database(url).connect() as connection:
        return [dict(row) for row in connection.execute(text(f"SELECT * FROM {view} WHERE {where}"), given).mappings()]


def latest_trade_date(url: str) -> date | None:
    """The newest day of which there is a session."""
    with open_database(url).connect() as connection:
        return connection.scalar(select(func.max(models.Session.trade_date)))


def eastern_date(at: Any) -> Any:
    """The day in New York of a column of moments."""
    return func.date(func.timezone("America/New_York", at))


def _trades(tables: Session, session: str) -> tuple[Trade, ...]:
    record = models.TradeRecord
    return tuple(map(_trade, tables.scalars(select(record).where(record.session == session).order_by(record.number))))


def _trade(row: models.TradeRecord) -> Trade:
    return Trade(
        session=row.session,
        number=row.number,
        ticker=row.ticker,
        side=Side(row.side),
        shares=row.shares,
        opened_ms=to_ms(row.opened_at),
        closed_ms=to_ms(row.closed_at),
        entry_price=row.entry_price,
        exit_price=row.exit_price,
        gross_pnl=row.gross_pnl,
        commissions=row.commissions,
        exit_reason=ExitReason(row.exit_reason),
        atr=row.atr,
        capital_efficiency=row.capital_efficiency,
        unprotected_ms=row.unprotected_ms,
        adds=row.adds,
    )


def _execution(row: models.ExecutionRecord) -> Execution:
    return Execution(
        exec_id=row.exec_id,
        order_ref=row.order_ref,
        order_id=row.order_id,
        client_id=row.client_id,
        perm_id=row.perm_id,
        ticker=row.ticker,
        action=Action(row.action),
        shares=row.shares,
        price=row.price,
        time_ms=to_ms(row.executed_at),
        exchange=row.exchange,
    )
