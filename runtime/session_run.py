"""One day in this process, without Prefect: the same phases in the same order."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from config import ClockKind, Settings
from db.engine import DatabaseError
from db.journal import journal_path
from runtime.calendar import eastern_date
from runtime.database import with_database
from runtime.flatten import flatten
from runtime.holder import SessionAlreadyRunning
from runtime.phases import intraday, startup, warm_up
from runtime.planning import MarketClosed, plan_for, session_folder
from runtime.reconcile import reconcile
from runtime.reports import PhaseReport
from runtime.stack.processes import StackError

log = logging.getLogger(__name__)


async def run_session(settings: Settings, date: str) -> PhaseReport:
    """Start up, warm up, trade, flatten, reconcile. Once trading has begun, the last two follow however it ends.

    Nothing is traded when the preflight forbids it. Raises MarketClosed for another day than today: the broker tells
    today's executions only, and would contradict every one of that day.
    """
    if settings.clock is ClockKind.REAL and date != (today := eastern_date(time.time_ns() // 1_000_000)):
        raise MarketClosed(f"{date} {'has passed' if date < today else 'has not begun'}: it is {today} in New York")
    with _database(settings, date) as settings:
        prepared = await startup(settings, date)
        if not prepared.ok:
            return prepared
        await warm_up(settings, date)
        try:
            traded = await intraday(settings, date)
        except SessionAlreadyRunning:
            raise  # whoever runs it goes on: nothing is ours to close
        except BaseException:
            await flatten(settings, date, requested_by="end of session")
            raise
        closed = await flatten(settings, date, requested_by="end of session")
        compared = await reconcile(settings, date)
    reports = (traded, closed, compared)
    return PhaseReport(all(report.ok for report in reports), "\n".join(report.summary for report in reports))


@contextmanager
def _database(settings: Settings, date: str) -> Iterator[Settings]:
    """A day begins with its database. One that has begun goes on without it: positions may be open."""
    plan = plan_for(settings, date)
    with ExitStack() as stack:
        try:
            running = stack.enter_context(with_database(settings))
        except (DatabaseError, StackError) as away:
            if not journal_path(session_folder(settings, plan), plan.session).exists():
                raise
            log.critical("the day has begun already, and goes on without its database: %s", away)
            running = settings
        yield running
