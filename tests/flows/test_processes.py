"""Children on a leash: they end when told, when their parent is killed, and with everything that they started."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from runtime.stack.processes import ChildCommand, ChildProcess, StackError, free_port
from tests.flows.waiting import until

ROOT = Path(__file__).resolve().parents[2]
SOON_SECONDS = 10.0

SLEEPER = "import os, sys, time; open(sys.argv[1], 'w').write(str(os.getpid())); time.sleep(60)"
FAMILY = (
    "import os, subprocess, sys, time; "
    "subprocess.Popen([sys.executable, '-c', sys.argv[3], sys.argv[2]]); "
    "open(sys.argv[1], 'w').write(str(os.getpid())); time.sleep(60)"
)
DEAF = "import signal; [signal.signal(s, signal.SIG_IGN) for s in (signal.SIGINT, signal.SIGTERM)]; "
PARENT = """
import asyncio, json, pathlib, sys
from runtime.stack.processes import ChildCommand, ChildProcess
async def main():
    arguments, keep = json.loads(sys.argv[1]), sys.argv[2] == "keep"
    await ChildProcess.start(ChildCommand("child", arguments, pathlib.Path(sys.argv[3]), {}, keep_descendants=keep))
    await asyncio.sleep(60)
asyncio.run(main())
"""


def alive(pid: int) -> bool:
    """Whether the process exists and is no zombie."""
    said = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(said.strip()) and not said.startswith("Z")


async def pid_in(file: Path) -> int:
    """The process id that a child writes when it runs."""
    await until(lambda: file.exists() and file.read_text() != "")
    return int(file.read_text())


async def ends(pid: int) -> None:
    """Wait until the process has gone."""
    await until(lambda: not alive(pid))


def command(folder: Path, *arguments: str, grace_seconds: float = 5.0) -> ChildCommand:
    return ChildCommand("child", [sys.executable, *arguments], folder / "log", {}, grace_seconds=grace_seconds)


async def test_stop_ends_the_child_and_what_it_started(tmp_path: Path) -> None:
    child = await ChildProcess.start(command(tmp_path, "-c", FAMILY, f"{tmp_path}/a", f"{tmp_path}/b", SLEEPER))
    pids = [await pid_in(tmp_path / "a"), await pid_in(tmp_path / "b")]
    await child.stop()
    assert not child.running
    for pid in pids:
        await ends(pid)


async def test_a_child_that_listens_to_no_signal_is_killed(tmp_path: Path) -> None:
    child = await ChildProcess.start(command(tmp_path, "-c", DEAF + SLEEPER, f"{tmp_path}/a", grace_seconds=0.1))
    pid = await pid_in(tmp_path / "a")
    await child.stop()
    await ends(pid)


async def test_stopping_twice_or_after_the_end_does_nothing(tmp_path: Path) -> None:
    child = await ChildProcess.start(command(tmp_path, "-c", ""))
    assert await child.wait() == 0
    await child.stop()
    await child.stop()


@pytest.mark.parametrize("keep", [False, True])
async def test_a_killed_parent_takes_its_child_along(tmp_path: Path, keep: bool) -> None:
    """With `keep` what the child started lives on: a session that trades outlives its worker."""
    family = [sys.executable, "-c", FAMILY, f"{tmp_path}/a", f"{tmp_path}/b", SLEEPER]
    word = "keep" if keep else "end"
    program = [sys.executable, "-c", PARENT, json.dumps(family), word, f"{tmp_path}/log"]
    parent = await asyncio.create_subprocess_exec(*program, cwd=ROOT)
    child, grandchild = await pid_in(tmp_path / "a"), await pid_in(tmp_path / "b")
    parent.send_signal(signal.SIGKILL)
    await parent.wait()
    await ends(child)
    if keep:
        assert alive(grandchild)
        os.kill(grandchild, signal.SIGKILL)
    await ends(grandchild)


async def test_a_child_that_ends_before_it_is_ready_says_why(tmp_path: Path) -> None:
    child = await ChildProcess.start(command(tmp_path, "-c", "raise SystemExit('no such market')"))

    async def never() -> bool:
        return False

    with pytest.raises(StackError, match="no such market"):
        await child.wait_until(never, SOON_SECONDS)


async def test_the_end_of_the_log_is_of_this_child_alone(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("an earlier one's traceback\n")
    child = await ChildProcess.start(command(tmp_path, "-c", "raise SystemExit('no such market')"))

    async def never() -> bool:
        return False

    with pytest.raises(StackError, match=r"which ends:\nno such market$"):
        await child.wait_until(never, SOON_SECONDS)
    assert (tmp_path / "log").read_text().startswith("an earlier one's traceback")


async def test_sigint_works_although_the_shell_ignores_it(tmp_path: Path) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # as in a shell's background job
    try:
        child = await ChildProcess.start(command(tmp_path, "-c", SLEEPER, f"{tmp_path}/a", grace_seconds=SOON_SECONDS))
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    await pid_in(tmp_path / "a")
    await child.stop()
    assert "KeyboardInterrupt" in child.log_file.read_text()


def test_the_preferred_port_is_taken_if_it_is_free() -> None:
    port = free_port()
    assert free_port(port) == port
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        assert free_port(port) != port
