"""The session's money: executions and commissions in, positions, round trips and P&L out.

Messages may come in any order and any number of times; the ledger is the same for the same set of them. An execution
counts once, by the newest of its corrections. What happened when is told by the broker's time; within one millisecond
by our order numbers, entries first, so that a position never seems to close before it opened.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from core.errors import InvalidValueError
from core.money import ZERO
from core.orders import Execution, lineage_of, parse_order_ref, revision_of
from core.trades import CostMethod, RoundTrip, TickerBook
from core.vocabulary import Leg


class FillKind(StrEnum):
    """What a reported execution was to the ledger."""

    NEW = "new"
    CORRECTION = "correction"
    DUPLICATE = "duplicate"  # known already, or older than the correction that is known


@dataclass(frozen=True, slots=True)
class Fill:
    """What recording an execution did to its ticker's position (signed shares)."""

    kind: FillKind
    position_before: int
    position_after: int


@dataclass(frozen=True, slots=True)
class Commission:
    """The newest commission of an execution, dollars; negative is a rebate."""

    exec_id: str
    amount: Decimal


@dataclass(slots=True)
class Ledger:
    """Plain data, changed by `record` and `set_commission` only."""

    executions: dict[str, Execution] = field(default_factory=dict)  # the newest of each lineage, by lineage
    reported_commissions: dict[str, Commission] = field(default_factory=dict)  # by lineage
    books: dict[str, TickerBook] = field(default_factory=dict)  # by ticker
    positions: dict[str, int] = field(default_factory=dict)  # signed shares by ticker, without zeros
    cash: Decimal = ZERO  # of all tickers: received for sales less paid for purchases
    commission_total: Decimal = ZERO  # of the executions recorded, as far as reported

    def record(self, execution: Execution) -> Fill:
        """Take in an execution, a correction of one, or a repetition.

        Raises InvalidValueError for negative shares and for a price that is negative or not finite.
        """
        if execution.shares < 0:
            raise InvalidValueError("shares", execution.shares, "at least 0")
        if not execution.price.is_finite() or execution.price < 0:
            raise InvalidValueError("price", execution.price, "a finite price of at least 0 dollars")
        before, lineage = self.position(execution.ticker), execution.lineage
        known = self.executions.get(lineage)
        if known is not None and revision_of(execution.exec_id) <= revision_of(known.exec_id):
            return Fill(FillKind.DUPLICATE, before, before)
        self.executions[lineage] = execution
        if known is not None:
            self._rebuild({known.ticker, execution.ticker})
            return Fill(FillKind.CORRECTION, before, self.position(execution.ticker))
        commission = self.reported_commissions.get(lineage)
        if commission is not None:
            self.commission_total += commission.amount
        self._insert(execution)
        return Fill(FillKind.NEW, before, self.position(execution.ticker))

    def set_commission(self, exec_id: str, amount: Decimal | None) -> None:
        """Take in a commission report, before or after its execution. None leaves it pending: pending is not zero.

        A report for an older correction than the one known is passed over. Raises InvalidValueError for NaN, infinity.
        """
        if amount is None:
            return
        if not amount.is_finite():
            raise InvalidValueError("commission", amount, "a finite amount of dollars, or None while it is not known")
        lineage = lineage_of(exec_id)
        known = self.reported_commissions.get(lineage)
        if known is not None and revision_of(exec_id) < revision_of(known.exec_id):
            return
        self.reported_commissions[lineage] = Commission(exec_id, amount)
        if lineage in self.executions:
            self.commission_total += amount - (ZERO if known is None else known.amount)

    def position(self, ticker: str) -> int:
        """Signed shares."""
        return self.positions.get(ticker, 0)

    def average_price(self, ticker: str) -> Decimal | None:
        """Average cost of the position in dollars a share; None when flat."""
        book = self.books.get(ticker)
        return None if book is None else book.average_price

    def realized(self, ticker: str | None = None, method: CostMethod = CostMethod.FIFO) -> Decimal:
        """Gained or lost by what was closed, before commissions, dollars; of all tickers when none is named."""
        return sum((book.realized(method) for book in self._books(ticker)), ZERO)

    def commissions(self, ticker: str | None = None) -> Decimal:
        """Commissions reported so far for the executions recorded, dollars."""
        if ticker is None:
            return self.commission_total
        lineages = (execution.lineage for execution in self.executions_of(ticker))
        return sum(
            (self.reported_commissions[key].amount for key in lineages if key in self.reported_commissions), ZERO
        )

    def commission_pending(self, ticker: str | None = None) -> tuple[str, ...]:
        """The ids of executions whose commission has not been reported."""
        return tuple(
            execution.exec_id
            for execution in self.executions_of(ticker)
            if execution.lineage not in self.reported_commissions
        )

    def daily_pnl(self, marks: Mapping[str, Decimal]) -> Decimal | None:
        """Realised + unrealised - commissions, dollars. None when an open position has no finite mark: unknown."""
        pnl = self.cash - self.commission_total
        for ticker, shares in self.positions.items():
            mark = marks.get(ticker)
            if mark is None or not mark.is_finite():
                return None
            pnl += shares * mark
        return pnl

    def trades(self, ticker: str | None = None) -> tuple[RoundTrip, ...]:
        """The closed round trips, in the order of their close."""
        trips = [trip for book in self._books(ticker) for trip in book.trips if trip.closed_ms is not None]
        return tuple(sorted(trips, key=lambda trip: (trip.closed_ms, trip.opened_ms, trip.opened_by)))

    def open_trade(self, ticker: str) -> RoundTrip | None:
        """The round trip of the position held now."""
        book = self.books.get(ticker)
        return None if book is None else book.open_trip

    def trade_commissions(self, trip: RoundTrip) -> Decimal | None:
        """A round trip's share of its executions' commissions, dollars; None while any is pending."""
        total = ZERO
        for part in trip.parts:
            commission = self.reported_commissions.get(part.lineage)
            if commission is None:
                return None
            total += commission.amount * part.shares / part.whole
        return total

    def net_pnl(self, trip: RoundTrip) -> Decimal | None:
        """A round trip's P&L after commissions, dollars; None while it is open or any of its commissions is pending."""
        commissions = self.trade_commissions(trip)
        return None if trip.gross_pnl is None or commissions is None else trip.gross_pnl - commissions

    def executions_of(self, ticker: str | None = None) -> list[Execution]:
        """The executions that count, in the order in which they happened; of all tickers when none is named."""
        counted = (one for one in self.executions.values() if ticker is None or one.ticker == ticker)
        return sorted(counted, key=_when)

    def _books(self, ticker: str | None) -> Iterable[TickerBook]:
        return self.books.values() if ticker is None else filter(None, [self.books.get(ticker)])

    def _insert(self, execution: Execution) -> None:
        book = self.books.setdefault(execution.ticker, TickerBook(execution.ticker))
        if book.newest is not None and _when(execution) < _when(book.newest):
            self._rebuild({execution.ticker})
            return
        self.cash -= execution.action.sign * execution.shares * execution.price
        book.apply(execution)
        self._note_position(book)

    def _rebuild(self, tickers: Iterable[str]) -> None:
        """Apply the tickers' executions anew: one came late or was corrected."""
        for ticker in tickers:
            book = self.books[ticker] = TickerBook(ticker)
            for execution in self.executions_of(ticker):
                book.apply(execution)
            self._note_position(book)
        self.cash = sum((book.cash for book in self.books.values()), ZERO)

    def _note_position(self, book: TickerBook) -> None:
        if book.position:
            self.positions[book.ticker] = book.position
        else:
            self.positions.pop(book.ticker, None)


def _when(execution: Execution) -> tuple[int, bool, int, bool, str]:
    """When an execution happened among the others: the broker's time, then ours before foreign, by order number."""
    ref = parse_order_ref(execution.order_ref)
    if ref is None:
        return (execution.time_ms, True, 0, True, execution.exec_id)
    return (execution.time_ms, False, ref.number, ref.leg != Leg.ENTRY, execution.exec_id)
