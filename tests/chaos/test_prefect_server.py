"""The Prefect server stops in the middle of a session: the session trades on, and its end is recorded afterwards."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import FlowRun

from config import Settings
from db.engine import drop_database, ensure_database
from db.journal import is_locked
from runtime.planning import plan_for, session_folder
from runtime.stack.prefect_server import DATABASE, PrefectServer, client_environment
from tests.chaos.day import TEMPLATE, Place, place_for_days, running_gateway, settings_for
from tests.chaos.nursery import ROOT
from tests.chaos.plan import SHORT, DayPlan

QUIET_DAY = DayPlan(
    seed=2, length=SHORT, kills=(), outages=(), faults=(), doubts=(), database_down_ticks=(), lost_journal=0
)
PATIENCE_SECONDS = 180.0
LOOK_SECONDS = 0.1


@asynccontextmanager
async def running_server(place: Place, folder: Path) -> AsyncIterator[PrefectServer]:
    """A Prefect server of this test's own."""
    url = ensure_database(place.server.start(), DATABASE)
    server = PrefectServer(url, folder)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()
        drop_database(place.server.start(), DATABASE)


@contextmanager
def running_session(
    settings: Settings, server: PrefectServer, date: str, folder: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """`python -m flows.intraday`, as a person or a worker runs it."""
    environment = os.environ | settings.to_environment() | client_environment(server.api_url, folder)
    with (folder / "session.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "flows.intraday", "--date", date], cwd=ROOT, env=environment, stdout=log, stderr=log
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def happened(folder: Path, what: str) -> int:
    """How many facts of a kind the exchange's own side has written down."""
    return sum(json.loads(line)["what"] == what for line in (folder / "witness.jsonl").read_text().splitlines())


async def runs(server: PrefectServer) -> list[FlowRun]:
    async with PrefectClient(server.api_url) as client:
        return await client.read_flow_runs()


@pytest.mark.long
async def test_a_session_trades_on_without_the_prefect_server_and_its_end_is_recorded_when_it_is_back(
    tmp_path: Path,
) -> None:
    with place_for_days() as place:
        url = ensure_database(place.server.start(), "prefect_away", template=TEMPLATE)
        async with running_server(place, tmp_path) as server, asyncio.timeout(PATIENCE_SECONDS):
            with running_gateway(tmp_path, QUIET_DAY, place.nursery) as gateway:
                settings = settings_for(gateway, tmp_path, url)
                home = session_folder(settings, plan_for(settings, gateway.date))
                with running_session(settings, server, gateway.date, tmp_path) as session:
                    while not happened(tmp_path, "execution"):
                        assert session.poll() is None, (tmp_path / "session.log").read_text()
                        await asyncio.sleep(LOOK_SECONDS)
                    session.send_signal(signal.SIGSTOP)  # its day is short: the server takes as long to stop
                    await server.stop()
                    traded_before = happened(tmp_path, "execution")
                    session.send_signal(signal.SIGCONT)
                    while is_locked(home, home.name):  # until the session has closed the day
                        assert session.poll() is None, (tmp_path / "session.log").read_text()
                        await asyncio.sleep(LOOK_SECONDS)
                    assert happened(tmp_path, "execution") > traded_before
                    await server.start()
                    code = await asyncio.to_thread(session.wait)
            assert code == 0, (tmp_path / "session.log").read_text()
            assert [(run.name, run.state_name) for run in await runs(server)] == [("intraday 2025-03-12", "Done")]
