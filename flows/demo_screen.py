"""What a demonstration shows: steps, the day as it goes, the summary, and where to look next."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table

from core.params import SessionPlan
from runtime.calendar import eastern_clock
from runtime.control import ControlAnswer
from runtime.summary import DaySummary

PLAIN_EVERY_MINUTES = 30
"""Without a terminal: one line for so much of the simulated day."""

SQL_TO_TRY = (
    "SELECT ticker, side, shares, entry_price, exit_price, exit_reason, net_pnl FROM v_trades ORDER BY opened_eastern"
)


class DemoScreen:
    """Writes to the terminal: a live line where there is one, plain lines elsewhere."""

    def __init__(self) -> None:
        self._console = Console()
        self._live: Live | None = None
        self._said_minute = -PLAIN_EVERY_MINUTES

    def step(self, text: str) -> None:
        """Tick off a step."""
        self._console.print(f"  [green]✓[/green] {text}", highlight=False)

    def say(self, text: str) -> None:
        """Print a sentence."""
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    def progress(self, plan: SessionPlan, status: ControlAnswer) -> None:
        """Show time of day, phase, positions and P&L."""
        if self._console.is_terminal:
            if self._live is None:
                self._live = Live(console=self._console, transient=True, auto_refresh=False)
                self._live.start()
            self._live.update(_progress_table(plan, status), refresh=True)
            return
        minute = (status.at_ms - plan.open_ms) // 60_000
        if minute >= self._said_minute + PLAIN_EVERY_MINUTES:
            self._said_minute = minute
            self.say(f"  {eastern_clock(status.at_ms)}  {status.sentence()}")

    def summary(self, summary: DaySummary, state: str, message: str, memory_mb: float, note: str) -> None:
        """Show what the day came to."""
        if self._live is not None:
            self._live.stop()
        table = Table(
            title=f"{summary.session_date}, {summary.market}: {state}", title_justify="left", show_header=False
        )
        table.add_column(style="bold")
        table.add_column(justify="right")
        for name, value in _lines(summary, memory_mb):
            table.add_row(name, value)
        self._console.print(table)
        if not summary.clean or state != "Done":
            self._console.print(f"[red]{message}[/red]", highlight=False)
        self._console.print(note, highlight=False)
        if summary.market == "synthetic":
            self._console.print("The market was synthetic: it exercises the system and judges no strategy.")

    def where_next(self, ui_url: str, folder: Path, report: Path, *, keep: bool) -> None:
        """Say where to look."""
        self._console.print("\n[bold]Where to look next[/bold]")
        for line in (
            "trades      .venv/bin/trader trades --demo",
            "decisions   .venv/bin/trader decisions --demo",
            f'your SQL    .venv/bin/trader db --demo --sql "{SQL_TO_TRY}"',
            f"report      {report}",
            f"logs        {folder}",
        ):
            self.say(f"  {line}")
        if keep:
            self.say(f"  Prefect     {ui_url} (Ctrl-C stops everything)")
        else:
            self.say(f"  Prefect     {ui_url} while it runs: `trader demo --keep` leaves it up until Ctrl-C")


def _progress_table(plan: SessionPlan, status: ControlAnswer) -> Table:
    held = "  ".join(f"{ticker} {shares:+d}" for ticker, shares in status.positions.items() if shares) or "flat"
    table = Table.grid(padding=(0, 2))
    table.add_row(
        f"[bold]{eastern_clock(status.at_ms)}[/bold]",
        ProgressBar(total=plan.closure_ms - plan.open_ms, completed=max(0, status.at_ms - plan.open_ms), width=30),
        status.phase,
        f"{status.trades} trades",
        f"P&L {status.pnl}",
        held,
    )
    return table


def _lines(summary: DaySummary, memory_mb: float) -> list[tuple[str, str]]:
    def percent(part: float | None) -> str:
        return "none" if part is None else f"{part:.1%}"

    return [
        ("tickers", ", ".join(summary.tickers)),
        ("trades / executions", f"{summary.trades} / {summary.executions}"),
        ("win rate (after costs)", percent(summary.win_rate)),
        ("P&L gross", f"{summary.gross_pnl:+,.2f}"),
        ("commissions", f"{summary.commissions:,.2f}"),
        ("P&L net", f"{summary.net_pnl:+,.2f}"),
        ("capital efficiency, least", percent(summary.capital_efficiency_min)),
        ("time unprotected, most", f"{summary.unprotected_seconds_max:g} s"),
        ("at the end", f"{'flat' if summary.flat else 'NOT FLAT'}, {summary.working_orders_left} orders working"),
        ("reconciliation", "clean" if summary.breaks == 0 else f"{summary.breaks} breaks"),
        ("took", f"{summary.duration_seconds:.0f} s, {memory_mb:.0f} MB in the session's process"),
    ]
