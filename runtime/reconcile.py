"""End of day: executions, commissions, positions and cash of the broker against the database, to the cent."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from config import Settings
from core.codec import decode
from core.events import BrokerRead
from core.ledger import Ledger
from core.orders import Execution, PositionRow
from core.params import SessionPlan
from core.reconcile import reconcile as compare
from core.reconciliation import Break, BrokerDay
from core.records import Alert
from core.vocabulary import Severity
from db.journal import journal_path
from db.journal_reader import JournalReader
from db.queries import database_day
from db.reconcile import store
from runtime.bootstrap import make_alerts
from runtime.broker_day import AccountNow, read_account_now
from runtime.database import with_database
from runtime.planning import plan_for, session_folder
from runtime.reports import ReconcileReport
from runtime.shipping import ship_rest

FIRST_ROWS = 1_000
"""Where the first read-back of a session stands in its journal: among its first events."""

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
        counts = own_executions(settings, plan)
        ours = replace(
            database_day(url, plan.session, counts), positions_before=tuple(_positions_before(folder, plan, counts))
        )
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


def own_executions(settings: Settings, plan: SessionPlan) -> Callable[[Execution], bool]:
    """Which executions the session answers for: its own, and the owner's by hand in a ticker that is the session's.

    Where foreign positions are allowed beside ours, those by hand are the owner's own affair.
    """
    prefix = f"{plan.session}/"
    tickers = frozenset() if settings.allow_foreign_positions else frozenset(settings.tickers)
    return lambda execution: (
        execution.order_ref.startswith(prefix) or (execution.ticker in tickers and not execution.order_ref)
    )


def _positions_before(folder: Path, plan: SessionPlan, counts: Callable[[Execution], bool]) -> Iterator[PositionRow]:
    """What the account held before the session: its first read-back, less what we had already done by then."""
    path = journal_path(folder, plan.session)
    if not path.exists():
        return
    reader = JournalReader(path)
    try:
        events = (decode(row.event) for row in reader.read(0, FIRST_ROWS))
        first = next((event for event in events if isinstance(event, BrokerRead)), None)
    finally:
        reader.close()
    if first is None:
        return
    ledger = Ledger()
    for execution in filter(counts, first.executions):
        ledger.record(execution)
    for row in first.positions:
        shares = row.shares - ledger.position(row.ticker)
        if shares:
            yield PositionRow(row.ticker, shares, row.average_cost)


def _brokers_day(account: AccountNow, counts: Callable[[Execution], bool], before: set[str]) -> BrokerDay:
    executions = tuple(filter(counts, account.executions))
    ids = {execution.exec_id for execution in executions}
    tickers = {execution.ticker for execution in executions} | before
    return BrokerDay(
        executions,
        tuple(row for row in account.commissions if row.exec_id in ids),
        tuple(row for row in account.positions if row.ticker in tickers),
    )


def _in_words(breaks: tuple[Break, ...]) -> str:
    first = breaks[0]
    words = f"{len(breaks)} breaks, the first: {first.kind} {first.key}: ours {first.ours or 'none'}, "
    return words + f"the broker's {first.brokers or 'none'}; all in v_breaks"
