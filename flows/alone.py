"""Running one flow by hand: `python -m flows.intraday --date 2026-11-20`."""

from __future__ import annotations

import argparse
import asyncio
import datetime
import sys
from collections.abc import Coroutine
from typing import Any

from prefect import Flow
from prefect.client.schemas.objects import State

DayFlow = Flow[..., Coroutine[Any, Any, State[Any]]]


def run_alone(flow: DayFlow) -> None:
    """Run the flow in this process and exit with 0 if it completed, 1 if not.

    The run shows up in the Prefect server that PREFECT_API_URL names.
    """
    parser = argparse.ArgumentParser(prog=f"python -m flows.{flow.name}", description=flow.description)
    parser.add_argument("--date", type=datetime.date.fromisoformat, metavar="YYYY-MM-DD", help="default: today")
    state = asyncio.run(_run(flow, parser.parse_args().date))
    sys.stdout.write(f"{flow.name}: {state.name}. {state.message or ''}\n")
    sys.exit(0 if state.is_completed() else 1)


async def _run(flow: DayFlow, date: datetime.date | None) -> State[Any]:
    return await flow(date=date, return_state=True)
