"""How the command line speaks: plain sentences, tables for people, JSON for programs."""

from __future__ import annotations

import datetime
import json
import logging
import sys
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from enum import Enum
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"

PIPED_COLUMNS = 200
"""Where no terminal says how wide it is, tables are not squeezed."""

console = Console(width=None if sys.stdout.isatty() else PIPED_COLUMNS)
errors = Console(stderr=True)


def log_to_terminal(level: int) -> None:
    """Write the log's lines to stderr, without ib_async's (the broker says them in our words) and alembic's chatter."""
    logging.basicConfig(level=level, format=LOG_FORMAT, force=True)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    logging.getLogger("ib_async").setLevel(logging.CRITICAL + 1)


def say(text: str) -> None:
    """Print a sentence."""
    console.print(text, markup=False, highlight=False, soft_wrap=True)


def complain(text: str) -> None:
    """Print what went wrong, to stderr."""
    errors.print(text, style="red", markup=False, highlight=False, soft_wrap=True)


def show_json(value: Any) -> None:
    """Print JSON and nothing else; numbers of money as text, so that no cent is lost."""
    sys.stdout.write(json.dumps(value, indent=2, default=_plain) + "\n")


def show_rows(title: str, rows: Sequence[Mapping[str, Any]], columns: Iterable[str]) -> None:
    """Print rows as a table; numbers are aligned at their right."""
    names = list(columns)
    table = Table(title=title, title_justify="left", header_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for name in names:
        is_number = any(isinstance(row.get(name), int | float | Decimal) for row in rows)
        table.add_column(name.replace("_", " "), justify="right" if is_number else "left", overflow="fold")
    for row in rows:
        table.add_row(*(_cell(row.get(name)) for name in names))
    console.print(table)


def _cell(value: object) -> str:
    match value:
        case None:
            return ""
        case datetime.datetime():
            return f"{value:%H:%M:%S}"
        case float():
            return f"{value:.6g}"
        case Decimal():
            return f"{value:,.2f}" if value == round(value, 2) else f"{value:,.4f}"
        case _:
            return str(value)


def _digits(value: Decimal) -> str:
    return f"{value.normalize():f}"


def _plain(value: object) -> object:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Decimal):
        return _digits(value)
    return str(value) if not isinstance(value, tuple | set | frozenset) else list(value)
