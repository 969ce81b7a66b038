"""Looking things up: `trader config`, `trader trades`, `trader decisions`."""

from __future__ import annotations

import typer

from cli.day import Date
from cli.session import Json


def register(app: typer.Typer) -> None:
    """Add the subcommands of this file."""
    for command in (config, trades, decisions):
        app.command()(command)


def config(as_json: Json = False) -> None:
    """The settings in force and where each came from."""
    from dataclasses import asdict

    from cli.screen import show_json, show_rows
    from config.effective import effective
    from config.load import load_with_origins

    settings, origins = load_with_origins()
    rows = [asdict(row) for row in effective(settings, origins)]
    tickers = [asdict(row) for row in settings.params().tickers]
    if as_json:
        show_json({"settings": {row.pop("name"): row for row in rows}, "tickers": tickers})
        return
    show_rows("Settings (TRADER_<NAME> in the environment)", rows, ("name", "value", "origin", "meaning"))
    show_rows("Tickers", tickers, tuple(tickers[0]))


def trades(date: Date = None, as_json: Json = False) -> None:
    """The round trips of a day (default: the latest with any), from Postgres."""
    _show("trades", date, as_json)


def decisions(date: Date = None, as_json: Json = False) -> None:
    """What was made of every prediction of a day, and why, from Postgres."""
    _show("decisions", date, as_json)


def _show(what: str, date: str | None, as_json: bool) -> None:
    from cli.screen import say, show_json, show_rows
    from config import load_settings

    settings = load_settings()
    from runtime.records import read_day

    day, rows = read_day(settings, what, date)
    if as_json:
        show_json(rows)
    elif rows:
        show_rows(f"{what.capitalize()} of {day}", rows, tuple(rows[0]))
    else:
        say(f"no {what}" + (f" on {day}" if day else " yet: `trader demo` makes some"))
