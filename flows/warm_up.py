"""Ten minutes before the bell: history for the indicators. Scheduled 09:20 Eastern."""

from __future__ import annotations

from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from flows.alerts import tell_people
from flows.alone import run_alone
from flows.conduct import TradingDate, conduct, run_name
from flows.gate import Window
from tasks.phases import load_history


@flow(name="warm_up", flow_run_name=run_name, on_failure=[tell_people], on_crashed=[tell_people])
async def warm_up(date: TradingDate = None) -> State[Any]:
    """Load history until the indicators of every ticker are ready.

    Args:
        date: The Eastern trading day; empty: the day of the run's scheduled start.
    """
    return await conduct(Window.SESSION, date, load_history)


if __name__ == "__main__":
    run_alone(warm_up)
