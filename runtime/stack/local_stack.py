"""Everything that a day needs around it: Postgres, a Prefect server and, for a demonstration, a simulated gateway."""

from __future__ import annotations

import asyncio
import fcntl
import logging
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from db.engine import DatabaseError, drop_database, ensure_database
from db.migrate import upgrade
from runtime.stack.postgres import DATABASE, EmbeddedPostgres, address_now
from runtime.stack.prefect_server import DATABASE as PREFECT_DATABASE
from runtime.stack.prefect_server import PrefectServer, client_environment
from runtime.stack.processes import StackError
from runtime.stack.simulator import SimulatedDay, Simulator

WATCH_SECONDS = 3.0

log = logging.getLogger(__name__)

Argument = TypeVar("Argument")
Result = TypeVar("Result")
Progress = Callable[[str], None]


def in_silence(step: str) -> None:
    """Tell nobody of the progress."""


async def side_by_side(*steps: Coroutine[Any, Any, None]) -> None:
    """Run the steps at once. When one fails the others are cancelled, and its exception is raised by itself."""
    try:
        async with asyncio.TaskGroup() as group:
            for step in steps:
                group.create_task(step)
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None


async def to_the_end(function: Callable[[Argument], Result], argument: Argument) -> Result:
    """Run the function in a thread. A cancellation waits for its end: what it started can then be stopped."""
    work = asyncio.ensure_future(asyncio.to_thread(function, argument))
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        await asyncio.wait([work])
        raise


async def end(task: asyncio.Task[None]) -> None:
    """Cancel a task and wait until it has ended."""
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


@dataclass(frozen=True, slots=True)
class StackOptions:
    """What to start, and where it keeps its state."""

    folder: Path
    database_url: str | None = None  # the user's own database; without it Postgres is embedded
    fresh: bool = False  # begin with an empty database of ours in the embedded Postgres
    prefect_port: int = 0  # the preferred one; 0: any free one
    simulator: tuple[str, ...] | None = None  # its command line; None: no simulator
    progress: Progress = in_silence


class LocalStack:
    """`async with LocalStack(options) as stack`: all of it runs inside, and nothing of it afterwards."""

    def __init__(self, options: StackOptions) -> None:
        self._options = options
        self._running = AsyncExitStack()
        self._postgres: EmbeddedPostgres | None = None
        self._server: PrefectServer | None = None
        self.postgres_url = ""
        self.simulated: SimulatedDay | None = None

    @property
    def server(self) -> PrefectServer:
        """The Prefect server."""
        if self._server is None:
            raise StackError("the stack has not been started")
        return self._server

    @property
    def prefect_api_url(self) -> str:
        """PREFECT_API_URL of the server."""
        return self.server.api_url

    @property
    def prefect_ui_url(self) -> str:
        """Where a person sees runs and schedules."""
        return self.server.ui_url

    @property
    def prefect_folder(self) -> Path:
        """The PREFECT_HOME of the server and its clients."""
        return self._options.folder / "prefect"

    @property
    def gateway_port(self) -> int:
        """The port of the simulated gateway. Raises StackError when the stack has none."""
        return self._simulated_day().port

    @property
    def predictions_url(self) -> str:
        """The base address of the simulated prediction service. Raises StackError when the stack has none."""
        return f"http://127.0.0.1:{self._simulated_day().predictions_port}"

    def environment(self) -> dict[str, str]:
        """What a process needs in its environment to run flows against this stack."""
        return client_environment(self.prefect_api_url, self.prefect_folder)

    async def __aenter__(self) -> Self:
        """Start everything, side by side where possible. Raises StackError; then nothing is left running."""
        async with AsyncExitStack() as starting:
            self._alone(starting)
            steps = [self._start_databases(starting)]
            if self._options.simulator is not None:
                steps.append(self._start_simulator(starting, self._options.simulator))
            await side_by_side(*steps)
            starting.push_async_callback(end, asyncio.create_task(self._keep_alive(), name="keep the stack alive"))
            self._running = starting.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop everything, Postgres last."""
        await self._running.aclose()

    def _alone(self, starting: AsyncExitStack) -> None:
        """Two stacks on one folder would write each other's files."""
        self._options.folder.mkdir(parents=True, exist_ok=True)
        lock = starting.enter_context((self._options.folder / "stack.lock").open("w"))
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StackError(f"another stack runs on {self._options.folder}: stop it first") from None

    async def _start_databases(self, starting: AsyncExitStack) -> None:
        """Postgres first; then our tables and Prefect's server side by side."""
        self.postgres_url, prefect_url = await self._databases(starting)
        self._server = PrefectServer(prefect_url, self.prefect_folder, self._options.prefect_port)
        starting.push_async_callback(self._server.stop)
        await side_by_side(asyncio.to_thread(upgrade, self.postgres_url), self._server.start())
        wanted = self._options.prefect_port
        moved = "" if wanted in (0, self._server.port) else f" (port {wanted}, TRADER_PREFECT_PORT, is taken)"
        self._options.progress(f"Prefect at {self._server.ui_url}{moved}")

    async def _databases(self, starting: AsyncExitStack) -> tuple[str, str]:
        """The URLs of our database and of Prefect's."""
        own = self._options.database_url
        if own is not None:
            return own, await asyncio.to_thread(ensure_database, own, PREFECT_DATABASE)
        self._postgres = postgres = EmbeddedPostgres(self._options.folder / "postgres")
        server_url = await to_the_end(starting.enter_context, postgres.used())
        self._options.progress("Postgres")
        if self._options.fresh:
            await asyncio.to_thread(drop_database, server_url, DATABASE)
        ours = await asyncio.to_thread(postgres.ensure_database, DATABASE)
        return ours, await asyncio.to_thread(postgres.ensure_database, PREFECT_DATABASE)

    async def _start_simulator(self, starting: AsyncExitStack, arguments: tuple[str, ...]) -> None:
        simulator = Simulator(arguments, self._options.folder / "simulator")
        starting.push_async_callback(simulator.stop)
        self.simulated = await simulator.start()
        self._options.progress(f"simulated gateway on port {self.simulated.port}, playing {self.simulated.date}")

    async def _keep_alive(self) -> None:
        """Start again what has died, the simulator apart: its account would be another."""
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            try:
                if self._postgres is not None:
                    await asyncio.to_thread(self._postgres.start)  # does nothing while it answers
                    await self._follow(self._postgres)
                if not self.server.running:
                    log.error("the Prefect server died: starting it again")
                    await self.server.start()
            except (StackError, DatabaseError, OSError) as problem:  # no memory or no files, which may be why it died
                log.error("trying again: %s", problem)

    async def _follow(self, postgres: EmbeddedPostgres) -> None:
        """Tell Prefect's server when Postgres came up on another port, its own being taken; runs ask by themselves."""
        url = address_now(self._options.folder / "postgres", self.postgres_url)
        if url is None or url == self.postgres_url:
            return
        log.error("Postgres has come up on another port: the Prefect server is started again")
        prefect_url = await asyncio.to_thread(postgres.ensure_database, PREFECT_DATABASE)
        self.postgres_url = url
        await self.server.move(prefect_url)

    def _simulated_day(self) -> SimulatedDay:
        if self.simulated is None:
            raise StackError("this stack has no simulated gateway")
        return self.simulated
