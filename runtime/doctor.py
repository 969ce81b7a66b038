"""Is everything in place for a session? Each check answers in words, and none changes anything at the broker."""

from __future__ import annotations

import asyncio
import shutil
import sys
import time
from collections.abc import Awaitable, Callable

from broker.errors import BrokerError
from broker.preflight import Finding
from config import Mode, Settings
from core.market import Prediction
from db.engine import DatabaseError
from db.migrate import DatabaseTooNew
from predictions import HttpPredictionSource
from runtime.alerts import services_of
from runtime.calendar import eastern_clock, eastern_date, trading_day
from runtime.database import with_database
from runtime.observer import observing
from runtime.preflight import preflight
from runtime.probe import NotProbed, must_be_probed, report_file
from runtime.stack.processes import StackError

FREE_MIN_MB = 1_000
"""A day's journal and its tables take some 100 MB."""


class Unfit(Exception):
    """A check that ran, and found something that a session cannot work with; the text says what to do."""


EXPECTED = (Unfit, BrokerError, DatabaseError, DatabaseTooNew, StackError, NotProbed, OSError)
"""What a check may raise: its text becomes the finding."""


async def examine(settings: Settings) -> tuple[Finding, ...]:
    """Make every check, also after one has failed."""
    checks: tuple[tuple[str, Callable[[Settings], Awaitable[str | tuple[Finding, ...]]]], ...] = (
        ("python", _python),
        ("state folder", _state_folder),
        ("probe", _probe),
        ("calendar", _calendar),
        ("database", _database),
        ("broker", _broker),
        ("predictions", _predictions),
        ("alerts", _alerts),
    )
    findings: list[Finding] = []
    for name, check in checks:
        try:
            found = await check(settings)
        except EXPECTED as problem:
            words = str(getattr(problem, "orig", None) or problem)  # the driver's own, without SQLAlchemy's address
            found = (Finding(name, False, words or repr(problem)),)
        findings += (Finding(name, True, found),) if isinstance(found, str) else found
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


async def _probe(settings: Settings) -> str:
    if settings.mode is not Mode.LIVE:
        return "needed for real money only: `trader probe-broker` with the paper account"
    must_be_probed(settings)
    return f"what the broker does with orders is in {report_file(settings)}, or was taken on in words"


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


async def _broker(settings: Settings) -> tuple[Finding, ...]:
    """The preflight of a session's start, by a client that only looks."""
    async with observing(settings, settings.ib_observer_client_ids[0]) as broker:
        return await preflight(settings, broker, eastern_date(time.time_ns() // 1_000_000))


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
    if not settings.alert_urls:
        return "none: set TRADER_ALERT_URLS, or nobody hears what goes wrong"
    _, unusable = services_of(url.get_secret_value() for url in settings.alert_urls)
    if unusable:
        raise Unfit(f"address {unusable[0]} of TRADER_ALERT_URLS is none that apprise knows")
    return f"{len(settings.alert_urls)} services"
