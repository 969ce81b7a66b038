"""A day on which broker and database agree, written by hand, not by the code under test."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from hypothesis import strategies as st

from core.orders import Execution, PositionRow
from core.reconciliation import BrokerDay, CommissionRow, DatabaseDay
from core.records import Trade
from core.vocabulary import ExitReason, Leg, Side
from tests.support.fills import SESSION, execution

Fills = list[tuple[int, str, str]]
"""(shares, price, commission) of one order, dollars as text."""


@dataclass
class Day:
    """What happened, round trip by round trip; a second of broker's time per fill."""

    executions: list[Execution] = field(default_factory=list)
    commissions: list[CommissionRow] = field(default_factory=list)
    trades: list[Trade] = field(default_factory=list)

    def trade(self, ticker: str, side: Side, entries: Fills, exits: Fills) -> None:
        """Enter and leave; the broker tells the whole net P&L with the last exit, nothing with the entries."""
        number = len(self.trades) + 1
        legs = [(side.entry_action, Leg.ENTRY, fill) for fill in entries]
        legs += [(side.exit_action, Leg.TARGET, fill) for fill in exits]
        bought, sold = (sum(shares * Decimal(price) for shares, price, _ in fills) for fills in (entries, exits))
        gross = (sold - bought) * side.sign
        commissions = sum((Decimal(cost) for *_, cost in entries + exits), Decimal(0))
        opened_ms = len(self.executions) * 1000
        for place, (action, leg, (shares, price, cost)) in enumerate(legs, start=1):
            exec_id = f"0001.{len(self.executions):04x}.01.01"
            at_ms = len(self.executions) * 1000
            self.executions.append(execution(exec_id, action, shares, price, at_ms, number, leg, ticker))
            realized = None if leg is Leg.ENTRY else gross - commissions if place == len(legs) else Decimal(0)
            self.commissions.append(CommissionRow(exec_id, Decimal(cost), realized))
        held = sum(shares for shares, *_ in entries)
        self.trades.append(
            Trade(
                session=SESSION,
                number=number,
                ticker=ticker,
                side=side,
                shares=held,
                opened_ms=opened_ms,
                closed_ms=(len(self.executions) - 1) * 1000,
                entry_price=bought / held,
                exit_price=sold / held,
                gross_pnl=gross,
                commissions=commissions,
                exit_reason=ExitReason.TARGET,
                atr=0.1,
                capital_efficiency=1.0,
                unprotected_ms=0,
            )
        )

    @property
    def broker(self) -> BrokerDay:
        """As the broker tells it; a zero position is still listed, as IB does."""
        return BrokerDay(tuple(self.executions), tuple(self.commissions), (PositionRow("SOXL", 0, Decimal(0)),))

    @property
    def database(self) -> DatabaseDay:
        """As the database has it."""
        return DatabaseDay(SESSION, tuple(self.executions), tuple(self.commissions), tuple(self.trades))


@st.composite
def settled_days(draw: st.DrawFn) -> Day:
    """Up to four round trips in two tickers, filled in parts."""
    day = Day()
    for _ in range(draw(st.integers(1, 4))):
        sizes = draw(st.lists(st.integers(1, 200), min_size=1, max_size=3))
        total = sum(sizes)
        cut = draw(st.integers(0, total - 1))
        parts = [size for size in (cut, total - cut) if size]
        price = st.integers(1_00, 500_00).map(lambda cents: f"{cents / 100:.2f}")
        cost = st.integers(-50, 300).map(lambda cents: f"{cents / 100:.2f}")
        day.trade(
            draw(st.sampled_from(["SOXL", "GLD"])),
            draw(st.sampled_from(Side)),
            [(size, draw(price), draw(cost)) for size in sizes],
            [(size, draw(price), draw(cost)) for size in parts],
        )
    return day
