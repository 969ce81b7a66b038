"""`trader start`: the stack without a simulator, a worker for the schedules, and a restart of what dies."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from config import Settings
from core.vocabulary import Phase
from db.journal import is_locked
from runtime.alerts import Alerts
from runtime.commands import ask_patiently
from runtime.control import ControlCommand, ControlRequest, SessionUnreachable
from runtime.ports import AlertSink
from runtime.stack.absence import Absence
from runtime.stack.local_stack import LocalStack, Progress, StackOptions
from runtime.stack.outlook import outlook
from runtime.stack.processes import ChildCommand, ChildProcess, StackError
from runtime.stack.restarts import Restarts, has_process
from runtime.stack.today import tell_if_untraded
from runtime.stack.worker import Worker

WATCH_SECONDS = 1.0
FLAT_SECONDS = 120.0
"""How long a session may take to go flat before the worker is stopped all the same: its orders protect it by then."""

PREPARE_SECONDS = 60.0
LOCK_PROBE_SECONDS = 0.2
WORKER_SETTLED_SECONDS = 30.0
"""How long a worker lives until it counts as one that does."""

OURSELVES = "trader start"

log = logging.getLogger(__name__)


def say(step: str) -> None:
    """Write a line for the person at the terminal."""
    sys.stdout.write(f"{step}\n")
    sys.stdout.flush()


def run_stack(settings: Settings, progress: Progress = say) -> int:
    """Run until Ctrl-C or SIGTERM; the exit code."""
    asyncio.run(_run(settings, progress))
    return 0


async def _run(settings: Settings, progress: Progress) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    options = StackOptions(
        folder=settings.state_folder,
        database_url=settings.database_url.get_secret_value() if settings.database_url else None,
        prefect_port=settings.prefect_port,
        progress=progress,
    )
    async with LocalStack(options) as stack:
        environment = {
            **settings.to_environment(),
            **stack.environment(),
            "TRADER_DATABASE_URL": stack.postgres_url,
        }
        await _prepare(environment, stack.prefect_folder)
        worker = Worker(environment, stack.prefect_folder)
        await worker.start()
        alerts = Alerts(tuple(url.get_secret_value() for url in settings.alert_urls), OURSELVES)
        for words in outlook(settings, time.time_ns() // 1_000_000):
            progress(words)
        progress(f"unattended: {stack.prefect_ui_url} shows schedules and runs; Ctrl-C stops")
        try:
            await tell_if_untraded(stack.prefect_api_url, settings, alerts, time.time_ns() // 1_000_000)
            restarts = Restarts(stack.prefect_api_url, alerts, partial(has_process, settings))
            await _watch(worker, restarts, Watched.of(stack.prefect_folder, alerts), stop)
        finally:
            progress("stopping: sessions first, then the worker, Prefect and Postgres")
            await stop_sessions(settings.state_folder / "sessions", progress)
            await worker.stop()
            alerts.close()


async def _prepare(environment: Mapping[str, str], folder: Path) -> None:
    """Deploy, and mark the runs whose process died while nobody looked."""
    step = await ChildProcess.start(
        ChildCommand("the deployment", [sys.executable, "-m", "flows"], folder / "deploy.log", environment)
    )
    async with asyncio.timeout(PREPARE_SECONDS):
        code = await step.wait()
    if code != 0:
        raise StackError(f"the deployment ended with code {code}; see {step.log_file}")


@dataclass(frozen=True, slots=True)
class Watched:
    """The parts that people hear of when they stay away."""

    server: Absence
    worker: Absence

    @classmethod
    def of(cls, folder: Path, alerts: AlertSink) -> Watched:
        """Those whose logs lie in the folder."""
        server = Absence("The Prefect server", str(folder / "server.log"), alerts)
        return cls(server, Absence("The Prefect worker", str(folder / "worker.log"), alerts))


async def _watch(worker: Worker, restarts: Restarts, watched: Watched, stop: asyncio.Event) -> None:
    """Start the worker and the trading day again when they died, until asked to stop. Sessions trade on meanwhile."""
    started_at = time.monotonic()
    while not stop.is_set():
        if not worker.running:
            log.error("the Prefect worker died: starting it again")
            watched.worker.note(is_there=False)
            started_at = time.monotonic()
            try:
                await worker.start()
            except OSError as problem:  # no memory, no files: no reason to end the session, which trades without it
                log.error("trying again: %s", problem)
        elif time.monotonic() - started_at > WORKER_SETTLED_SECONDS:
            watched.worker.note(is_there=True)
        watched.server.note(await restarts.look())
        try:
            await asyncio.wait_for(stop.wait(), WATCH_SECONDS)
        except TimeoutError:
            continue


async def stop_sessions(folder: Path, progress: Progress) -> None:
    """Ask every live session to flatten and end, and wait until it has.

    One that still prepares and holds nothing is left to the end of its worker: a stop would cost it the day, also when
    the stack is up again before the bell.
    """
    for session in sorted(folder.iterdir()) if folder.exists() else []:
        if not is_locked(session, session.name):
            continue
        try:
            if await _prepares(session):
                continue
            progress(f"session {session.name}: flattening")
            await _stop_session(session)
        except (SessionUnreachable, TimeoutError) as problem:
            log.critical("session %s did not end: %r. Its orders at the broker stay.", session.name, problem)


async def _prepares(folder: Path) -> bool:
    answer = await ask_patiently(folder, ControlRequest(command=ControlCommand.STATUS, requested_by=OURSELVES))
    return answer is not None and answer.phase == Phase.STARTING and answer.exited


async def _stop_session(folder: Path) -> None:
    await ask_patiently(folder, ControlRequest(command=ControlCommand.STOP, requested_by=OURSELVES))
    async with asyncio.timeout(FLAT_SECONDS):
        while is_locked(folder, folder.name):  # noqa: ASYNC110  a file lock has no event
            await asyncio.sleep(LOCK_PROBE_SECONDS)
