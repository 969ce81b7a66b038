"""The Prefect worker that turns scheduled runs into processes of this machine."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from runtime.stack.processes import ChildCommand, ChildProcess

WORK_POOL = "trader"
"""The process work pool of all our deployments."""

PROJECT = Path(__file__).resolve().parents[2]


class Worker:
    """One worker process. What it runs outlives its death, but not its orderly stop."""

    def __init__(self, environment: Mapping[str, str], folder: Path) -> None:
        """`environment`: the settings of the runs and the address of the server. `folder`: for its log."""
        self._environment = environment
        self._folder = folder
        self._process: ChildProcess | None = None

    async def start(self) -> None:
        """Start polling the work pool, which is created if it does not exist."""
        self._process = await ChildProcess.start(
            ChildCommand(
                name="the Prefect worker",
                arguments=[
                    *(sys.executable, "-m", "prefect", "worker", "start", "--pool", WORK_POOL, "--type", "process"),
                    *("--name", "trader", "--install-policy", "never"),
                ],
                log_file=self._folder / "worker.log",
                environment={
                    **self._environment,
                    "PREFECT_WORKER_QUERY_SECONDS": "1",
                    "PYTHONPATH": str(PROJECT),  # runs start in a temporary folder
                    "PYTHONUNBUFFERED": "1",
                },
                stop_signals=("SIGTERM", "SIGINT"),
                grace_seconds=10.0,
                keep_descendants=True,
            )
        )

    @property
    def running(self) -> bool:
        """Whether the worker is alive."""
        return self._process is not None and self._process.running

    async def stop(self) -> None:
        """End the worker and the runs that it started: ask a trading session to stop first."""
        if self._process is not None:
            await self._process.stop()
