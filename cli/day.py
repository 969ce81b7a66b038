"""`trader demo`, `trader session` and `trader start`: a whole day, in three settings."""

from __future__ import annotations

import asyncio
import datetime
import logging
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer


def _iso_date(text: str) -> str:
    try:
        return datetime.date.fromisoformat(text).isoformat()
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a date: YYYY-MM-DD") from None


Date = Annotated[
    str | None,
    typer.Option("--date", metavar="YYYY-MM-DD", parser=_iso_date, help="The Eastern trading day; else today's."),
]


def or_today(date: str | None) -> str:
    """The date, or the present one in New York."""
    return date or datetime.datetime.now(ZoneInfo("America/New_York")).date().isoformat()


def register(app: typer.Typer) -> None:
    """Add the subcommands of this file."""
    app.command()(demo)
    app.command()(session)
    app.command()(start)


DemoDate = Annotated[
    str | None,
    typer.Option(
        "--date", metavar="YYYY-MM-DD", parser=_iso_date, help="The day to play; else 2025-03-12, or the last recorded."
    ),
]


def demo(
    market: Annotated[str, typer.Option(help="synthetic, or lean:DIR with recorded seconds.")] = "synthetic",
    date: DemoDate = None,
    seed: Annotated[int, typer.Option(help="Chooses the synthetic market and the predictions.")] = 1,
    speed: Annotated[float | None, typer.Option(min=1, max=600, help="Simulated seconds per second, to watch.")] = None,
    deterministic: Annotated[
        bool, typer.Option("--deterministic", help="Time moves when all is done (default).")
    ] = False,
    chaos: Annotated[
        int | None, typer.Option(metavar="SEED", help="Draw faults: lost links, rejects, outages.")
    ] = None,
    json_file: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write the summary here.")] = None,
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave Postgres and the Prefect pages running at the end.")
    ] = False,
) -> None:
    """Trade one whole simulated day with everything real but the market, and show how it went."""
    if speed is not None and deterministic:
        raise typer.BadParameter("--speed runs by the clock, --deterministic without one: choose")
    from cli.screen import say
    from config import load_settings

    settings = load_settings()
    say("trader demo: starting Postgres, a Prefect server and the simulated gateway")
    from flows.demo import DemoOptions, run_demo

    options = DemoOptions(market=market, date=date, seed=seed, speed=speed, chaos=chaos, json_file=json_file, keep=keep)
    raise typer.Exit(run_demo(options, settings))


def session(date: Date = None) -> None:
    """Trade one day against the gateway of the settings, in this process and without Prefect."""
    from cli.screen import log_to_terminal, say
    from config import load_settings

    settings = load_settings()
    log_to_terminal(logging.INFO)
    from runtime.session_run import run_session

    report = asyncio.run(run_session(settings, or_today(date)))
    say(report.summary)
    raise typer.Exit(0 if report.ok else 1)


def start() -> None:
    """Run unattended: Postgres, the Prefect server with its schedules, and a worker, until Ctrl-C."""
    from cli.screen import log_to_terminal
    from config import load_settings

    settings = load_settings()
    log_to_terminal(logging.INFO)
    from runtime.stack.unattended import run_stack

    raise typer.Exit(run_stack(settings))
