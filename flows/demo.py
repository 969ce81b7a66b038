"""One whole trading day on this machine with everything real but the market: the stack, the flows, a summary."""

from __future__ import annotations

import asyncio
import datetime
import logging
import os
import resource
import shutil
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from config import ClockKind, Mode, Settings, load_settings
from flows.demo_screen import DemoScreen
from runtime.calendar import trading_day as hours_of
from runtime.control import ControlCommand, ControlRequest, SessionUnreachable, ask_session, socket_path
from runtime.planning import plan_for, session_folder
from runtime.report import write_report
from runtime.stack.local_stack import LocalStack, StackOptions
from runtime.summary import break_even_note, summarise

SYNTHETIC_DATE = "2025-03-12"
"""An ordinary Wednesday: the synthetic market is drawn from its seed, whatever the date."""

WATCH_SECONDS = 0.5

PREDICTIONS_KEY = "demo-key"
"""What the simulator's prediction service wants to see."""

SIMULATED = {"mode": Mode.SIM, "live": False, "account": "DU1234567", "prediction_file": None, "ib_host": "127.0.0.1"}


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """What to play. Without `speed` time is deterministic: as fast as this machine and equal from run to run."""

    market: str = "synthetic"
    date: str | None = None
    seed: int = 1
    speed: float | None = None
    chaos: int | None = None
    json_file: Path | None = None
    keep: bool = False


def run_demo(options: DemoOptions, mine: Settings) -> int:
    """Play the day under one's own settings; 0 when it ended flat, with nothing working and every cent explained."""
    screen = DemoScreen()
    try:
        return asyncio.run(_play(options, mine, screen))
    except KeyboardInterrupt:
        screen.say("stopped; everything that was started has ended")
        return 130


async def _play(options: DemoOptions, mine: Settings, screen: DemoScreen) -> int:
    began = time.monotonic()
    folder = mine.state_folder / "demo"
    shutil.rmtree(folder / "sessions", ignore_errors=True)  # a new simulated account knows nothing of an earlier day
    stack_options = StackOptions(
        folder=folder,
        fresh=True,
        prefect_port=mine.prefect_port,
        simulator=_simulator_arguments(options, mine),
        progress=screen.step,
    )
    async with LocalStack(stack_options) as stack:
        assert stack.simulated is not None
        date = stack.simulated.date
        settings = _settings(options, mine, stack)
        os.environ.update(stack.environment())  # noqa: TID251  Prefect's client takes its server from there
        watching = asyncio.create_task(_watch(settings, date, screen))
        try:
            state = await _trade(settings, date)
        finally:
            watching.cancel()
        summary = await summarise(settings, date, options.market, time.monotonic() - began)
        screen.summary(summary, state.name or "", state.message or "", _memory_mb(), break_even_note(settings))
        if options.json_file is not None:
            options.json_file.write_text(summary.model_dump_json(indent=2) + "\n", encoding="utf-8")
        report = folder / "report.html"
        write_report(settings, summary, report)
        screen.where_next(stack.prefect_ui_url, folder, report, keep=options.keep)
        if options.keep:
            await _until_stopped()
    return 0 if state.is_completed() and summary.clean else 1


async def _trade(settings: Settings, date: str) -> Any:
    from prefect.logging.handlers import APILogHandler

    from flows.trading_day import trading_day  # only now: Prefect reads its environment when it is imported
    from tasks.settings import passed_down

    logging.getLogger("prefect").setLevel(logging.WARNING)
    try:
        with passed_down(settings):
            return await trading_day(datetime.date.fromisoformat(date), return_state=True)
    finally:
        await APILogHandler.aflush()  # or it would complain, at the exit, of a server that is stopped by then


def _simulator_arguments(options: DemoOptions, mine: Settings) -> tuple[str, ...]:
    arguments = ["--port", "0", "--predictions-port", "0", "--predictions-key", PREDICTIONS_KEY]
    arguments += ["--market", options.market, "--seed", str(options.seed)]
    date = options.date or (SYNTHETIC_DATE if options.market == "synthetic" else None)
    if date is not None:
        if hours_of(date) is None:
            raise SystemExit(f"--date {date}: the exchange (XNYS) does not open that day; choose a trading day")
        arguments += ["--date", date]
    observers = ",".join(str(client_id) for client_id in mine.ib_observer_client_ids)
    arguments += ["--observers", observers, "--outage-seconds", "0"]
    arguments += ["--deterministic"] if options.speed is None else ["--speed", str(options.speed)]
    if options.chaos is not None:
        arguments += ["--chaos", str(options.chaos)]
    return tuple(arguments)


def _settings(options: DemoOptions, mine: Settings, stack: LocalStack) -> Settings:
    """The user's own settings where they are about trading; the stack's where they are about places."""
    assert stack.simulated is not None
    return load_settings(
        SIMULATED
        | {
            "ib_port": stack.gateway_port,
            "clock": ClockKind.DETERMINISTIC if options.speed is None else ClockKind.BROKER,
            "speed": options.speed or 1.0,
            "prediction_url": stack.predictions_url,
            "prediction_api_key": SecretStr(PREDICTIONS_KEY),
            "database_url": SecretStr(stack.postgres_url),
            "state_folder": mine.state_folder / "demo",
            "tickers": mine.tickers if options.market == "synthetic" else stack.simulated.tickers,
        }
    )


async def _watch(settings: Settings, date: str, screen: DemoScreen) -> None:
    """Show how the live session stands, asked through its own socket."""
    plan = plan_for(settings, date)
    path = socket_path(session_folder(settings, plan))
    request = ControlRequest(command=ControlCommand.STATUS, requested_by="demo")
    while True:
        await asyncio.sleep(WATCH_SECONDS)
        try:
            screen.progress(plan, await ask_session(path, request))
        except SessionUnreachable:
            continue  # between two phases nobody listens


async def _until_stopped() -> None:
    await asyncio.Event().wait()


def _memory_mb() -> float:
    """The most memory that this process, which ran the session, ever held."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 * 1024 if sys.platform == "darwin" else 1024)
