"""Commands for a live session: flatten, suspend, resume, stop, status."""

from __future__ import annotations

import asyncio
import logging
from typing import Annotated

import typer

from cli.day import Date, or_today

Json = Annotated[bool, typer.Option("--json", help="For programs.")]


def register(app: typer.Typer) -> None:
    """Add the subcommands of this file."""
    for command in (flatten, suspend, resume, stop, status):
        app.command()(command)


def flatten(
    tickers: Annotated[str, typer.Option(metavar="A,B", help="Only these; else all that the session owns.")] = "",
    account: Annotated[bool, typer.Option("--account", help="Everything in the account, foreign shares too.")] = False,
    date: Date = None,
) -> None:
    """Go flat and verify it with the broker; works with or without a live session."""
    if tickers and account:
        raise typer.BadParameter("--tickers or --account, not both")
    from cli.screen import complain, log_to_terminal, say
    from config import load_settings

    settings = load_settings()
    names = tuple(name.strip().upper() for name in tickers.split(",") if name.strip())
    if unknown := set(names).difference(settings.tickers):
        allowed = ", ".join(settings.tickers)
        raise typer.BadParameter(
            f"not traded here: {', '.join(sorted(unknown))}; allowed are {allowed}. Nothing was closed"
        )
    log_to_terminal(logging.WARNING)
    if account:
        _confirm(settings.account)
    from broker.errors import BrokerError
    from runtime.flatten import flatten as go_flat

    try:
        report = asyncio.run(go_flat(settings, or_today(date), names, account, requested_by="trader flatten"))
    except BrokerError:
        complain("NOT KNOWN TO BE FLAT. When this does not pass soon: log in to TWS or IBKR Mobile and close there.")
        raise
    say(report.summary)
    raise typer.Exit(0 if report.ok else 1)


def suspend(date: Date = None) -> None:
    """Stop entries; protection and exits go on."""
    _command("suspend", date)


def resume(date: Date = None) -> None:
    """Allow entries again. A halt by risk stays."""
    _command("resume", date)


def stop(date: Date = None) -> None:
    """Flatten, verify, and end the session early."""
    _command("stop", date)


def status(date: Date = None, as_json: Json = False) -> None:
    """How the live session stands: phase, positions, P&L."""
    _command("status", date, as_json)


def _confirm(account: str) -> None:
    typed = typer.prompt(f"This closes EVERYTHING in the account and cancels all its orders. Type {account} to go on")
    if typed.strip() != account:
        raise typer.BadParameter(f"{typed!r} is not {account}: nothing was touched")


def _command(word: str, date: str | None, as_json: bool = False) -> None:
    from cli.screen import complain, say, show_json
    from config import load_settings

    settings = load_settings()
    from runtime.commands import command_session

    answer = asyncio.run(command_session(settings, word, or_today(date), requested_by=f"trader {word}"))
    if as_json:
        show_json(answer.model_dump(mode="json"))
    elif not answer.accepted:
        complain(answer.problem)
    else:
        say(answer.sentence())
    raise typer.Exit(0 if answer.accepted else 1)
