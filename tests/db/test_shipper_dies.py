"""The process that ships the journal is killed: it is told, another ships the rest, and that is told too."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from core.records import Alert
from core.vocabulary import Severity
from db.engine import open_database
from db.journal import Journal, JournalRow
from runtime import shipping
from runtime.alerts import Alerts, LastingAlerts
from tests.support.journals import SESSION
from tests.support.shipping import DAY


class Heard:
    """What a person is told."""

    def __init__(self) -> None:
        self.words: list[str] = []

    def send(self, alert: Alert) -> None:
        """Something began."""
        self.words.append(f"raised {alert.key}")

    def clear(self, at_ms: int, key: str, text: str) -> None:
        """It is over, if it had begun."""
        if self.words and self.words[-1] == f"raised {key}":
            self.words.append(f"over {key}")


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not holds():
            await asyncio.sleep(0.02)


async def test_a_shipper_that_is_killed_is_replaced(
    tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pids: list[int] = []
    start = shipping.start_shipper

    async def started(*arguments: str) -> asyncio.subprocess.Process:
        process = await start(*arguments)
        pids.append(process.pid)
        return process

    monkeypatch.setattr(shipping, "start_shipper", started)
    monkeypatch.setattr(shipping, "AGAIN_SECONDS", 0.1)
    monkeypatch.setattr(shipping, "SETTLED_SECONDS", 0.1)

    def stored() -> int:
        with open_database(postgres_url).connect() as connection:
            return int(connection.execute(text("SELECT count(*) FROM journal")).scalar_one())

    heard = Heard()
    with Journal.open(tmp_path, SESSION) as journal:
        async with shipping.shipping(journal, postgres_url, heard, lambda: 0):
            journal.append(DAY[:50])
            await until(lambda: stored() == 50)
            os.kill(pids[0], signal.SIGKILL)
            journal.append(DAY[50:])
            await until(lambda: stored() == len(DAY))
            await until(lambda: heard.words == ["raised shipper", "over shipper"])
        assert len(pids) == 2


async def test_a_shipper_that_dies_at_each_start_is_told_of_once(
    tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For want of memory, for example, or of a process at all. The last one lives, and ships everything."""
    started: list[asyncio.subprocess.Process] = []
    start, failing = shipping.start_shipper, 6

    async def start_and_kill(*arguments: str) -> asyncio.subprocess.Process:
        if len(started) == failing // 2:
            started.append(started[-1])
            raise BlockingIOError(errno.EAGAIN, "no process more")
        started.append(process := await start(*arguments))
        if len(started) < failing:
            process.kill()
        return process

    monkeypatch.setattr(shipping, "start_shipper", start_and_kill)
    monkeypatch.setattr(shipping, "AGAIN_SECONDS", 0.01)
    monkeypatch.setattr(shipping, "SETTLED_SECONDS", 2.0)
    heard = Heard()
    with Journal.open(tmp_path, SESSION) as journal:
        journal.append(DAY)
        async with shipping.shipping(journal, postgres_url, heard, lambda: 0):
            await until(lambda: "over shipper" in heard.words)
    assert len(started) == failing
    assert [word for word, before in zip(heard.words, ["", *heard.words], strict=False) if word != before] == [
        "raised shipper",
        "over shipper",
    ]


async def test_an_outage_of_which_a_killed_process_told_is_over_for_its_successor(
    tmp_path: Path, postgres_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    with Journal.open(tmp_path, SESSION) as journal:
        journal.append(DAY[:50])
        LastingAlerts(Alerts((), SESSION), journal).send(Alert(0, Severity.WARNING, shipping.KEY, "away", ""))
    with Journal.open(tmp_path, SESSION) as journal:
        lasting = LastingAlerts(Alerts((), SESSION), journal)
        async with shipping.shipping(journal, postgres_url, lasting, lambda: 0):
            await until(lambda: f"over: {shipping.KEY}" in caplog.text)
        assert not journal.standing_alerts()


async def test_a_session_begins_although_no_shipper_can_be_started(
    tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a death for want of memory: what is held must be taken over."""
    start, failures = shipping.start_shipper, [OSError(errno.ENOMEM, "no memory")] * 2

    async def start_or_fail(*arguments: str) -> asyncio.subprocess.Process:
        if failures:
            raise failures.pop()
        return await start(*arguments)

    monkeypatch.setattr(shipping, "start_shipper", start_or_fail)
    monkeypatch.setattr(shipping, "AGAIN_SECONDS", 0.01)
    monkeypatch.setattr(shipping, "SETTLED_SECONDS", 0.1)
    heard = Heard()
    with Journal.open(tmp_path, SESSION) as journal:
        async with shipping.shipping(journal, postgres_url, heard, lambda: 0):
            await until(lambda: "over shipper" in heard.words)
        failures += [OSError(errno.ENOMEM, "no memory")] * 100
        async with shipping.shipping(journal, postgres_url, heard, lambda: 0):
            journal.append(DAY[:50])
        assert journal.last_sequence == 50
    assert heard.words[0] == "raised shipper"


async def test_a_process_whose_thread_has_died_ends_so_that_another_is_started(
    tmp_path: Path, postgres_url: str
) -> None:
    with Journal.open(tmp_path, SESSION) as journal:
        journal.append([JournalRow(1, 0, "no event of ours", "")])
        shipper = await shipping.start_shipper("--journal", str(journal.path), "--session", SESSION, "--epoch", "1")
        assert shipper.stdin is not None
        assert shipper.stdout is not None
        shipper.stdin.write(postgres_url.encode() + b"\n")
        async with asyncio.timeout(30):
            told, _ = await asyncio.gather(shipper.stdout.read(), shipper.wait())
        assert b"thread died" in told
        assert shipper.returncode == 1
