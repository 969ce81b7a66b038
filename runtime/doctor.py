"""Is everything in place for a session? Each check answers in words, and none changes anything at the broker."""

from __future__ import annotations

import asyncio
import shutil
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from broker.errors import BrokerError
from broker.gateway import IbBroker
from config import ClockKind, Settings
from core.market import Prediction
from db.engine import DatabaseError
from db.migrate import DatabaseTooNew
from predictions import HttpPredictionSource
from runtime.calendar import eastern_clock, eastern_date, trading_day
from runtime.clock import BrokerClock, SystemClock
from runtime.database import with_database
from runtime.stack.processes import StackError

FREE_MIN_MB = 1_000
"""A day's journal and its tables take some 100 MB."""

SKEW_MAX_MS = 2_000
"""Predictions and bars are judged by age in seconds."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found."""

    name: str
    ok: bool
    text: str


class Unfit(Exception):
    """A check that ran, and found something that a session cannot work with; the text says what to do."""


EXPECTED = (Unfit, BrokerError, DatabaseError, DatabaseTooNew, StackError, OSError)
"""What a check may raise: its text becomes the finding."""


async def examine(settings: Settings) -> tuple[Finding, ...]:
    """Make every check, also after one has failed."""
    checks: tuple[tuple[str, Callable[[Settings], Awaitable[str]]], ...] = (
        ("python", _python),
        ("state folder", _state_folder),
        ("calendar", _calendar),
        ("database", _database),
        ("broker", _broker),
        ("predictions", _predictions),
        ("alerts", _alerts),
    )
    findings = []
    for name, check in checks:
        try:
            findings.append(Finding(name, True, await check(settings)))
        except EXPECTED as problem:
            findings.append(Finding(name, False, str(problem) or repr(problem)))
    return tuple(findings)


async def _python(settings: Settings) -> str:
    return f"Python {sys.version.split()[0]}, mode {settings.mode}, account {settings.account}"


async def _state_folder(settings: Settings) -> str:
    folder = settings.state_folder
    folder.mkdir(parents=True, exist_ok=True)
    probe = folder / "doctor.probe"
    probe.write_text("writable")
    probe.unlink()
    free_mb = shutil.disk_usage(folder).free // 1_000_000
    if free_mb < FREE_MIN_MB:
        raise Unfit(f"{folder} has {free_mb:,} MB free; make it {FREE_MIN_MB:,} at least")
    return f"{folder} is writable, {free_mb:,} MB free"


async def _calendar(settings: Settings) -> str:
    today = eastern_date(time.time_ns() // 1_000_000)
    hours = trading_day(today)
    if hours is None:
        return f"{today} is no trading day"
    return f"{today} trades from {eastern_clock(hours.open_ms)} to {eastern_clock(hours.close_ms)} in New York"


async def _database(settings: Settings) -> str:
    def open_and_close() -> None:
        with with_database(settings):
            return

    await asyncio.to_thread(open_and_close)
    return "your own Postgres answers" if settings.database_url else "the embedded Postgres starts and stops"


async def _broker(settings: Settings) -> str:
    """Connect as a client that only looks; ask for account, contracts and time."""
    failures: list[BaseException] = []
    broker = IbBroker(
        host=settings.ib_host,
        port=settings.ib_port,
        client_id=settings.ib_observer_client_ids[0],
        account=settings.account,
        emit=lambda event: None,
        clock=SystemClock() if settings.clock is ClockKind.REAL else BrokerClock(settings.speed),
        on_batch=lambda: None,
        on_failure=failures.append,
        deterministic=settings.clock is ClockKind.DETERMINISTIC,
    )
    try:
        await broker.connect()
        account = await broker.read_account()
        instruments = await broker.read_instruments(settings.tickers)
        skew_ms = await _skew_ms(broker) if settings.clock is ClockKind.REAL else 0
    finally:
        await broker.close()
    if failures:
        raise Unfit(f"connected, and a message could not be read: {failures[0]}")
    if skew_ms > SKEW_MAX_MS:
        raise Unfit(f"this machine's clock is {skew_ms / 1000:.0f} s off the broker's: set it by NTP")
    if account.day_trades_remaining is not None and 0 <= account.day_trades_remaining < len(settings.tickers):
        raise Unfit(f"{account.day_trades_remaining} day trades are left: a pattern day trader needs $25,000 of equity")
    where = f"{settings.ib_host}:{settings.ib_port}"
    return f"{where} serves {settings.account}, knows {len(instruments)} tickers, buying power {account.buying_power}"


async def _skew_ms(broker: IbBroker) -> int:
    return abs(await broker.read_time_ms() - time.time_ns() // 1_000_000)


async def _predictions(settings: Settings) -> str:
    if settings.prediction_file is not None:
        if not settings.prediction_file.is_file():
            raise Unfit(f"TRADER_PREDICTION_FILE: {settings.prediction_file} does not exist")
        return f"recorded in {settings.prediction_file}"
    if settings.prediction_url is None:
        raise Unfit("TRADER_PREDICTION_URL is not set: without predictions nothing is entered")
    key = settings.prediction_api_key.get_secret_value() if settings.prediction_api_key else None
    source = HttpPredictionSource(settings.prediction_url, key, settings.prediction_timeout_seconds)
    try:
        (answer,) = await source.poll(settings.tickers[:1])
    finally:
        await source.close()
    if isinstance(answer, Prediction):
        return f"{answer.ticker}: {answer.signal} with confidence {answer.confidence:.2f}"
    raise Unfit(f"{answer.ticker}: {answer.problem}")


async def _alerts(settings: Settings) -> str:
    from apprise import Apprise

    if not settings.alert_urls:
        return "none: set TRADER_ALERT_URLS, or nobody hears what goes wrong"
    for number, url in enumerate(settings.alert_urls, 1):
        if not Apprise().add(url.get_secret_value()):
            raise Unfit(f"address {number} of TRADER_ALERT_URLS is none that apprise knows")
    return f"{len(settings.alert_urls)} services"
