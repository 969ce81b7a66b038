"""The account: its books marked to the market, margin, and everything TWS reports of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal

from simulator.account.commissions import CommissionPlan
from simulator.account.ledger import Ledger
from simulator.model import UNITS_PER_DOLLAR, BaseCurrency, Instrument, Money, PnL, PnLSingle, PositionRow, Price


@dataclass(frozen=True, slots=True)
class MarginState:
    """Equity and what positions demand of it, in Money."""

    equity: Money
    initial: Money
    maintenance: Money


class Account:
    """Books plus marks. `mark` gives an instrument's present price (0: none yet, its cost stands in)."""

    def __init__(
        self,
        name: str,
        opening_cash: Money,
        instruments: Iterable[Instrument],
        mark: Callable[[Instrument], Price],
        plan: CommissionPlan,
        cash_only: bool,
        base: BaseCurrency,
    ) -> None:
        self.name = name
        self.ledger = Ledger(opening_cash)
        self.plan = plan
        self.cash_only = cash_only
        self.base = base
        self._instruments = {item.con_id: item for item in instruments}
        self._mark = mark
        self._day_start: dict[int, Money] = {}  # con_id: realised + unrealised P&L when the day began
        self._day_start_realized: dict[int, Money] = {}
        self.previous_equity: Money = opening_cash

    def start_day(self) -> None:
        """The day's P&L counts from here."""
        self._day_start = {con_id: self._total_pnl(con_id) for con_id in self.ledger.holdings}
        self._day_start_realized = {con_id: holding.realized for con_id, holding in self.ledger.holdings.items()}
        self.previous_equity = self.margin().equity

    # ---- positions and P&L ------------------------------------------------------------------------------------
    def row(self, instrument: Instrument) -> PositionRow:
        """The position in one instrument, also when flat."""
        holding = self.ledger.holdings.get(instrument.con_id)
        quantity, cost = (holding.quantity, holding.cost) if holding is not None else (0, 0)
        price = self._mark(instrument)
        return PositionRow(
            account=self.name,
            instrument=instrument,
            quantity=quantity,
            average_cost=round(cost / quantity / UNITS_PER_DOLLAR, 8) if quantity else 0.0,
            market_price=price,
            market_value=self._value(instrument.con_id),
            unrealized_pnl=self._unrealized(instrument.con_id),
            realized_pnl=self._realized_today(instrument.con_id),
        )

    def rows(self) -> list[PositionRow]:
        """Positions that are not flat or that were traded today."""
        rows = [self.row(self._instruments[con_id]) for con_id in self.ledger.holdings]
        return [row for row in rows if row.quantity or row.realized_pnl]

    def pnl(self) -> PnL:
        """The whole account's."""
        singles = [self.pnl_single(con_id) for con_id in self.ledger.holdings]
        return PnL(
            sum(single.daily for single in singles),
            sum(single.unrealized for single in singles),
            sum(single.realized for single in singles),
        )

    def pnl_single(self, con_id: int) -> PnLSingle:
        """One instrument's; zeros when it was never held."""
        return PnLSingle(
            position=self.ledger.quantity(con_id),
            daily=self._total_pnl(con_id) - self._day_start.get(con_id, 0),
            unrealized=self._unrealized(con_id),
            realized=self._realized_today(con_id),
            value=self._value(con_id),
        )

    def _value(self, con_id: int) -> Money:
        holding = self.ledger.holdings.get(con_id)
        if holding is None or holding.quantity == 0:
            return 0
        price = self._mark(self._instruments[con_id])
        return holding.quantity * price if price else holding.cost

    def _unrealized(self, con_id: int) -> Money:
        holding = self.ledger.holdings.get(con_id)
        return self._value(con_id) - holding.cost if holding is not None and holding.quantity else 0

    def _realized_today(self, con_id: int) -> Money:
        holding = self.ledger.holdings.get(con_id)
        return holding.realized - self._day_start_realized.get(con_id, 0) if holding is not None else 0

    def _total_pnl(self, con_id: int) -> Money:
        holding = self.ledger.holdings.get(con_id)
        return holding.realized + self._unrealized(con_id) if holding is not None else 0

    # ---- margin -----------------------------------------------------------------------------------------------
    def margin(self, changes: dict[int, int] | None = None, cost: Money = 0) -> MarginState:
        """Equity and requirements, as they would be after `changes` (con_id: signed shares) with fees of `cost`."""
        quantities = {con_id: holding.quantity for con_id, holding in self.ledger.holdings.items()}
        for con_id, shares in (changes or {}).items():
            quantities[con_id] = quantities.get(con_id, 0) + shares
        initial = maintenance = Decimal(0)
        for con_id, quantity in quantities.items():
            instrument = self._instruments[con_id]
            exposure = abs(quantity) * self._mark(instrument)
            initial += exposure * (Decimal(1) if self.cash_only else instrument.initial_margin_rate)
            maintenance += exposure * (Decimal(1) if self.cash_only else instrument.maintenance_margin_rate)
        equity = self.ledger.cash + sum(self._value(con_id) for con_id in self.ledger.holdings) - cost
        return MarginState(equity, int(initial), int(maintenance))

    def gross_position_value(self) -> Money:
        """Sum of the absolute values of all positions."""
        return sum(abs(self._value(con_id)) for con_id in self.ledger.holdings)

    def net_position_value(self) -> Money:
        """Sum of the signed values of all positions."""
        return sum(self._value(con_id) for con_id in self.ledger.holdings)
