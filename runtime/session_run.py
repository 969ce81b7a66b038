"""One day in this process, without Prefect: the same phases in the same order."""

from __future__ import annotations

from config import Settings
from runtime.database import with_database
from runtime.flatten import flatten
from runtime.holder import SessionAlreadyRunning
from runtime.phases import intraday, startup, warm_up
from runtime.reconcile import reconcile
from runtime.reports import PhaseReport


async def run_session(settings: Settings, date: str) -> PhaseReport:
    """Start up, warm up, trade, flatten, reconcile. Once trading has begun, the last two follow however it ends.

    Nothing is traded when the preflight forbids it.
    """
    with with_database(settings) as settings:
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
