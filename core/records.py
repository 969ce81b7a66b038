"""What the engine leaves behind for people: decisions, trades, alerts."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from core.fast_init import fast_init
from core.vocabulary import ExitReason, Outcome, Refusal, Severity, Side


@fast_init
@dataclass(frozen=True, slots=True)
class Decision:
    """The one recorded answer to one prediction, with the values that decided."""

    at_ms: int
    number: int  # running number within the session
    ticker: str
    prediction_key: str
    signal: str
    confidence: float | None
    outcome: Outcome
    refusal: Refusal | None  # None unless refused
    values: tuple[tuple[str, str], ...] = ()  # name -> figure, as text, sorted by name
    order_ref: str = ""  # the entry order, where one was placed
    side: Side | None = None
    shares: int = 0
    price: Decimal | None = None
    atr: float | None = None
    capital_efficiency: float | None = None  # shares x decision price / dollars

    @property
    def explanation(self) -> str:
        """One sentence for people, with the figures."""
        named = ", ".join([f"{name} {figure}" for name, figure in self.values])
        figures = f" ({named})" if named else ""
        if self.refusal is not None:
            return f"Refused: {self.refusal}{figures}."
        return f"{self.outcome}: {self.side} {self.shares} at {self.price}{figures}."


@dataclass(frozen=True, slots=True)
class Trade:
    """A round trip, flat to flat. P&L in dollars; `commissions` is None while any commission is pending."""

    session: str
    number: int  # running number within the session
    ticker: str
    side: Side
    shares: int  # the most held
    opened_ms: int
    closed_ms: int
    entry_price: Decimal  # average of all entry fills
    exit_price: Decimal  # average of all exit fills
    gross_pnl: Decimal
    commissions: Decimal | None
    exit_reason: ExitReason
    atr: float | None
    capital_efficiency: float | None
    unprotected_ms: int  # market time in which working stops did not cover the position
    adds: int = 0

    @property
    def net_pnl(self) -> Decimal | None:
        """Gross less commissions; None while a commission is pending."""
        return None if self.commissions is None else self.gross_pnl - self.commissions


@dataclass(frozen=True, slots=True)
class Alert:
    """A notice to a person. `key` groups repetitions: one alert per key until it is cleared."""

    at_ms: int
    severity: Severity
    key: str
    title: str
    text: str
