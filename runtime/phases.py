"""The phases of a trading day. Each opens the session from its journal itself, so each also runs alone and again."""

from __future__ import annotations

import asyncio

from config import Settings
from core.events import StopRequested, SuspendRequested
from core.vocabulary import Severity
from runtime.bootstrap import open_session
from runtime.driving import drive, drive_until_reconciled
from runtime.garbage import collected_between_events
from runtime.host import Host
from runtime.preflight import DECISIVE, preflight, problems
from runtime.probe import must_be_probed
from runtime.reports import IntradayReport, StartupReport, WarmUpReport, describe
from runtime.signals import flattened_on_signals
from runtime.sources import make_poller


async def startup(settings: Settings, date: str) -> StartupReport:
    """Preflight: check what can be wrong with the broker, read it back, and compare it with the journal.

    What forbids a day does not forbid its end: where something is held, the session goes on without entries.
    """
    must_be_probed(settings)
    async with open_session(settings, date) as host:
        await host.connector.connect()
        wrong = problems(await preflight(settings, host.broker, date))
        for check, words in wrong.items():
            host.alert(Severity.WARNING, f"preflight/{check}", f"Preflight: {check}", words)
        await drive_until_reconciled(host, settings)
        may_enter = DECISIVE.isdisjoint(wrong)
        summary = "; ".join((f"broker read back: {describe(host)}", *wrong.values()))
        if not may_enter and _holds(host):
            host.take(SuspendRequested(host.clock.now_ms(), "preflight"))
            told = "Something is held: the session goes on, without entries until `trader resume`"
            text = f"{told}. What the preflight found: {', '.join(sorted(DECISIVE & wrong.keys()))}."
            host.alert(Severity.CRITICAL, "preflight", "No entries: the preflight forbids them", text)
            summary += f"; {told}"
        return StartupReport(may_enter or _holds(host), summary, host.plan.session)


async def warm_up(settings: Settings, date: str) -> WarmUpReport:
    """Load history until every ATR is ready, or there is no more; the journal carries it to the next phase.

    Where something is held nothing is waited for: the next phase watches over it, and asks for history meanwhile.
    """
    async with open_session(settings, date) as host:
        await host.connector.connect()
        if not _holds(host):
            await host.connector.load_history()
        await drive_until_reconciled(host, settings)
        tickers = [row.ticker for row in settings.params().tickers]
        ready = tuple(ticker for ticker in tickers if host.session.engine.is_warm(ticker))
        cold = ", ".join(ticker for ticker in tickers if ticker not in ready)
        summary = f"ATR ready for {len(ready)} of {len(tickers)} tickers"
        return WarmUpReport(True, f"{summary}; live bars must warm {cold}" if cold else summary, ready)


def _holds(host: Host) -> bool:
    engine = host.session.engine
    return not engine.is_flat() or engine.has_working_orders()


async def intraday(settings: Settings, date: str) -> IntradayReport:
    """Trade until the closure has been verified. A cancelled run flattens before it ends."""
    async with open_session(settings, date) as host:
        with flattened_on_signals(host):
            await _trade(host, settings)
        engine = host.session.engine
        return IntradayReport(engine.is_flat(), describe(host), engine.trades_closed)


async def _trade(host: Host, settings: Settings) -> None:
    told_gone = "predictions" in host.session.engine.state.alerts
    host.poller = make_poller(settings, host.plan, host.clock, told_gone)
    try:
        with collected_between_events():
            await host.connector.connect()
            host.session.pump()
            host.connector.subscribe()
            await drive(host, settings)
    except asyncio.CancelledError:
        host.take(StopRequested(host.clock.now_ms(), "the run was cancelled"))
        await drive(host, settings)
        raise
    finally:
        await host.poller.close()
