"""The trading itself, from the bell until flat. Scheduled 09:29 Eastern; the closure comes from the calendar."""

from __future__ import annotations

from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from flows.alerts import tell_people
from flows.alone import run_alone
from flows.conduct import TradingDate, conduct, run_name
from flows.gate import Window
from tasks.phases import trade


@flow(name="intraday", flow_run_name=run_name, on_failure=[tell_people], on_crashed=[tell_people])
async def intraday(date: TradingDate = None) -> State[Any]:
    """Trade. A late run takes over what it finds: it protects, closes and, in its last half hour, enters nothing.

    Args:
        date: The Eastern trading day; empty: the day of the run's scheduled start.
    """
    return await conduct(Window.SESSION, date, trade)


if __name__ == "__main__":
    run_alone(intraday)
