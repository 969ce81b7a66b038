"""`trader`: the subcommands, and how errors become sentences and exit codes.

Exit codes: 0 done, 1 failed, 2 refused settings or arguments, 3 the broker or the stack is not reachable, 130 Ctrl-C.
"""

from __future__ import annotations

import sys

import typer

from cli import database, day, gateway, look, session, setup

EXIT_SETTINGS = 2
EXIT_UNREACHABLE = 3
EXIT_INTERRUPTED = 130

app = typer.Typer(
    name="trader",
    help="Unattended intraday trading through Interactive Brokers. Begin with `trader demo`.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
for part in (day, session, look, gateway, setup, database):
    part.register(app)


def run() -> None:
    """The entry point of the `trader` script."""
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)
    except Exception as error:
        if _is_expected(error):
            sys.exit(_explain(error))
        raise


def _is_expected(error: Exception) -> bool:
    if isinstance(error, OSError) and error.filename is None:
        return False  # no file is at fault: the traceback tells more
    return any(_name(kind) in EXPECTED for kind in type(error).__mro__)


def _explain(error: Exception) -> int:
    """Say in words what went wrong; the exit code."""
    from cli.screen import complain

    title, code = next(EXPECTED[name] for name in map(_name, type(error).__mro__) if name in EXPECTED)
    complain(title)
    for line in _words(error).splitlines():
        complain(f"  {line}")
    return code


def _words(error: Exception) -> str:
    """The error's own text; the driver's where SQLAlchemy wraps it in its class and an address of its manual."""
    return str(getattr(error, "orig", None) or error)


def _name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__name__}"


EXPECTED = {
    "config.problems.SettingsError": ("The settings do not allow a start:", EXIT_SETTINGS),
    "runtime.sources.NoPredictionSource": ("The settings do not allow a start:", EXIT_SETTINGS),
    "runtime.probe.NotProbed": ("The settings do not allow a start:", EXIT_SETTINGS),
    "runtime.backup.NoOwnBackup": ("The settings do not allow this:", EXIT_SETTINGS),
    "runtime.probe.ProbeRefused": ("The settings do not allow this:", EXIT_SETTINGS),
    "predictions.recorded.RecordedPredictionsUnreadable": ("The recorded predictions are of no use:", EXIT_SETTINGS),
    "broker.errors.BrokerError": ("The broker does not do it:", EXIT_UNREACHABLE),
    "runtime.control.SessionUnreachable": ("The session is not reachable:", EXIT_UNREACHABLE),
    "runtime.stack.processes.StackError": ("A part of the local stack does not do it:", EXIT_UNREACHABLE),
    "sqlalchemy.exc.SQLAlchemyError": ("The database does not do it:", EXIT_UNREACHABLE),
    "db.migrate.DatabaseTooNew": ("The database is of another version:", EXIT_UNREACHABLE),
    "db.journal.JournalError": ("The session's journal is of no use:", 1),
    "builtins.OSError": ("A file or folder cannot be used (TRADER_STATE_FOLDER says where ours are):", 1),
    "runtime.planning.MarketClosed": ("There is nothing to trade:", 1),
    "runtime.holder.SessionAlreadyRunning": ("This day is being traded already:", 1),
}
"""Errors that are answers, by name, so that nothing heavy is imported to compare with: (title, exit code)."""
