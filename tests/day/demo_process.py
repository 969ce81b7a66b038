"""Running `trader demo` as a person does: a process of its own, with its state in a folder of the test."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
DAY_SECONDS = 540


@contextmanager
def demo(state: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A running demonstration; whatever happens, its process is gone at the end."""
    environment = os.environ | {"TRADER_STATE_FOLDER": str(state), "COLUMNS": "160"}
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "cli", "demo", *arguments],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def play(state: Path, *arguments: str) -> dict[str, Any]:
    """A whole demonstration; its JSON summary. Fails, showing the output, when it does not end with 0."""
    summary = state / "summary.json"
    with demo(state, *arguments, "--json", str(summary)) as process:
        output, _ = process.communicate(timeout=DAY_SECONDS)
        assert process.returncode == 0, output
    found: dict[str, Any] = json.loads(summary.read_text())
    return found


def interrupt_when(process: subprocess.Popen[str], word: str) -> str:
    """Press Ctrl-C when the output says `word`; everything that was printed. Fails when it never does."""
    assert process.stdout is not None
    seen = ""
    for line in process.stdout:
        seen += line
        if word in line:
            process.send_signal(signal.SIGINT)
            return seen + process.communicate(timeout=DAY_SECONDS)[0]
    raise AssertionError(f"{word!r} was never said:\n{seen}")


def processes_that_name(folder: Path) -> list[str]:
    """Command lines and environments of living processes that mention the folder: what a demonstration left behind."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            said = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
        except OSError:
            continue  # gone meanwhile, or not ours
        if str(folder).encode() in said and int(entry.name) != os.getpid():
            found.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode())
    return found
