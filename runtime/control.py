"""The session's local socket: people and flows reach a live session through it when nothing else is up.

One JSON object a line, one answer a line: `{"command": "flatten", "tickers": ["CVNA"], "requested_by": "anna"}`.
"""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
from collections.abc import Callable
from decimal import Decimal
from enum import StrEnum
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from core.events import Event, FlattenRequested, ResumeRequested, StopRequested, SuspendRequested

SOCKET_PATH_MAX = 100
"""Bytes of a Unix socket's path that every platform takes (Linux 107, macOS 103)."""

LINE_MAX = 65_536


class ControlCommand(StrEnum):
    """What can be asked of a live session."""

    FLATTEN = "flatten"
    SUSPEND = "suspend"
    RESUME = "resume"
    STOP = "stop"
    STATUS = "status"


class ControlRequest(BaseModel):
    """One request. `whole_account` belongs to flatten, `tickers` to flatten and to a status that asks about it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    command: ControlCommand
    requested_by: str
    tickers: tuple[str, ...] = ()
    whole_account: bool = False

    def event(self, at_ms: int) -> Event | None:
        """The event that this request stands for; None for a status."""
        match self.command:
            case ControlCommand.FLATTEN:
                return FlattenRequested(at_ms, self.requested_by, self.tickers, self.whole_account)
            case ControlCommand.SUSPEND:
                return SuspendRequested(at_ms, self.requested_by)
            case ControlCommand.RESUME:
                return ResumeRequested(at_ms, self.requested_by)
            case ControlCommand.STOP:
                return StopRequested(at_ms, self.requested_by)
            case ControlCommand.STATUS:
                return None


class ControlAnswer(BaseModel, frozen=True):
    """What the session says: accepted or why not, and how it stands."""

    accepted: bool
    problem: str = ""
    at_ms: int = 0
    phase: str = ""
    positions: dict[str, int] = {}
    working_orders: int = 0
    trades: int = 0
    daily_pnl: str | None = None
    exited: bool = False  # the tickers asked about (all, where none is named): no shares, no orders, no exit under way

    def sentence(self) -> str:
        """The state in a sentence for people."""
        held = ", ".join(f"{shares:+d} {ticker}" for ticker, shares in self.positions.items() if shares) or "flat"
        return f"{self.phase}: {held}, {self.working_orders} orders working, {self.trades} trades, P&L {self.pnl}"

    @property
    def pnl(self) -> str:
        """The day's P&L in dollars and cents."""
        return "unknown" if self.daily_pnl is None else f"{Decimal(self.daily_pnl):+,.2f}"


class SessionUnreachable(RuntimeError):
    """Nobody answers at the session's socket."""


class SocketClosed(SessionUnreachable):
    """Nobody listens there: the session is starting (it replays its journal first), ending, or not there at all."""


def socket_path(folder: Path) -> Path:
    """The socket beside the pid file, or a short path in the temporary folder where that one is too long to bind."""
    path = folder.resolve() / "control.sock"
    if len(str(path).encode()) <= SOCKET_PATH_MAX:
        return path
    return Path(tempfile.gettempdir()) / f"trader-{hashlib.sha256(str(path).encode()).hexdigest()[:16]}.sock"


async def serve_control(path: Path, answer: Callable[[ControlRequest], ControlAnswer]) -> asyncio.Server:
    """Listen at `path` (only this user may connect) and let `answer` treat each request."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                try:
                    said = answer(ControlRequest.model_validate_json(line))
                except ValidationError as invalid:
                    said = ControlAnswer(accepted=False, problem=str(invalid))
                writer.write(said.model_dump_json().encode() + b"\n")
                await writer.drain()
        except (ConnectionError, ValueError):  # the peer is gone, or its line is longer than LINE_MAX
            return
        finally:
            writer.close()

    path.unlink(missing_ok=True)
    server = await asyncio.start_unix_server(talk, path, limit=LINE_MAX)
    path.chmod(0o600)
    return server


async def ask_session(path: Path, request: ControlRequest, timeout_seconds: float = 5.0) -> ControlAnswer:
    """Ask the live session behind `path`. Raises SessionUnreachable when it does not answer in time."""
    try:
        async with asyncio.timeout(timeout_seconds):
            reader, writer = await asyncio.open_unix_connection(path, limit=LINE_MAX)
            try:
                writer.write(request.model_dump_json().encode() + b"\n")
                line = await reader.readline()
            finally:
                writer.close()
    except (ConnectionError, FileNotFoundError) as error:
        raise SocketClosed(f"nobody listens at {path}: the session is starting or ending ({error})") from error
    except (OSError, TimeoutError) as error:
        raise SessionUnreachable(f"no answer at {path}: {error!r}") from error
    if not line:
        raise SocketClosed(f"the session at {path} closed the connection without an answer")
    return ControlAnswer.model_validate_json(line)
