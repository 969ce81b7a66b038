"""The report of a day as one HTML file that needs nothing else: figures, the curve of the P&L, trades, refusals."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from config import Settings
from core.records import Trade
from db.queries import read_view, trades
from runtime.calendar import eastern_clock
from runtime.planning import plan_for
from runtime.summary import DaySummary, break_even_note

WIDTH: Final = 900
HEIGHT: Final = 220
MARGIN: Final = 8


@dataclass(frozen=True, slots=True)
class Curve:
    """Net P&L after each trade, as points of an SVG of WIDTH x HEIGHT, with the height of zero dollars."""

    points: str
    zero_y: float
    lowest: Decimal
    highest: Decimal


def write_report(settings: Settings, summary: DaySummary, file: Path) -> None:
    """Write the day's report. Raises DatabaseError when the database is away."""
    assert settings.database_url is not None
    url = settings.database_url.get_secret_value()
    plan = plan_for(settings, summary.session_date)
    made = trades(url, plan.session)
    environment = Environment(
        loader=PackageLoader("runtime"), autoescape=select_autoescape(default=True), undefined=StrictUndefined
    )
    page = environment.get_template("report.html.j2").render(
        summary=summary,
        break_even=break_even_note(settings),
        plan=plan,
        trades=made,
        curve=pnl_curve(made, plan.open_ms, plan.closure_ms),
        refusals=read_view(url, "v_decisions_refused", trade_date=datetime.date.fromisoformat(summary.session_date)),
        tickers=read_view(url, "v_ticker_pnl", trade_date=datetime.date.fromisoformat(summary.session_date)),
        eastern=eastern_clock,
        width=WIDTH,
        height=HEIGHT,
    )
    file.write_text(page, encoding="utf-8")


def pnl_curve(made: Sequence[Trade], begin_ms: int, end_ms: int) -> Curve:
    """Steps of the summed net P&L (gross where a commission is pending) from `begin_ms` to `end_ms` (UTC epoch ms)."""
    sums = [Decimal(0)]
    times = [begin_ms]
    for trade in sorted(made, key=lambda trade: trade.closed_ms):
        net = trade.gross_pnl if trade.net_pnl is None else trade.net_pnl
        times += [trade.closed_ms, trade.closed_ms]
        sums += [sums[-1], sums[-1] + net]
    times.append(max(end_ms, times[-1]))
    sums.append(sums[-1])
    lowest, highest = min(sums), max(sums)
    span = float(highest - lowest) or 1.0

    def x(at_ms: int) -> float:
        return MARGIN + (WIDTH - 2 * MARGIN) * (at_ms - begin_ms) / (times[-1] - begin_ms)

    def y(amount: Decimal) -> float:
        return MARGIN + (HEIGHT - 2 * MARGIN) * float(highest - amount) / span

    points = " ".join(f"{x(at_ms):.1f},{y(amount):.1f}" for at_ms, amount in zip(times, sums, strict=True))
    return Curve(points, round(y(Decimal(0)), 1), lowest, highest)
