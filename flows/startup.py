"""Before the bell: is everything as it must be? Scheduled 09:00 Eastern."""

from __future__ import annotations

from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from flows.alerts import tell_people
from flows.alone import run_alone
from flows.conduct import TradingDate, conduct, run_name
from flows.gate import Window
from tasks.phases import prepare_session


@flow(name="startup", flow_run_name=run_name, on_failure=[tell_people], on_crashed=[tell_people])
async def startup(date: TradingDate = None) -> State[Any]:
    """Preflight: connection, account, contracts, foreign positions; what an earlier process left is taken over.

    Args:
        date: The Eastern trading day; empty: the day of the run's scheduled start.
    """
    return await conduct(Window.SESSION, date, prepare_session)


if __name__ == "__main__":
    run_alone(startup)
