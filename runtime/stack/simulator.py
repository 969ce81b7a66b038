"""The simulated gateway and prediction service, as a child process."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from runtime.stack.processes import ChildCommand, ChildProcess

READY_SECONDS = 30.0
PORTS = ("--port", "0", "--predictions-port", "0")


@dataclass(frozen=True, slots=True)
class SimulatedDay:
    """What the simulator says of itself once all its ports listen."""

    port: int  # of the gateway
    predictions_port: int
    control_port: int | None
    account: str
    tickers: tuple[str, ...]
    date: str  # YYYY-MM-DD, the Eastern day that it plays


class Simulator:
    """One simulator process on free ports, started with the command line of `python -m simulator`."""

    def __init__(self, arguments: Sequence[str], folder: Path) -> None:
        self._arguments = arguments
        self._folder = folder
        self._process: ChildProcess | None = None

    async def start(self) -> SimulatedDay:
        """Start and wait until it listens. Raises StackError, with the end of its log."""
        ready = self._folder / "ready.json"
        self._folder.mkdir(parents=True, exist_ok=True)
        ready.unlink(missing_ok=True)
        self._process = await ChildProcess.start(
            ChildCommand(
                name="the simulated gateway",
                arguments=[sys.executable, "-m", "simulator", *PORTS, *self._arguments, "--ready-file", str(ready)],
                log_file=self._folder / "simulator.log",
                environment={},
            )
        )

        async def listens() -> bool:
            return ready.exists()  # written in one piece

        await self._process.wait_until(listens, READY_SECONDS)
        said = json.loads(ready.read_text())
        return SimulatedDay(
            port=said["port"],
            predictions_port=said["predictions_port"],
            control_port=said["control_port"],
            account=said["account"],
            tickers=tuple(said["tickers"]),
            date=said["date"],
        )

    async def stop(self) -> None:
        """End the simulator, and with it the simulated account."""
        if self._process is not None:
            await self._process.stop()
