"""The end of `trader start` asks a session that trades to flatten, and one that prepares nothing."""

from __future__ import annotations

import asyncio
from pathlib import Path

from config import load_settings
from core.events import BrokerRead, LinkChanged
from core.vocabulary import Link, Phase
from runtime.bootstrap import open_session
from runtime.stack.unattended import stop_sessions

PATIENCE_SECONDS = 30


async def test_only_a_session_that_trades_is_asked_to_stop(tmp_path: Path) -> None:
    settings = load_settings({"tickers": ("SOXL",), "state_folder": tmp_path}, environment={}, env_file=tmp_path / "no")
    said: list[str] = []
    async with asyncio.timeout(PATIENCE_SECONDS), open_session(settings, "2025-03-12") as host:
        await stop_sessions(tmp_path / "sessions", said.append)
        assert not said
        assert host.session.engine.state.phase is Phase.STARTING

        now_ms = host.plan.open_ms + 1
        host.clock.hear(now_ms)  # type: ignore[union-attr]  # the clock of mode sim
        host.take(LinkChanged(now_ms, Link.CONNECTED, "test"), BrokerRead(now_ms, (), (), ()))
        assert host.session.engine.state.phase is Phase.TRADING
        stopping = asyncio.create_task(stop_sessions(tmp_path / "sessions", said.append))
        while host.session.engine.state.phase is Phase.TRADING:
            await asyncio.sleep(0)
        assert host.session.engine.state.closing == "stopped by trader start"
        assert said == [f"session {host.plan.session}: flattening"]
    await stopping  # it waits for the session's end
