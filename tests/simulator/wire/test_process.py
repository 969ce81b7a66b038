"""The gateway as a process: quick to start, says where it listens, ends at once and leaves nothing behind."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from simulator.replay import main as replay_main
from tests.simulator.wire.clients import PATIENCE_SECONDS, Raw, eventually

ROOT = Path(__file__).resolve().parents[3]


async def said(ready: Path) -> dict[str, Any]:
    await eventually(ready.exists)
    found: dict[str, Any] = json.loads(ready.read_text(encoding="utf-8"))
    return found


@asynccontextmanager
async def process(folder: Path, *options: str) -> AsyncIterator[tuple[asyncio.subprocess.Process, dict[str, Any]]]:
    ready = folder / "ready.json"
    started = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "simulator", "--port", "0", "--ready-file", str(ready), *options, cwd=ROOT
    )
    try:
        yield started, await said(ready)
    finally:
        if started.returncode is None:
            started.kill()
        await started.wait()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_says_where_it_listens_and_ends_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    options = ("--predictions-port", "0", "--control-port", "0", "--log-wire", str(tmp_path / "wire.tsv"))
    async with process(tmp_path, *options, "--deterministic") as (gateway, ready):
        assert ready["pid"] == gateway.pid
        assert ready["account"] == "DU1234567"
        assert ready["date"] == "2025-03-12"
        assert ready["tickers"] == ["CVNA", "UVXY", "SOXL", "SOXS", "TQQQ", "SQQQ", "GLD", "SLV"]
        assert len({ready["port"], ready["predictions_port"], ready["control_port"]}) == 3
        raw = await Raw.connect(ready["port"])
        await raw.second()
        gateway.send_signal(number)
        assert await asyncio.wait_for(gateway.wait(), PATIENCE_SECONDS) == 0
        await raw.ended()
    assert (tmp_path / "wire.tsv").read_text(encoding="utf-8").endswith("\n")
    assert not list(tmp_path.glob(".*"))


async def test_the_first_lines_of_the_guide(tmp_path: Path) -> None:
    guide = (ROOT / "docs" / "simulator.md").read_text(encoding="utf-8")
    lines = guide.split("```python\n")[1].split("```")[0]
    async with process(tmp_path, "--speed", "60") as (_, ready):
        code = lines.replace("4002", str(ready["port"]))
        client = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE)
        printed, _ = await asyncio.wait_for(client.communicate(), PATIENCE_SECONDS)
    assert printed.startswith(b"RealTimeBar(")
    assert client.returncode == 0


async def test_it_dies_with_its_parent(tmp_path: Path) -> None:
    ready = tmp_path / "ready.json"
    code = (
        "import subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-m', 'simulator', '--port', '0', '--die-with-parent',"
        f" '--ready-file', {str(ready)!r}])\n"
        "child.wait()\n"
    )
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", code, cwd=ROOT)
    pid = (await said(ready))["pid"]
    parent.kill()
    await parent.wait()

    def is_gone() -> bool:
        status = Path(f"/proc/{pid}/status")
        try:
            return "State:\tZ" in status.read_text(encoding="utf-8")
        except OSError:
            return True

    await eventually(is_gone)
    with pytest.raises(OSError):
        await asyncio.open_connection("127.0.0.1", json.loads(ready.read_text(encoding="utf-8"))["port"])
    assert os.getpid() != pid


async def test_a_replay_from_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "wire.tsv"
    async with process(tmp_path, "--deterministic", "--log-wire", str(log)) as (gateway, ready):
        raw = await Raw.connect(ready["port"])
        raw.send(17, 1)
        await raw.second()
        raw.close()
        gateway.terminate()
        await gateway.wait()
    (tmp_path / "ready.json").unlink()
    async with process(tmp_path, "--deterministic") as (_, ready):
        assert await asyncio.to_thread(replay_main, [str(log), "--port", str(ready["port"])]) == 0
    (tmp_path / "ready.json").unlink()
    async with process(tmp_path, "--deterministic", "--account", "DU7654321") as (_, ready):
        assert await asyncio.to_thread(replay_main, [str(log), "--port", str(ready["port"])]) == 1
    assert "DU7654321" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--market", "lean:/nowhere"), "lean:/nowhere: no folder with recorded days"),
        (("--market", "foo"), "allowed are synthetic, lean:DIR"),
        (("--market", "csv:/nowhere"), "give the day to play"),
        (("--market", "csv:/nowhere", "--date", "2025-03-12"), "/nowhere"),
        (("--date", "2025-03-15"), "closed on that day"),
        (("--faults", "nope"), "no such file"),
        (("--port", "80000"), "0-65535"),
    ],
)
async def test_what_it_cannot_play_it_refuses_in_one_sentence(options: tuple[str, ...], said: str) -> None:
    code, words = await refusal("--port", "0", *options)
    assert code == 2
    assert said in words
    assert len(words.splitlines()) == 1


async def test_a_port_that_is_taken_is_refused_in_one_sentence(tmp_path: Path) -> None:
    async with process(tmp_path) as (_, ready):
        code, words = await refusal("--port", str(ready["port"]))
    assert code == 2
    assert "address already in use" in words
    assert len(words.splitlines()) == 1


async def refusal(*options: str) -> tuple[int | None, str]:
    """The exit code of a gateway that does not start, and what it said."""
    gateway = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "simulator", *options), cwd=ROOT, stderr=asyncio.subprocess.PIPE
    )
    _, words = await asyncio.wait_for(gateway.communicate(), PATIENCE_SECONDS)
    return gateway.returncode, words.decode()
