"""One whole trading day in one run. Scheduled 09:00 Eastern."""

from __future__ import annotations

import datetime
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from flows.alerts import tell_people
from flows.alone import run_alone
from flows.conduct import ALREADY_RUNNING, DONE, TradingDate, day_of_run, refused, run_name
from flows.flatten import flatten
from flows.gate import Standing, Window
from flows.intraday import intraday
from flows.reconcile import reconcile
from flows.startup import startup
from flows.warm_up import warm_up


@flow(name="trading_day", flow_run_name=run_name, on_failure=[tell_people], on_crashed=[tell_people])
async def trading_day(date: TradingDate = None) -> State[Any]:
    """Startup, warm-up, intraday, flatten, reconcile.

    Nothing is traded when a preparation fails, which it does not for its preflight alone while something is held. Once
    the session has begun, flatten and reconcile follow however it ended. A run that finds the day's session alive in
    another process ends as AlreadyRunning and touches nothing; so does one in the night, of a dead day that is started
    again, as NotDue.

    Args:
        date: The Eastern trading day; empty: the day of the run's scheduled start.
    """
    day = day_of_run(date)
    ended = refused(Window.DAY, day)
    if ended is not None:
        return ended
    today = datetime.date.fromisoformat(day)
    for prepare in (startup, warm_up):
        state = await prepare(today, return_state=True)
        if not state.is_completed() or state.name in (ALREADY_RUNNING, Standing.NOT_DUE):
            return verdict(state)
    session = await intraday(today, return_state=True)
    if session.name == ALREADY_RUNNING:
        return verdict(session)
    closure = await flatten(today, return_state=True)
    reconciliation = await reconcile(today, return_state=True)
    return verdict(session, closure, reconciliation)


def verdict(*states: State[Any]) -> State[Any]:
    """The day's state: failed if a part failed, named by its only part, or Done."""
    message = " ".join(state.message or state.name or "" for state in states)
    if not all(state.is_completed() for state in states):
        return Failed(message=message)
    return Completed(name=states[0].name if len(states) == 1 else DONE, message=message)


if __name__ == "__main__":
    run_alone(trading_day)
