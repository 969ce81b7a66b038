"""Cash and positions, exact: every sum is an integer of 1/10,000 dollar.

The law that always holds: cash + cost of open positions = opening cash + realised P&L, where cost includes the
commissions of the opening fills and realised P&L is net of commissions, as at IB.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from simulator.model import Money, Price


@dataclass(frozen=True, slots=True)
class Fill:
    """One booked fill: signed shares, price, commission."""

    exec_id: str
    con_id: int
    shares: int
    price: Price
    commission: Money


@dataclass(slots=True)
class Holding:
    """Signed shares and what they cost (negative for a short: what it brought)."""

    quantity: int = 0
    cost: Money = 0
    realized: Money = 0


class Ledger:
    """The books of one account."""

    def __init__(self, opening_cash: Money) -> None:
        self.opening_cash = opening_cash
        self.fills: list[Fill] = []
        self._clear()

    def _clear(self) -> None:
        self.cash: Money = self.opening_cash
        self.commissions: Money = 0
        self.holdings: dict[int, Holding] = {}
        self.realized_by_fill: list[Money | None] = []
        """Beside `fills`: what each one realised, None when it closed nothing."""

    def quantity(self, con_id: int) -> int:
        """Signed shares held."""
        holding = self.holdings.get(con_id)
        return holding.quantity if holding is not None else 0

    @property
    def realized(self) -> Money:
        """Realised P&L of all instruments, net of commissions."""
        return sum(holding.realized for holding in self.holdings.values())

    def book(self, fill: Fill) -> None:
        """Book a fill."""
        self.fills.append(fill)
        self._apply(fill)

    def correct(self, exec_id: str, new_exec_id: str, price: Price) -> None:
        """Put another price on a booked fill and book all later ones anew. KeyError when it is not booked."""
        places = [index for index, fill in enumerate(self.fills) if fill.exec_id == exec_id]
        if not places:
            raise KeyError(exec_id)
        self.fills[places[0]] = replace(self.fills[places[0]], exec_id=new_exec_id, price=price)
        self._clear()
        for fill in self.fills:
            self._apply(fill)

    def _apply(self, fill: Fill) -> None:
        holding = self.holdings.setdefault(fill.con_id, Holding())
        self.cash -= fill.shares * fill.price + fill.commission
        self.commissions += fill.commission
        closing = _closing_shares(holding.quantity, fill.shares)
        closing_commission = fill.commission * abs(closing) // abs(fill.shares)
        realized: Money | None = None
        if closing:
            basis = holding.cost * abs(closing) // abs(holding.quantity)
            realized = -closing * fill.price - basis - closing_commission
            holding.cost -= basis
            holding.realized += realized
        holding.cost += (fill.shares - closing) * fill.price + fill.commission - closing_commission
        holding.quantity += fill.shares
        self.realized_by_fill.append(realized)


def _closing_shares(quantity: int, shares: int) -> int:
    """The signed part of a fill that reduces a position."""
    if quantity * shares >= 0:
        return 0
    return shares if abs(shares) <= abs(quantity) else -quantity
