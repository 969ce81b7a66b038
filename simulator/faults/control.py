"""The control port: JSON lines in, one JSON line back for each.

`{"drop": {"how": "rst"}}` does it now; `{"at": "10:30:00", "drop": {...}}` and `{"when": "fill", ...}` as in a script.
`{"ask": "state"}` answers with the clock, the clients and the pacing violations; `{"ask": "log"}` with what was done;
`{"advance": 30}` lets the market go on by so many simulated seconds (deterministic time only moves with its clients).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable
from datetime import date
from typing import Any, Final

from simulator.clock import eastern
from simulator.faults.runner import FaultRunner
from simulator.faults.script import parse

LINE_BYTES_MAX: Final = 1 << 16
ADVANCE_SECONDS_MAX: Final = 86_400


class ControlPort:
    """Serves any number of connections; what they do takes effect between two requests of clients."""

    def __init__(self, runner: FaultRunner, day: date, start_ms: int, run_to: Callable[[int], None]) -> None:
        self._runner = runner
        self._world = runner.world
        self._day = day
        self._start_ms = start_ms
        self._run_to = run_to
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def start(self, host: str, port: int) -> int:
        """Listen; the port."""
        self._server = await asyncio.start_server(self._serve, host, port, limit=LINE_BYTES_MAX)
        found: int = self._server.sockets[0].getsockname()[1]
        return found

    async def stop(self) -> None:
        """Close everything."""
        if self._server is not None:
            self._server.close()
        for writer in list(self._writers):
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            with contextlib.suppress(ConnectionError, ValueError):  # ValueError: a line longer than the limit
                while line := await reader.readline():
                    writer.write(json.dumps(self._answer(line)).encode() + b"\n")
                    await writer.drain()
        finally:
            self._writers.discard(writer)
            writer.close()

    def _answer(self, line: bytes) -> dict[str, Any]:
        try:
            asked = json.loads(line)
            if not isinstance(asked, dict):
                raise ValueError(f"{asked!r}: expected a table")
            return {"ok": True, **self._done(asked)}
        except ValueError as error:
            return {"ok": False, "error": str(error)}

    def _done(self, asked: dict[str, Any]) -> dict[str, Any]:
        if "ask" in asked:
            return self._told(asked["ask"])
        if "advance" in asked:
            seconds = asked["advance"]
            if isinstance(seconds, bool) or not isinstance(seconds, int) or not 0 < seconds <= ADVANCE_SECONDS_MAX:
                raise ValueError(f"advance: {seconds!r}; allowed are whole seconds, 1 to {ADVANCE_SECONDS_MAX}")
            self._run_to(self._world.now_ms + seconds * 1000)
        else:
            entry = asked if "at" in asked or "when" in asked else {"at": "+0", **asked}
            self._runner.add(parse([entry], self._day, self._start_ms))
            self._runner.run_due()
        self._world.hub.settled()
        return {"now_ms": self._world.now_ms}

    def _told(self, question: Any) -> dict[str, Any]:
        if question == "log":
            return {"log": [json.loads(entry.line()) for entry in self._world.gate.log.entries]}
        if question == "state":
            return {
                "now_ms": self._world.now_ms,
                "at": f"{eastern(self._world.now_ms):%Y-%m-%d %H:%M:%S}",
                "clients": [session.client_id for session in self._world.hub.clients()],
                "pacing_violations": self._world.history.pacing.violations,
                "messages_sent": self._world.hub.messages_sent,
                "lag_seconds_max": self._world.lag_seconds_max,
            }
        raise ValueError(f"ask: {question!r}; allowed are state, log")
