"""Is everything in place? `trader doctor` and `trader probe-broker`."""

from __future__ import annotations

import asyncio
import logging

import typer


def register(app: typer.Typer) -> None:
    """Add the subcommands of this file."""
    app.command()(doctor)
    app.command()(probe_broker)


def doctor() -> None:
    """Check everything that a session needs, and say in words what is missing."""
    from cli.screen import log_to_terminal, show_rows
    from config import load_settings

    settings = load_settings()
    log_to_terminal(logging.ERROR)
    from runtime.doctor import examine

    findings = asyncio.run(examine(settings))
    rows = [{"check": found.check, "": "ok" if found.is_ok else "NO", "finding": found.words} for found in findings]
    show_rows("Doctor", rows, ("check", "", "finding"))
    raise typer.Exit(0 if all(found.is_ok for found in findings) else 1)


def probe_broker() -> None:
    """Ask a paper account, with one share, how its broker treats orders; real money waits for the answers."""
    from dataclasses import asdict

    from cli.screen import log_to_terminal, say, show_rows
    from config import load_settings

    settings = load_settings()
    log_to_terminal(logging.WARNING)
    from runtime.probe import probe, report_file

    report = asyncio.run(probe(settings))
    rows = [asdict(fact) for fact in report.facts]
    show_rows(f"What the broker of {report.account} does with orders", rows, ("number", "name", "answer", "evidence"))
    say(f"stored in {report_file(settings)}")
