"""End of day: executions, commissions, positions and cash of the broker against the database, to the cent."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from config import Settings
from core.codec import decode
from core.events import BrokerRead
from core.ledger import Ledger
from core.money import ZERO
from core.orders import Execution, PositionRow
from core.params import SessionPlan
from core.reconcile import reconcile as compare
from core.reconciliation import Break, BrokerDay
from core.records import Alert
from core.vocabulary import Severity
from db.queries import database_day, first_event
from db.reconcile import store
from runtime.bootstrap import make_alerts
from runtime.broker_day import AccountNow, read_account_now
from runtime.calendar import eastern_date
from runtime.database import with_database
from runtime.planning import plan_for, session_folder
from runtime.reports import ReconcileReport
from runtime.shipping import ship_rest

log = logging.getLogger(__name__)


async def reconcile(settings: Settings, date: str) -> ReconcileReport:
    """Compare the day, add what the database had missed, keep what nothing explains. Again changes nothing.

    Raises BrokerUnavailable and DatabaseError when one of the two sides cannot be read.
    """
    plan = plan_for(settings, date)
    folder = session_folder(settings, plan)
    with with_database(settings) as running:
        assert running.database_url is not None
        url = running.database_url.get_secret_value()
        ship_rest(folder, plan.session, url)
        account = await read_account_now(settings)
        counts = compared_executions(settings, plan)
        others = positions_of_others(_first_read_back(url, plan), account.executions, counts, plan.date)
        ours = replace(database_day(url, plan.session, counts), positions_before=tuple(others))
        found = compare(_brokers_day(account, counts, {row.ticker for row in ours.positions_before}), ours)
        store(url, plan.session, found)
        if found.breaks:
            _alert(settings, plan, _in_words(found.breaks))
    added = len(found.missing_executions) + len(found.missing_commissions)
    left = [order for order in account.orders if order.order_ref.startswith(f"{plan.session}/")]
    summary = f"{len(ours.executions) + len(found.missing_executions)} executions, {added} rows added; "
    summary += _in_words(found.breaks) if found.breaks else "every cent explained"
    return ReconcileReport(
        ok=found.passed and not left,
        summary=summary,
        executions=len(ours.executions) + len(found.missing_executions),
        added=added,
        breaks=len(found.breaks),
        flat=account.is_flat,
        working_orders=len(left),
    )


def _alert(settings: Settings, plan: SessionPlan, words: str) -> None:
    alerts = make_alerts(settings, plan)
    alerts.send(Alert(plan.close_ms, Severity.CRITICAL, "breaks", f"Reconciliation of {plan.date} failed", words))
    alerts.close()


def _first_read_back(url: str, plan: SessionPlan) -> BrokerRead | None:
    text = first_event(url, plan.session, BrokerRead.__name__)
    event = None if text is None else decode(text)
    return event if isinstance(event, BrokerRead) else None


def compared_executions(settings: Settings, plan: SessionPlan) -> Callable[[Execution], bool]:
    """Which executions are compared one by one: the session's, and those of others in its tickers, which may be cut of
    our shares. TWS may be set to list days that have passed as well; they are not this one's.
    """
    prefix, tickers = f"{plan.session}/", frozenset(settings.tickers)
    return lambda execution: (
        eastern_date(execution.time_ms) == plan.date
        and (execution.order_ref.startswith(prefix) or execution.ticker in tickers)
    )


def positions_of_others(
    first: BrokerRead | None, executions: Iterable[Execution], counts: Callable[[Execution], bool], date: str
) -> Iterator[PositionRow]:
    """What the account has that is not the session's: what it held at midnight, by the session's first read-back, and
    what was traded since in other tickers.
    """
    if first is None:
        return
    done, others = Ledger(), Ledger()
    for execution in first.executions:
        if eastern_date(execution.time_ms) == date:
            done.record(execution)
    for execution in executions:
        if eastern_date(execution.time_ms) == date and not counts(execution):
            others.record(execution)
    held = {row.ticker: row.shares for row in first.positions}
    for ticker in sorted(held.keys() | done.positions.keys() | others.positions.keys()):
        shares = held.get(ticker, 0) - done.position(ticker) + others.position(ticker)
        yield PositionRow(ticker, shares, ZERO)


def _brokers_day(account: AccountNow, counts: Callable[[Execution], bool], others: set[str]) -> BrokerDay:
    executions = tuple(filter(counts, account.executions))
    ids = {execution.exec_id for execution in executions}
    tickers = {execution.ticker for execution in executions} | others
    return BrokerDay(
        executions,
        tuple(row for row in account.commissions if row.exec_id in ids),
        tuple(row for row in account.positions if row.ticker in tickers),
    )


def _in_words(breaks: tuple[Break, ...]) -> str:
    first = breaks[0]
    words = f"{len(breaks)} breaks, the first: {first.kind} {first.key}: ours {first.ours or 'none'}, "
    return words + f"the broker's {first.brokers or 'none'}; all in v_breaks"
