"""What a reconciliation compares and what it finds."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from core.orders import Execution, PositionRow
from core.records import Trade


@dataclass(frozen=True, slots=True)
class CommissionRow:
    """What a commission report said, dollars. `realized_pnl`, of closing executions only, is net of commissions."""

    exec_id: str
    commission: Decimal | None
    realized_pnl: Decimal | None = None


@dataclass(frozen=True, slots=True)
class BrokerDay:
    """The day as the broker tells it after the close; executions of others in the session's tickers too."""

    executions: tuple[Execution, ...]
    commissions: tuple[CommissionRow, ...]
    positions: tuple[PositionRow, ...]


@dataclass(frozen=True, slots=True)
class DatabaseDay:
    """The day as the database has it; `positions_before` is what the account had that is not the session's.

    Executions of others in the session's tickers are among them; of other tickers only their sum is, in
    `positions_before`.
    """

    session: str
    executions: tuple[Execution, ...]
    commissions: tuple[CommissionRow, ...]
    trades: tuple[Trade, ...]
    positions_before: tuple[PositionRow, ...] = ()


class BreakKind(StrEnum):
    """What cannot be explained."""

    EXECUTION_UNKNOWN_TO_BROKER = "execution_unknown_to_broker"
    EXECUTION_DIFFERS = "execution_differs"
    COMMISSION_PENDING = "commission_pending"  # neither side has a figure: an unpriced fill
    COMMISSION_DIFFERS = "commission_differs"
    COMMISSION_WITHOUT_EXECUTION = "commission_without_execution"
    POSITION_DIFFERS = "position_differs"
    POSITION_LEFT = "position_left"  # the session is not flat
    TRADE_MISSING = "trade_missing"
    TRADE_DIFFERS = "trade_differs"
    PNL_DIFFERS = "pnl_differs"


@dataclass(frozen=True, slots=True)
class Break:
    """One difference; (kind, key) is the same each time that the same difference is found."""

    kind: BreakKind
    key: str  # an exec_id, a ticker, a trade, a scope of P&L
    ours: str
    brokers: str


class Scope(StrEnum):
    """What a line of P&L sums up."""

    TRADE = "trade"
    TICKER = "ticker"
    DAY = "day"


@dataclass(frozen=True, slots=True)
class PnlLine:
    """Cash P&L after commissions by our sums and by the broker's, dollars; ours is None while it is not settled."""

    scope: Scope
    key: str
    ours: Decimal | None
    brokers: Decimal


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """What a comparison found. Adding the missing rows and comparing again gives the same without them."""

    missing_executions: tuple[Execution, ...] = ()
    missing_commissions: tuple[CommissionRow, ...] = ()  # whole rows: they replace those that lack a figure
    restated_trades: tuple[Trade, ...] = ()  # whole rows: of what was pending, or was corrected since
    breaks: tuple[Break, ...] = ()
    pnl: tuple[PnlLine, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether everything is explained."""
        return not self.breaks
