"""A live session is asked to flatten, and believed while it lives; what it leaves behind the broker tells."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from broker.errors import BrokerUnavailable
from config import Settings, load_settings
from db.journal import Journal, is_locked
from runtime.commands import UNANSWERED_MAX
from runtime.control import ControlAnswer, ControlCommand, ControlRequest, ask_session, serve_control, socket_path
from runtime.flatten import flatten
from runtime.holder import Holder, write_holder
from runtime.planning import plan_for, session_folder

DATE = "2025-03-12"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings({"ib_port": 1, "state_folder": tmp_path}, environment={}, env_file=tmp_path / "none")


async def test_flat_is_what_the_session_has_verified(settings: Settings) -> None:
    """Between two steps of an exit nothing is held and nothing works, and yet it has not been read back."""
    heard: list[ControlRequest] = []

    def answer(request: ControlRequest) -> ControlAnswer:
        heard.append(request)
        return ControlAnswer(accepted=True, phase="trading", exited=len(heard) > 1)

    plan = plan_for(settings, DATE)
    folder = session_folder(settings, plan)
    with Journal.open(folder, plan.session):
        write_holder(folder, Holder(pid=os.getpid(), socket=str(socket_path(folder)), epoch=1))
        async with await serve_control(socket_path(folder), answer):
            report = await flatten(settings, DATE, ("GLD",))
    assert report.ok
    assert [request.command for request in heard] == [ControlCommand.FLATTEN, ControlCommand.STATUS]
    assert [request.tickers for request in heard] == [("GLD",), ("GLD",)]


async def test_a_session_that_starts_or_ends_is_waited_for_and_not_killed(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It holds its lock, but its socket is closed: while it replays its journal, and while it ships its last rows."""
    asked, often = 0, asyncio.Event()

    async def counted(path: Path, request: ControlRequest) -> ControlAnswer:
        nonlocal asked
        asked += 1
        if asked > 2 * UNANSWERED_MAX:
            often.set()
        return await ask_session(path, request)

    monkeypatch.setattr("runtime.commands.ask_session", counted)
    monkeypatch.setattr("runtime.commands.ASK_AGAIN_SECONDS", 0)
    plan = plan_for(settings, DATE)
    folder = session_folder(settings, plan)
    with Journal.open(folder, plan.session):
        process = await asyncio.create_subprocess_exec("sleep", "600")
        write_holder(folder, Holder(pid=process.pid, socket=str(socket_path(folder)), epoch=1))
        flattening = asyncio.create_task(flatten(settings, DATE))
        await often.wait()
        async with await serve_control(socket_path(folder), lambda request: ControlAnswer(accepted=True, exited=True)):
            assert (await flattening).ok
        assert process.returncode is None
        process.kill()
        await process.wait()


HANGS = """
import sys, time
from pathlib import Path
from db.journal import Journal, is_locked
with Journal.open(Path(sys.argv[1]), sys.argv[2]):
    print("locked", flush=True)
    time.sleep(600)
"""


async def test_the_process_that_is_killed_is_the_one_that_holds_the_lock(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It hangs before it has noted itself: the note is its predecessor's, whose number may be a stranger's by now."""
    monkeypatch.setattr("runtime.flatten.CONNECT_SECONDS", 0.1)
    monkeypatch.setattr("runtime.commands.CLOSED_SECONDS", 0)
    plan = plan_for(settings, DATE)
    folder = session_folder(settings, plan)
    hung = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", HANGS, str(folder), plan.session), stdout=asyncio.subprocess.PIPE
    )
    assert hung.stdout is not None
    await hung.stdout.readline()
    stranger = await asyncio.create_subprocess_exec("sleep", "600")
    write_holder(folder, Holder(pid=stranger.pid, socket=str(socket_path(folder)), epoch=1))
    with pytest.raises(BrokerUnavailable, match=r"no gateway on 127\.0\.0\.1:1"):
        await flatten(settings, DATE)
    assert await hung.wait() == -signal.SIGKILL
    assert stranger.returncode is None
    stranger.kill()
    await stranger.wait()


async def test_a_session_that_dies_while_it_flattens_is_taken_over(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here nobody is at the broker's port, which the take-over finds out; it must not be reported as flat."""
    monkeypatch.setattr("runtime.flatten.CONNECT_SECONDS", 0.1)
    plan = plan_for(settings, DATE)
    folder = session_folder(settings, plan)
    with ExitStack() as life:
        life.enter_context(Journal.open(folder, plan.session))
        write_holder(folder, Holder(pid=os.getpid(), socket=str(socket_path(folder)), epoch=1))

        def die(request: ControlRequest) -> ControlAnswer:
            life.close()
            return ControlAnswer(accepted=True, phase="trading", positions={"GLD": 10})

        async with await serve_control(socket_path(folder), die):
            with pytest.raises(BrokerUnavailable, match=r"no gateway on 127\.0\.0\.1:1"):
                await flatten(settings, DATE)


async def test_a_session_that_starts_as_it_is_to_be_replaced_is_asked(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes the lock between our look and our own opening: a crashed day that is started again just then."""
    plan = plan_for(settings, DATE)
    folder = session_folder(settings, plan)

    def answer(request: ControlRequest) -> ControlAnswer:
        return ControlAnswer(accepted=True, phase="trading", exited=True)

    async with await serve_control(make_folder(socket_path(folder)), answer):
        with ExitStack() as life:

            def unlocked_until_now(folder: Path, session: str) -> bool:
                monkeypatch.setattr("runtime.flatten.is_locked", is_locked)
                life.enter_context(Journal.open(folder, session))
                write_holder(folder, Holder(pid=os.getpid(), socket=str(socket_path(folder)), epoch=1))
                return False

            monkeypatch.setattr("runtime.flatten.is_locked", unlocked_until_now)
            report = await flatten(settings, DATE)
    assert report.ok
    assert "live session" in report.summary


def make_folder(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path
