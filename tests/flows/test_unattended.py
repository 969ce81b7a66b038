"""`trader start` as a process: it comes up by itself, and Ctrl-C leaves nothing behind."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

from tests.flows.waiting import PATIENCE_SECONDS, until

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import sys
from config import load_settings
from runtime.stack.unattended import run_stack
sys.exit(run_stack(load_settings({"state_folder": sys.argv[1], "prefect_port": int(sys.argv[2])}, environment={})))
"""


def processes_of(folder: Path) -> list[str]:
    """The command lines of all processes that name the folder, in their arguments or in their environment."""
    said = subprocess.run(["ps", "axeww", "-o", "pid=,command="], capture_output=True, text=True, check=True).stdout
    return [line for line in said.splitlines() if str(folder) in line and "ps axeww" not in line]


async def test_ctrl_c_stops_everything_that_was_started(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    starter = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", PROGRAM, str(folder), "65000"), cwd=ROOT, stdout=subprocess.PIPE
    )
    assert starter.stdout is not None
    async with asyncio.timeout(PATIENCE_SECONDS):
        while b"unattended" not in await starter.stdout.readline():
            assert starter.returncode is None
    log = folder / "prefect" / "worker.log"
    await until(lambda: log.exists() and "started" in log.read_text())
    assert processes_of(folder)
    starter.send_signal(signal.SIGINT)
    assert await asyncio.wait_for(starter.wait(), PATIENCE_SECONDS) == 0
    await until(lambda: not processes_of(folder))
