"""The database: `trader db`, `trader migration`, `trader backup` and `trader restore`."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from cli.day import or_today
from cli.look import OfDemo, settings_for


def register(app: typer.Typer) -> None:
    """Add the subcommands of this file."""
    for command in (db, migration, backup, restore):
        app.command()(command)


def db(
    sql: Annotated[str, typer.Option("--sql", help="One statement instead of a prompt.")] = "", of_demo: OfDemo = False
) -> None:
    """Open psql on the project's database; the embedded one is started for as long as needed."""
    settings = settings_for(of_demo)
    from runtime.database import open_psql

    raise typer.Exit(open_psql(settings, sql))


def migration(name: Annotated[str, typer.Argument(help="What it does, in a few words.")]) -> None:
    """Write a migration from the difference between the models and the database."""
    from cli.screen import say
    from config import load_settings

    settings = load_settings()
    from runtime.database import write_migration

    say(str(write_migration(settings, name)))


def backup() -> None:
    """Write today's backup of the embedded database, as the schedule does at 17:00."""
    from cli.screen import say
    from config import load_settings

    settings = load_settings()
    from runtime.backup import back_up

    say(asyncio.run(back_up(settings, or_today(None))).summary)


def restore(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A file that `trader backup` wrote.")],
) -> None:
    """Put a backup in the place of the embedded database; the present one is set aside, not deleted."""
    from cli.screen import say
    from config import load_settings

    settings = load_settings()
    from runtime import backup

    say(backup.restore(settings, file))
