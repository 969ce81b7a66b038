"""How a phase ended: plain values that a flow may store, show and pass on."""

from __future__ import annotations

from dataclasses import dataclass

from runtime.host import Host


@dataclass(frozen=True, slots=True)
class PhaseReport:
    """`ok` is False when a person must look; `summary` says why, in a sentence."""

    ok: bool
    summary: str


@dataclass(frozen=True, slots=True)
class StartupReport(PhaseReport):
    """The broker has been read back and compared with the journal."""

    session: str


@dataclass(frozen=True, slots=True)
class WarmUpReport(PhaseReport):
    """`ready` are the tickers whose ATR is ready; on the first day of recorded data none may be."""

    ready: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class IntradayReport(PhaseReport):
    """The loop has ended; `trades` are the round trips of the day."""

    trades: int


@dataclass(frozen=True, slots=True)
class FlattenReport(PhaseReport):
    """Verified by the broker: `flat`, with `working_orders` of the session left."""

    flat: bool
    working_orders: int


@dataclass(frozen=True, slots=True)
class ReconcileReport(PhaseReport):
    """What the comparison of the day with the broker found and did."""

    executions: int
    added: int  # rows that the database had missed
    breaks: int  # differences that nothing explains
    flat: bool
    working_orders: int


def describe(host: Host) -> str:
    """The session in a sentence."""
    engine = host.session.engine
    held = ", ".join(f"{shares:+d} {ticker}" for ticker, shares in engine.positions().items() if shares) or "flat"
    return f"{engine.state.phase}, {held}, {engine.working_orders()} orders working, P&L {engine.daily_pnl():+.2f}"
