"""`python -m tests.chaos.recovery_by_worker --count 5`: how long until a day whose process is killed has it back.

As under `trader start`: the worker tells Prefect of the death, `trader start` sees it there and asks for a new run of
the trading day, and the worker starts its process. Without the pauses that follow several deaths in a row.
Running time: real seconds from kill -9 to the broker read back.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
import time
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.actions import DeploymentUpdate

from config import Settings
from core.vocabulary import Phase
from db.engine import ensure_database
from runtime.alerts import Alerts
from runtime.control import ControlAnswer, ControlCommand, ControlRequest, SessionUnreachable, ask_session
from runtime.holder import read_holder
from runtime.planning import plan_for, session_folder
from runtime.stack import restarts
from runtime.stack.prefect_server import DATABASE, PrefectServer, client_environment
from runtime.stack.unattended import WATCH_SECONDS
from runtime.stack.worker import Worker
from tests.chaos.day import TEMPLATE, place_for_days, running_gateway, settings_for
from tests.chaos.figures import spread
from tests.chaos.nursery import ROOT
from tests.chaos.recovery import CALM_DAY

LOOK_SECONDS = 0.05
PATIENCE_SECONDS = 180.0


async def trading_in(folder: Path, not_in: int = 0) -> int:
    """The process that trades the session, once that is another than `not_in`."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            holder = read_holder(folder)
            if holder is not None and holder.pid != not_in:
                answer = await said(Path(holder.socket))
                if answer is not None and answer.phase == Phase.TRADING:
                    return holder.pid
            await asyncio.sleep(LOOK_SECONDS)


async def said(path: Path) -> ControlAnswer | None:
    """How the session stands; None when nobody answers."""
    try:
        return await ask_session(path, ControlRequest(command=ControlCommand.STATUS, requested_by="bench"))
    except SessionUnreachable:
        return None


async def measure(settings: Settings, server: PrefectServer, date: str, count: int) -> list[float]:
    """So many deaths of the day's process, one after the other."""
    folder = session_folder(settings, plan_for(settings, date))
    async with PrefectClient(server.api_url) as client:
        trading_day = (await client.read_deployment_by_name("trading_day/trader")).id
        chosen = DeploymentUpdate(parameters={"date": date})  # what the automation asks for is today's day otherwise
        await client.update_deployment(trading_day, chosen)
        await client.create_flow_run_from_deployment(trading_day)
    pid, found = await trading_in(folder), []
    for _ in range(count):
        killed_at = time.monotonic()
        os.kill(pid, signal.SIGKILL)
        pid = await trading_in(folder, not_in=pid)
        found.append(time.monotonic() - killed_at)
    return found


async def watch(settings: Settings, server: PrefectServer) -> None:
    """Start the day again whenever it dies, as `trader start` does."""
    restarts.PAUSES_SECONDS = (0.0,) * 1_000
    looking = restarts.Restarts(server.api_url, Alerts((), "bench"), partial(restarts.has_process, settings))
    while True:
        await looking.look()
        await asyncio.sleep(WATCH_SECONDS)


async def play(count: int, folder: Path) -> list[float]:
    """A gateway in running time, a Prefect server with our deployments, and a worker."""
    with place_for_days() as place:
        url = ensure_database(place.server.start(), "by_worker", template=TEMPLATE)
        server = PrefectServer(ensure_database(place.server.start(), DATABASE), folder)
        await server.start()
        with running_gateway(folder, CALM_DAY, place.nursery, pace=("--speed", "1")) as gateway:
            chosen = {"clock": "broker", "speed": 1.0, "state_folder": folder / "state"}
            settings = settings_for(gateway, folder, url).model_copy(update=chosen)
            environment = settings.to_environment() | client_environment(server.api_url, folder)
            deploying = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "flows"), cwd=ROOT, env=os.environ | environment
            )
            assert await deploying.wait() == 0
            worker = Worker(environment, folder)
            await worker.start()
            watching = asyncio.create_task(watch(settings, server))
            try:
                return await measure(settings, server, gateway.date, count)
            finally:
                watching.cancel()
                await worker.stop()
                await server.stop()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.recovery_by_worker", description=__doc__)
    parser.add_argument("--count", type=int, default=5)
    count = parser.parse_args().count
    with TemporaryDirectory() as name:
        found = asyncio.run(play(count, Path(name)))
        words = "kill -9 to the broker read back, by Prefect's worker, real seconds"
        print(spread(words, [round(value, 1) for value in found]))


if __name__ == "__main__":
    main()
