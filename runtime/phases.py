"""The phases of a trading day. Each opens the session from its journal itself, so each also runs alone and again."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass

from config import ClockKind, Settings
from core.events import StopRequested
from runtime.bootstrap import make_poller, open_session
from runtime.drive_by_barrier import drive_by_barrier
from runtime.drive_by_clock import drive_by_clock
from runtime.host import Host

log = logging.getLogger(__name__)

@dataclass(frozen=True, slots=True)
class PhaseReport:
    """How a phase ended, in a sentence for people."""

    ok: bool
    summary: str


async def startup(settings: Settings, date: str) -> PhaseReport:
    """Preflight: connect, read the broker back, and compare it with the journal."""
    async with open_session(settings, date) as host:
        await host.connector.connect()
        host.done = lambda host: host.session.engine.is_reconciled()
        await drive(host, settings)
        return PhaseReport(True, f"{host.plan.session}: broker read back, {describe(host)}")


async def warm_up(settings: Settings, date: str) -> PhaseReport:
    """Load history until every ATR is ready, or there is no more; the journal carries it to the next phase."""
    async with open_session(settings, date) as host:
        await host.connector.connect()
        await host.connector.load_history()
        host.done = lambda host: host.session.engine.is_reconciled()
        await drive(host, settings)
        engine = host.session.engine
        ready = [ticker.ticker for ticker in settings.params().tickers if engine.is_warm(ticker.ticker)]
        return PhaseReport(True, f"{len(ready)} of {len(settings.params().tickers)} tickers warm: {', '.join(ready) or 'none'}")


async def intraday(settings: Settings, date: str) -> PhaseReport:
    """Trade until the closure has been verified. A cancelled run flattens before it ends."""
    async with open_session(settings, date) as host:
        await host.connector.connect()
        await host.connector.subscribe()
        host.poller = make_poller(settings, host.plan)
        try:
            await drive(host, settings)
        except asyncio.CancelledError:
            host.take(StopRequested(host.clock.now_ms(), "the run was cancelled"))
            await drive(host, settings)
            raise
        finally:
            await host.poller.close()
        return PhaseReport(host.session.engine.is_flat(), describe(host))


async def drive(host: Host, settings: Settings) -> None:
    """Run the host until it is done, in the kind of time that the settings ask for."""
    if settings.clock is ClockKind.DETERMINISTIC:
        await drive_by_barrier(host)
    else:
        await drive_by_clock(host, settings.speed if settings.clock is ClockKind.BROKER else 1.0)


def describe(host: Host) -> str:
    """The session in a sentence."""
    engine = host.session.engine
    positions = {ticker: shares for ticker, shares in engine.positions().items() if shares}
    held = ", ".join(f"{shares:+d} {ticker}" for ticker, shares in positions.items()) or "flat"
    return f"{engine.state.phase}, {held}, {engine.working_orders()} orders working, P&L {engine.daily_pnl():+.2f}"
