"""The steps of a day. Each opens what it needs by itself, so each may run alone, and again.

No task has a Prefect timeout: what is late is judged by the session's own plan, and an await in a `finally` would not
finish in one. The shell is imported when a step runs, so that deploying does not wait for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from prefect import task

from tasks.liveness import signs_of_life
from tasks.retries import patient
from tasks.settings import settings_of_run

if TYPE_CHECKING:
    from runtime.backup import BackupReport
    from runtime.reports import FlattenReport, IntradayReport, ReconcileReport, StartupReport, WarmUpReport

TWO_HOURS = (5.0, 15.0, 30.0, 60.0, 120.0, *([300.0] * 23))
THE_WHOLE_SESSION = (1.0, 2.0, 5.0, *([10.0] * 6), *([60.0] * 10), *([600.0] * 31))
THE_LAST_HALF_HOUR = (1.0, 2.0, 5.0, *([10.0] * 10), *([45.0] * 36))
AFTER_THE_CLOSE = (10.0, 30.0, 60.0, 300.0, 600.0, 900.0)


@task(name="prepare session", **patient(*TWO_HOURS))
async def prepare_session(date: str) -> StartupReport:
    """Preflight: account, contracts, positions; take over what an earlier process of this day left."""
    from runtime import phases

    return await phases.startup(settings_of_run(), date)


@task(name="load history", **patient(*TWO_HOURS))
async def load_history(date: str) -> WarmUpReport:
    """Ask the broker for the bars that the indicators need, so that they are ready at the bell."""
    from runtime import phases

    return await phases.warm_up(settings_of_run(), date)


@task(name="trade", **patient(*THE_WHOLE_SESSION))
async def trade(date: str) -> IntradayReport:
    """The loop from the first bar to flat. No Prefect call inside but its sign of life."""
    from runtime import phases

    async with signs_of_life(date):
        return await phases.intraday(settings_of_run(), date)


@task(name="close positions", **patient(*THE_LAST_HALF_HOUR))
async def close_positions(date: str, tickers: tuple[str, ...], whole_account: bool, requested_by: str) -> FlattenReport:
    """Ask the live session to flatten, or do it in its place when it is proven dead; verify with the broker."""
    from runtime.flatten import flatten

    return await flatten(settings_of_run(), date, tickers, whole_account, requested_by)


@task(name="compare with broker", **patient(*AFTER_THE_CLOSE))
async def compare_with_broker(date: str) -> ReconcileReport:
    """Compare the day's executions, positions and cash with the broker's; add what is missing, report breaks."""
    from runtime.reconcile import reconcile

    return await reconcile(settings_of_run(), date)


@task(name="write backup", **patient(*AFTER_THE_CLOSE))
async def write_backup(date: str) -> BackupReport:
    """Write the embedded database into a file; the newest few are kept."""
    from runtime.backup import back_up

    return await back_up(settings_of_run(), date)
