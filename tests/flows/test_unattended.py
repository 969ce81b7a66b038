"""`trader start` as a process: it comes up by itself, and Ctrl-C leaves nothing behind."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

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


def pid_of(folder: Path, words: str) -> int | None:
    """The process of the folder whose command line has these words; leashes have no arguments but their own file."""
    return next((int(line.split()[0]) for line in processes_of(folder) if words in line), None)


def unstartable(folder: Path, log: str, words: str) -> bytes:
    """Let a child die that cannot be started for now: no log can be opened, as with no memory or no files left."""
    pid = pid_of(folder, words)
    assert pid is not None
    (folder / "prefect" / log).unlink()
    (folder / "prefect" / log).mkdir()
    os.kill(pid, signal.SIGKILL)
    return f"{log}'".encode()


async def until_told_twice(stderr: asyncio.StreamReader, problem: bytes) -> None:
    """Until the one who restarts has failed twice: it has not given up after the first."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        for _ in range(2):
            while problem not in (line := await stderr.readline()):
                assert line, "it has ended"


@pytest.mark.long
async def test_what_dies_is_started_again_and_ctrl_c_stops_everything(reachable_folder: Path) -> None:
    folder = reachable_folder / "state"
    starter = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", PROGRAM, str(folder), "65000"), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert starter.stdout is not None
    assert starter.stderr is not None
    async with asyncio.timeout(PATIENCE_SECONDS):
        while b"unattended" not in await starter.stdout.readline():
            assert starter.returncode is None
    log = folder / "prefect" / "worker.log"
    await until(lambda: log.read_text().count("started!") == 1)
    worker = pid_of(folder, "prefect worker start")
    assert worker is not None
    os.kill(worker, signal.SIGKILL)
    await until(lambda: log.read_text().count("started!") == 2)
    assert pid_of(folder, "prefect worker start") != worker
    await until_told_twice(starter.stderr, unstartable(folder, "worker.log", "prefect worker start"))
    (folder / "prefect" / "worker.log").rmdir()
    await until(lambda: log.is_file() and log.read_text().count("started!") == 1)
    await until_told_twice(starter.stderr, unstartable(folder, "server.log", "uvicorn"))
    (folder / "prefect" / "server.log").rmdir()
    await until(lambda: pid_of(folder, "uvicorn") is not None)
    starter.send_signal(signal.SIGINT)
    assert await asyncio.wait_for(starter.wait(), PATIENCE_SECONDS) == 0
    await until(lambda: not processes_of(folder))
