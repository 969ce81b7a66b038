"""After the reconciliation: the embedded database into a file. Scheduled 17:00 Eastern."""

from __future__ import annotations

from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from flows.alerts import tell_people
from flows.alone import run_alone
from flows.conduct import TradingDate, conduct, run_name
from flows.gate import Window
from tasks.phases import write_backup


@flow(name="backup", flow_run_name=run_name, on_failure=[tell_people], on_crashed=[tell_people])
async def backup(date: TradingDate = None) -> State[Any]:
    """Write the day's backup of the embedded Postgres and keep the newest few. A database of your own is left to you.

    Args:
        date: The Eastern trading day; empty: the day of the run's scheduled start.
    """
    return await conduct(Window.DAY, date, write_backup)


if __name__ == "__main__":
    run_alone(backup)
