"""The one composition root: from settings to a session that is ready to be driven."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from broker.gateway import IbBroker
from config import ClockKind, Settings
from core.events import StopRequested
from core.params import SessionPlan
from core.session_plan import plan_session
from db.journal import Journal, JournalLocked
from predictions import HttpPredictionSource, RecordedPredictionSource
from runtime.alerts import Alerts
from runtime.calendar import TradingHours, trading_day
from runtime.chores import Chores
from runtime.clock import BrokerClock, SystemClock
from runtime.connector import Connector
from runtime.control import ControlAnswer, ControlRequest, serve_control, socket_path
from runtime.holder import Holder, SessionAlreadyRunning, read_holder, write_holder
from runtime.host import Host
from runtime.polling import Poller
from runtime.ports import Clock, PredictionSource
from runtime.recovery import process_started, recover
from runtime.session import Session
from runtime.shipping import shipping

log = logging.getLogger(__name__)


class MarketClosed(RuntimeError):
    """The exchange does not open on the day asked for."""


class NoPredictionSource(RuntimeError):
    """The settings name nothing to trade on."""


def hours_of(date: str) -> TradingHours:
    """The exchange's hours of an Eastern date (YYYY-MM-DD). Raises MarketClosed on a holiday or weekend."""
    hours = trading_day(date)
    if hours is None:
        raise MarketClosed(f"{date}: the exchange (XNYS) does not open that day")
    return hours


def plan_for(settings: Settings, date: str) -> SessionPlan:
    """The plan of an Eastern trading day (YYYY-MM-DD). Raises MarketClosed on a holiday or weekend."""
    hours = hours_of(date)
    return plan_session(
        settings.account, date, settings.ib_client_id, hours.open_ms, hours.close_ms, settings.closure_minutes
    )


def session_folder(settings: Settings, plan: SessionPlan) -> Path:
    """Where a session keeps its journal, its lock and its socket."""
    return settings.state_folder / "sessions" / plan.session


def make_clock(settings: Settings) -> SystemClock | BrokerClock:
    """The clock that the settings ask for."""
    match settings.clock:
        case ClockKind.REAL:
            return SystemClock()
        case ClockKind.BROKER:
            return BrokerClock(settings.speed)
        case ClockKind.DETERMINISTIC:
            return BrokerClock(speed=0.0)


def make_alerts(settings: Settings, plan: SessionPlan) -> Alerts:
    """The notices of a session, sent to the services that the settings name."""
    return Alerts(tuple(url.get_secret_value() for url in settings.alert_urls), plan.session)


@asynccontextmanager
async def open_session(settings: Settings, date: str) -> AsyncIterator[Host]:
    """Lock the session, replay its journal, and assemble it around its (not yet connected) broker.

    Raises MarketClosed, and SessionAlreadyRunning when another process holds it.
    """
    plan = plan_for(settings, date)
    folder = session_folder(settings, plan)
    async with AsyncExitStack() as stack:
        journal = stack.enter_context(_open_journal(folder, plan.session))
        write_holder(folder, Holder(pid=os.getpid(), socket=str(socket_path(folder)), epoch=journal.epoch))
        alerts = make_alerts(settings, plan)
        stack.callback(alerts.close)
        host = _assemble(settings, plan, journal, alerts)
        if settings.database_url is not None:
            url = settings.database_url.get_secret_value()
            await stack.enter_async_context(shipping(journal, url, alerts, host.clock.now_ms))
        stack.push_async_callback(host.broker.close)
        control = await serve_control(socket_path(folder), lambda request: _answer(host, request))
        stack.callback(control.close)
        stack.callback(_stop_on_signals(host))
        log.info("session %s opened, epoch %d", plan.session, journal.epoch)
        yield host


def _open_journal(folder: Path, session: str) -> Journal:
    try:
        return Journal.open(folder, session)
    except JournalLocked as locked:
        raise SessionAlreadyRunning(session, read_holder(folder)) from locked


def _assemble(settings: Settings, plan: SessionPlan, journal: Journal, alerts: Alerts) -> Host:
    recovered = recover(journal, settings.params(), plan)
    clock = make_clock(settings)
    chores = Chores()
    session = Session(
        engine=recovered.engine,
        journal=journal,
        timers=recovered.timers,
        clock=clock,
        alerts=alerts,
        request_read=lambda reason: chores.add("read_back", broker.read_back),
    )
    deterministic = settings.clock is ClockKind.DETERMINISTIC
    broker = IbBroker(
        host=settings.ib_host,
        port=settings.ib_port,
        client_id=plan.client_id,
        account=plan.account,
        emit=session.inbox.put,
        clock=clock,
        on_batch=(lambda: None) if deterministic else (lambda: _pump(host)),
        on_failure=lambda failure: host.fail(failure),
        deterministic=deterministic,
    )
    session.broker = broker
    tickers = tuple(ticker.ticker for ticker in settings.params().tickers)
    host = Host(
        session=session,
        broker=broker,
        clock=clock,
        plan=plan,
        connector=Connector(session, broker, clock, tickers, hours_of(plan.date), lambda: host.hear_time()),
        chores=chores,
    )
    if recovered.replayed_events:
        session.inbox.put(process_started(recovered, 0))
    return host


def _pump(host: Host) -> None:
    try:
        host.session.pump()
    except Exception as failure:  # noqa: BLE001  kept for the drive to raise: a socket callback would only log it
        host.fail(failure)
    host.nudge.set()


def make_source(settings: Settings, clock: Clock) -> PredictionSource:
    """The API or the recorded file that the settings name. Raises NoPredictionSource when they name neither."""
    if settings.prediction_file is not None:
        return RecordedPredictionSource(settings.prediction_file, clock.now_ms)
    if settings.prediction_url is None:
        raise NoPredictionSource("no predictions to trade on: set TRADER_PREDICTION_URL, or TRADER_PREDICTION_FILE")
    key = settings.prediction_api_key.get_secret_value() if settings.prediction_api_key else None
    return HttpPredictionSource(
        settings.prediction_url,
        key,
        settings.prediction_timeout_seconds,
        gone_after_polls=settings.prediction_gone_polls,
    )


def make_poller(settings: Settings, plan: SessionPlan, clock: Clock) -> Poller:
    """Poll from the open until entries end."""
    params = settings.params()
    return Poller(
        make_source(settings, clock),
        [ticker.ticker for ticker in params.tickers],
        every_seconds=settings.poll_seconds,
        first_ms=plan.open_ms,
        last_ms=plan.closure_ms - params.entry_deadline_before_closure_seconds * 1000,
        gone_after_polls=settings.prediction_gone_polls,
    )


def _answer(host: Host, request: ControlRequest) -> ControlAnswer:
    event = request.event(host.clock.now_ms())
    if event is not None:
        host.take(event)
    engine = host.session.engine
    return ControlAnswer(
        accepted=True,
        at_ms=host.clock.now_ms(),
        phase=str(engine.state.phase),
        positions=engine.positions(),
        working_orders=engine.working_orders(),
        trades=engine.trades_closed,
        daily_pnl=str(engine.daily_pnl()),
    )


def _stop_on_signals(host: Host) -> Callable[[], None]:
    """Ctrl-C and SIGTERM flatten and end the session; a second one ends the process at once; orders stay."""
    loop = asyncio.get_running_loop()

    def stop(name: str) -> None:
        restore()
        host.take(StopRequested(host.clock.now_ms(), name))

    def restore() -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)

    try:
        loop.add_signal_handler(signal.SIGINT, stop, "Ctrl-C")
        loop.add_signal_handler(signal.SIGTERM, stop, "SIGTERM")
    except (RuntimeError, ValueError):  # not the main thread: whoever owns it handles signals
        return lambda: None
    return restore
