"""The one composition root: from settings to a session that is ready to be driven."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path

from broker.gateway import IbBroker
from broker.history_budget import HistoryBudget
from config import ClockKind, Settings
from core.events import Event, LinkChanged
from core.params import SessionPlan
from core.records import Alert
from core.vocabulary import Link, Severity
from db.journal import Journal, JournalLocked, JournalTakenOver
from db.lock import LockState
from db.recovery import open_journal
from runtime.alerts import Alerts, LastingAlerts
from runtime.chores import Chores
from runtime.clock import make_clock
from runtime.clock_watch import ClockWatch
from runtime.connector import Connector
from runtime.control import serve_control, socket_path
from runtime.history_budget import SharedHistoryBudget
from runtime.holder import Holder, SessionAlreadyRunning, read_holder, write_holder
from runtime.host import Host
from runtime.planning import hours_of, plan_for, session_folder
from runtime.postgres_side import locked_in_postgres, present_in_postgres
from runtime.recovery import process_started, recover
from runtime.session import Session
from runtime.shipping import shipping
from runtime.supervision import supervision

PASS_SECONDS = 0.05
"""How long running time is let pass until it is looked again whether history may be asked for."""

log = logging.getLogger(__name__)


def make_alerts(settings: Settings, plan: SessionPlan) -> Alerts:
    """The notices of a session, sent to the services that the settings name."""
    return Alerts(tuple(url.get_secret_value() for url in settings.alert_urls), plan.session)


@asynccontextmanager
async def open_session(settings: Settings, date: str) -> AsyncIterator[Host]:
    """Lock the session, replay its journal, and assemble it around its (not yet connected) broker.

    Raises MarketClosed, and SessionAlreadyRunning when another process holds it or, while inside, has taken it over.
    """
    plan = plan_for(settings, date)
    folder = session_folder(settings, plan)
    async with AsyncExitStack() as stack:
        url = settings.database_url.get_secret_value() if settings.database_url else None
        lock = await stack.enter_async_context(locked_in_postgres(plan, folder, url)) if url else None
        journal = stack.enter_context(_open_journal(folder, plan.session, url))
        write_holder(folder, Holder(pid=os.getpid(), socket=str(socket_path(folder)), epoch=journal.epoch))
        alerts = make_alerts(settings, plan)
        stack.callback(alerts.close)
        host = _assemble(settings, plan, journal, alerts, SharedHistoryBudget(url, plan.account) if url else None)
        if journal.unread_slot:
            text = f"{journal.unread_slot}. What the dead process sent last is asked of the broker; look at its orders."
            host.alert(Severity.CRITICAL, "slot", "The journal's newest rows cannot be read", text)
        lasting = LastingAlerts(alerts, journal)
        host.on_time = ClockWatch(lasting, host.clock.now_ms).compare
        if url and lock:
            await stack.enter_async_context(shipping(journal, url, lasting, host.clock.now_ms))
            taken_over = partial(_taken_over_elsewhere, journal, host)
            on_lock = partial(tell_lock, plan.session, host.clock.now_ms, lasting)
            await stack.enter_async_context(
                present_in_postgres(lock, settings, plan, journal.epoch, url, host.answer, taken_over, on_lock)
            )
        stack.push_async_callback(host.broker.close)
        await stack.enter_async_context(supervision(host, journal, lasting))
        control = await serve_control(socket_path(folder), host.answer)
        stack.callback(control.close)
        log.info("session %s opened, epoch %d", plan.session, journal.epoch)
        try:
            yield host
        except (JournalTakenOver, ExceptionGroup) as ended:
            if not journal.fence.is_passed():
                raise
            text = f"This process (epoch {journal.epoch}) has sent its last order. {journal.fence.words()}."
            host.alert(Severity.CRITICAL, "taken_over", "The session was taken over by another process", text)
            raise SessionAlreadyRunning(plan.session, read_holder(folder)) from ended


def _taken_over_elsewhere(journal: Journal, host: Host, words: str) -> None:
    journal.fence.shut(words)
    host.fail(JournalTakenOver(words))


def tell_lock(session: str, now_ms: Callable[[], int], alerts: LastingAlerts, state: LockState) -> None:
    """Another machine may trade the same day from a journal of its own, which nothing here can stop."""
    if state is LockState.TAKEN:
        text = f"Another process holds the lock of {session} in Postgres. End one of the two, then look at the broker."
        alerts.send(Alert(now_ms(), Severity.CRITICAL, "lock", "Two sessions may be running", text))
    elif state is LockState.HELD:
        alerts.clear(now_ms(), "lock", "this session holds its lock in Postgres again")


def _open_journal(folder: Path, session: str, url: str | None) -> Journal:
    try:
        return open_journal(folder, session, url)
    except JournalLocked as locked:
        raise SessionAlreadyRunning(session, read_holder(folder)) from locked


def _assemble(
    settings: Settings, plan: SessionPlan, journal: Journal, alerts: Alerts, history_budget: HistoryBudget | None
) -> Host:
    recovered = recover(journal, settings.params(), plan)
    alerts.take_over(recovered.engine.state.alerts)
    newest_ms = recovered.newest_ms or 0  # one after the close is a clock's mistake: by it nobody would trade any more
    clock = make_clock(settings, newest_ms if newest_ms < plan.close_ms else 0)
    chores, history = Chores(clock), Chores(clock)
    session = Session(
        engine=recovered.engine,
        journal=journal,
        timers=recovered.timers,
        clock=clock,
        alerts=alerts,
        request_read=lambda reason: chores.add("read_back", broker.read_back),
        request_history=lambda ticker: host.connector.ask_history(ticker),
    )
    deterministic = settings.clock is ClockKind.DETERMINISTIC
    broker = IbBroker(
        host=settings.ib_host,
        port=settings.ib_port,
        client_id=plan.client_id,
        account=plan.account,
        emit=lambda event: _take_in(host, event),
        clock=clock,
        on_batch=(lambda: None) if deterministic else (lambda: _pump(host)),
        on_failure=lambda failure: host.fail(failure),
        deterministic=deterministic,
        history_budget=history_budget,
        check_fence=journal.check_fence,
    )
    session.broker = broker
    tickers = tuple(ticker.ticker for ticker in settings.params().tickers)
    host = Host(
        session=session,
        broker=broker,
        clock=clock,
        plan=plan,
        connector=Connector(
            session,
            broker,
            clock,
            tickers,
            hours_of(plan.date),
            hear_time=lambda: host.hear_time(),
            pass_time=(lambda: host.hear_time()) if deterministic else partial(asyncio.sleep, PASS_SECONDS),
            history=history,
        ),
        chores=chores,
        history=history,
    )
    session.inbox.wake = host.nudge.set
    if recovered.replayed_events:
        for event in process_started(recovered, 0):
            session.inbox.put(event)
    return host


def _take_in(host: Host, event: Event) -> None:
    """Every event goes to the engine; data that comes back after a pause has left a gap in the bars."""
    host.session.inbox.put(event)
    if type(event) is not LinkChanged:
        return
    if event.link is Link.LOST:
        host.link_lost.set()
    elif event.link is Link.CONNECTED and host.connector.is_subscribed:
        host.connector.ask_history()


def _pump(host: Host) -> None:
    try:
        host.session.pump()
    except Exception as failure:  # noqa: BLE001  kept for the drive to raise: a socket callback would only log it
        host.fail(failure)
    host.nudge.set()
