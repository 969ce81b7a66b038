"""The local socket: requests become events, bad requests are answered in words, nobody there is said so."""

import asyncio
from pathlib import Path

import pytest

from core.events import FlattenRequested, ResumeRequested, StopRequested, SuspendRequested
from runtime.control import (
    SOCKET_PATH_MAX,
    ControlAnswer,
    ControlCommand,
    ControlRequest,
    SessionUnreachable,
    ask_session,
    serve_control,
    socket_path,
)


async def test_a_request_reaches_the_session_and_its_answer_comes_back(tmp_path: Path) -> None:
    heard: list[ControlRequest] = []

    def answer(request: ControlRequest) -> ControlAnswer:
        heard.append(request)
        return ControlAnswer(accepted=True, phase="trading", positions={"SOXL": 133}, daily_pnl="-12.500")

    path = socket_path(tmp_path)
    async with await serve_control(path, answer):
        request = ControlRequest(command=ControlCommand.FLATTEN, requested_by="anna", tickers=("SOXL",))
        said = await ask_session(path, request)
    assert heard == [request]
    assert said.positions == {"SOXL": 133}
    assert said.sentence() == "trading: +133 SOXL, 0 orders working, 0 trades, P&L -12.50"
    assert path.stat().st_mode & 0o777 == 0o600 if path.exists() else True


async def test_an_unreadable_request_is_refused_in_words(tmp_path: Path) -> None:
    path = socket_path(tmp_path)
    async with await serve_control(path, lambda request: ControlAnswer(accepted=True)):
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(b'{"command": "sell everything", "requested_by": "x"}\n')
        said = ControlAnswer.model_validate_json(await reader.readline())
        writer.close()
    assert not said.accepted
    assert "command" in said.problem


async def test_nobody_at_the_socket_is_an_error_that_names_it(tmp_path: Path) -> None:
    request = ControlRequest(command=ControlCommand.STATUS, requested_by="x")
    with pytest.raises(SessionUnreachable, match=r"control\.sock"):
        await ask_session(tmp_path / "control.sock", request)


def test_a_folder_too_deep_for_a_socket_gets_a_short_path(tmp_path: Path) -> None:
    deep = tmp_path / ("x" * SOCKET_PATH_MAX)
    assert len(str(socket_path(deep)).encode()) <= SOCKET_PATH_MAX
    assert socket_path(deep) == socket_path(deep)


def test_each_command_stands_for_one_event() -> None:
    def event(command: ControlCommand) -> object:
        return ControlRequest(command=command, requested_by="anna").event(5)

    assert event(ControlCommand.FLATTEN) == FlattenRequested(5, "anna")
    assert event(ControlCommand.SUSPEND) == SuspendRequested(5, "anna")
    assert event(ControlCommand.RESUME) == ResumeRequested(5, "anna")
    assert event(ControlCommand.STOP) == StopRequested(5, "anna")
    assert event(ControlCommand.STATUS) is None
