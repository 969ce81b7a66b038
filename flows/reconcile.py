"""After the close: ours against the broker's, to the cent. Scheduled 16:20 Eastern."""

from __future__ import annotations

from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from flows.alerts import tell_people
from flows.alone import run_alone
from flows.conduct import TradingDate, conduct, run_name
from flows.gate import Window
from tasks.phases import compare_with_broker


@flow(name="reconcile", flow_run_name=run_name, on_failure=[tell_people], on_crashed=[tell_people])
async def reconcile(date: TradingDate = None) -> State[Any]:
    """Compare the day with the broker. Missing rows are added; a break fails the run. Twice changes nothing.

    Args:
        date: The Eastern trading day; empty: the day of the run's scheduled start.
    """
    return await conduct(Window.DAY, date, compare_with_broker)


if __name__ == "__main__":
    run_alone(reconcile)
