"""Looking things up: `trader config`, `trader trades`, `trader decisions`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.day import Date
from cli.session import Json

if TYPE_CHECKING:
    from config import Settings

OfDemo = Annotated[bool, typer.Option("--demo", help="Of the latest `trader demo`.")]


def register(app: typer.Typer) -> None:
    """Add the subcommands of this file."""
    for command in (config, trades, decisions):
        app.command()(command)


def settings_for(of_demo: bool) -> Settings:
    """The settings, with the demo's own database in the place of the usual one where that is asked for."""
    from config import load_settings

    settings = load_settings()
    if not of_demo:
        return settings
    return load_settings({"state_folder": settings.state_folder / "demo", "database_url": None})


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


def trades(date: Date = None, of_demo: OfDemo = False, as_json: Json = False) -> None:
    """The round trips of a day, from Postgres."""
    columns = "number ticker side shares opened closed entry_price exit_price exit_reason commissions net_pnl"
    rows = _show("trades", columns, date, of_demo, as_json)
    if rows and not as_json:
        from cli.screen import say
        from config import load_settings
        from runtime.summary import break_even_note, trades_in_words

        for words in trades_in_words(rows):
            say(words)
        say(break_even_note(load_settings()))


def decisions(date: Date = None, of_demo: OfDemo = False, as_json: Json = False) -> None:
    """What was made of every prediction of a day, and why, from Postgres."""
    _show("decisions", "number at ticker signal confidence outcome refusal explanation", date, of_demo, as_json)


def _show(what: str, columns: str, date: str | None, of_demo: bool, as_json: bool) -> list[dict[str, Any]]:
    from cli.screen import say, show_json, show_rows

    settings = settings_for(of_demo)
    from runtime.records import read_day

    day, rows = read_day(settings, what, date)
    rows.sort(key=lambda row: (row["account"], row["number"]))
    if len({row["account"] for row in rows}) > 1:
        columns = f"account {columns}"
    title = what.capitalize()
    if as_json:
        show_json(rows)
    elif rows:
        shown = [{name.removesuffix("_eastern"): value for name, value in row.items()} for row in rows]
        show_rows(f"{title} of {day}, by the clock in New York", shown, columns.split())
    else:
        say(f"{title}: none" + (f" on {day}" if day else " yet; `trader demo` makes some, then --demo shows them"))
    return rows
