"""Flat, whoever does it: the live session when it answers, this process behind a proven fence when it does not."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from contextlib import suppress
from pathlib import Path

from tenacity import (
    AsyncRetrying,
    retry_if_exception_type,
    stop_after_delay,
    wait_random_exponential,
)

from broker.errors import BrokerUnavailable
from config import Settings
from core.events import FlattenRequested, StopRequested
from db.journal import is_locked, writer_pid
from runtime.bootstrap import open_session
from runtime.commands import ASK_AGAIN_SECONDS, ask_patiently
from runtime.control import ControlCommand, ControlRequest, SessionUnreachable
from runtime.driving import drive, drive_until_reconciled
from runtime.holder import SessionAlreadyRunning
from runtime.host import Host
from runtime.planning import plan_for, session_folder
from runtime.reconnect import say_again
from runtime.reports import FlattenReport, describe
from runtime.signals import flattened_on_signals

LOCK_FREE_SECONDS = 10.0

CONNECT_SECONDS = 20.0
"""How long a takeover asks a gateway that refuses; Prefect's retries, or the person, come after."""

log = logging.getLogger(__name__)


async def flatten(
    settings: Settings,
    date: str,
    tickers: tuple[str, ...] = (),
    whole_account: bool = False,
    requested_by: str = "flatten",
) -> FlattenReport:
    """Make the session flat (or only `tickers`, or the whole account), verified by the broker, and say how it ended.

    Raises SessionAlreadyRunning when another machine holds the session: nothing was closed then.
    """
    folder = session_folder(settings, plan_for(settings, date))
    request = ControlRequest(
        command=ControlCommand.FLATTEN, requested_by=requested_by, tickers=tickers, whole_account=whole_account
    )
    while True:
        if is_locked(folder, folder.name):
            try:
                if (flat := await _ask_live(folder, request)) is not None:
                    return flat
            except SessionUnreachable as hung:
                log.critical("the session holds its lock but does not answer: it is killed and replaced. %s", hung)
                await _kill(folder)
        try:
            return await _take_over(settings, date, tickers, whole_account, requested_by)
        except SessionAlreadyRunning:
            if not is_locked(folder, folder.name):
                raise  # it runs on another machine
            log.warning("the session was started meanwhile: it is asked to flatten")


async def _ask_live(folder: Path, request: ControlRequest) -> FlattenReport | None:
    """Hand the request to the live session, wait until it is flat; None when it ended before, well or badly."""
    answer = await ask_patiently(folder, request)
    status = request.model_copy(update={"command": ControlCommand.STATUS})
    while answer is not None and not answer.exited:
        await asyncio.sleep(ASK_AGAIN_SECONDS)
        answer = await ask_patiently(folder, status)
    if answer is None:
        return None
    what = " and ".join(request.tickers) or "the live session"
    summary = f"{what} is flat ({answer.phase}, {answer.working_orders} orders working)"
    return FlattenReport(True, summary, True, answer.working_orders)


async def _kill(folder: Path) -> None:
    """End whoever holds the lock for certain: only a dead process is a proven fence.

    The lock itself says who that is. The note beside it is older while a process hangs before it could write one.
    """
    pid = writer_pid(folder, folder.name)
    if pid is not None and is_locked(folder, folder.name):
        with suppress(ProcessLookupError):  # it has just ended
            os.kill(pid, signal.SIGKILL)
    async with asyncio.timeout(LOCK_FREE_SECONDS):
        while is_locked(folder, folder.name):  # noqa: ASYNC110  a file lock has no event
            await asyncio.sleep(0.1)


async def _connect(host: Host) -> None:
    """The gateway may hold the dead session's client id for a while, or be starting: one refusal is no answer."""
    async for attempt in AsyncRetrying(
        retry=retry_if_exception_type(BrokerUnavailable),
        wait=wait_random_exponential(multiplier=0.2, max=5.0),
        stop=stop_after_delay(CONNECT_SECONDS),
        before_sleep=say_again,
        reraise=True,
    ):
        with attempt:
            await host.connector.connect()


async def _take_over(
    settings: Settings, date: str, tickers: tuple[str, ...], whole_account: bool, requested_by: str
) -> FlattenReport:
    """Become the session, with its client id and a higher epoch, and let its engine flatten."""
    async with open_session(settings, date) as host:
        engine = host.session.engine
        await _connect(host)
        await drive_until_reconciled(host, settings)
        if engine.is_flat() and not engine.working_orders() and not whole_account:
            return FlattenReport(True, f"already flat: {describe(host)}", True, 0)
        host.connector.subscribe()
        now_ms = host.clock.now_ms()
        if tickers:
            host.done = lambda host: engine.is_exited(tickers)
            host.take(FlattenRequested(now_ms, requested_by, tickers))
        else:
            host.take(FlattenRequested(now_ms, requested_by, (), whole_account), StopRequested(now_ms, requested_by))
        with flattened_on_signals(host):
            await drive(host, settings)
        summary = f"flattened in place of the session: {describe(host)}"
        return FlattenReport(engine.is_exited(tickers), summary, engine.is_flat(), engine.working_orders())
