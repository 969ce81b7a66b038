"""The broker's day against the database's (SEMANTICS 10): missing rows to add, and breaks that nothing explains.

The caller passes the executions that count: the session's own and, where the owner closed by hand, those too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from itertools import zip_longest

from core.ledger import Ledger
from core.money import CENT, cents
from core.orders import Execution, PositionRow, lineage_of, revision_of
from core.records import Trade
from core.trades import ZERO
from core.vocabulary import Side

NEVER = (-1, "")
"""Older than any revision."""


@dataclass(frozen=True, slots=True)
class CommissionRow:
    """What a commission report said, dollars. `realized_pnl`, of closing executions only, is net of commissions."""

    exec_id: str
    commission: Decimal | None
    realized_pnl: Decimal | None = None


@dataclass(frozen=True, slots=True)
class BrokerDay:
    """The day as the broker tells it after the close."""

    executions: tuple[Execution, ...]
    commissions: tuple[CommissionRow, ...]
    positions: tuple[PositionRow, ...]


@dataclass(frozen=True, slots=True)
class DatabaseDay:
    """The day as the database has it; `positions_before` are those that the account held before the session."""

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
    breaks: tuple[Break, ...] = ()
    pnl: tuple[PnlLine, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether everything is explained."""
        return not self.breaks


def reconcile(broker: BrokerDay, database: DatabaseDay) -> Reconciliation:
    """Compare the two days; changes nothing."""
    executions = tuple(_missing_executions(broker, database))
    commissions = tuple(_missing_commissions(broker, database))
    whole = with_rows(database, executions, commissions)
    ledger = Ledger()
    for execution in whole.executions:
        ledger.record(execution)
    for row in whole.commissions:
        ledger.set_commission(row.exec_id, row.commission)
    pnl = tuple(_pnl_lines(whole, ledger))
    breaks = (
        *_execution_breaks(broker, database),
        *_commission_breaks(broker, whole, ledger),
        *_position_breaks(broker, whole, ledger),
        *_trade_breaks(whole, ledger),
        *_pnl_breaks(pnl),
    )
    return Reconciliation(executions, commissions, breaks, pnl)


def with_rows(
    database: DatabaseDay, executions: Iterable[Execution], commissions: Iterable[CommissionRow]
) -> DatabaseDay:
    """The database's day once these rows are stored, each in place of the one of its exec_id."""
    return replace(
        database,
        executions=tuple({row.exec_id: row for row in (*database.executions, *executions)}.values()),
        commissions=tuple({row.exec_id: row for row in (*database.commissions, *commissions)}.values()),
    )


def _missing_executions(broker: BrokerDay, database: DatabaseDay) -> Iterable[Execution]:
    known = {execution.exec_id for execution in database.executions}
    return {row.exec_id: row for row in broker.executions if row.exec_id not in known}.values()


def _missing_commissions(broker: BrokerDay, database: DatabaseDay) -> Iterable[CommissionRow]:
    """Rows that the database lacks, or has with a figure open that the broker tells."""
    known = {row.exec_id: row for row in database.commissions}
    missing = {}
    for row in broker.commissions:
        ours = known.get(row.exec_id, CommissionRow(row.exec_id, None))
        known[row.exec_id] = CommissionRow(
            row.exec_id,
            row.commission if ours.commission is None else ours.commission,
            row.realized_pnl if ours.realized_pnl is None else ours.realized_pnl,
        )
        if known[row.exec_id] != ours:
            missing[row.exec_id] = known[row.exec_id]
    return missing.values()


def _execution_breaks(broker: BrokerDay, database: DatabaseDay) -> Iterator[Break]:
    theirs = {row.exec_id: row for row in broker.executions}
    newest: dict[str, tuple[int, str]] = {}
    for row in broker.executions:
        newest[row.lineage] = max(newest.get(row.lineage, NEVER), revision_of(row.exec_id))
    for row in database.executions:
        other = theirs.get(row.exec_id)
        if other is not None:
            if _facts(row) != _facts(other):
                yield Break(BreakKind.EXECUTION_DIFFERS, row.exec_id, _facts(row), _facts(other))
        elif newest.get(row.lineage, NEVER) < revision_of(row.exec_id):  # else the broker lists what corrected it
            yield Break(BreakKind.EXECUTION_UNKNOWN_TO_BROKER, row.exec_id, _facts(row), "")


def _commission_breaks(broker: BrokerDay, whole: DatabaseDay, ledger: Ledger) -> Iterator[Break]:
    ours = {row.exec_id: row for row in whole.commissions}
    theirs = {row.exec_id: row for row in broker.commissions}
    for exec_id, row in theirs.items():
        if _differ(ours[exec_id].commission, row.commission) or _differ(ours[exec_id].realized_pnl, row.realized_pnl):
            yield Break(BreakKind.COMMISSION_DIFFERS, exec_id, _figures(ours[exec_id]), _figures(row))
    for exec_id, row in ours.items():
        if lineage_of(exec_id) not in ledger.executions:
            yield Break(BreakKind.COMMISSION_WITHOUT_EXECUTION, exec_id, _figures(row), "")
    for exec_id in ledger.commission_pending():
        yield Break(BreakKind.COMMISSION_PENDING, exec_id, "", "")


def _position_breaks(broker: BrokerDay, whole: DatabaseDay, ledger: Ledger) -> Iterator[Break]:
    before = {row.ticker: row.shares for row in whole.positions_before}
    now = {row.ticker: row.shares for row in broker.positions}
    for ticker in sorted(before.keys() | now.keys() | ledger.positions.keys()):
        expected = before.get(ticker, 0) + ledger.position(ticker)
        if expected != now.get(ticker, 0):
            yield Break(BreakKind.POSITION_DIFFERS, ticker, str(expected), str(now.get(ticker, 0)))
        if ledger.position(ticker):
            yield Break(BreakKind.POSITION_LEFT, ticker, str(ledger.position(ticker)), str(now.get(ticker, 0)))


def _trade_breaks(whole: DatabaseDay, ledger: Ledger) -> Iterator[Break]:
    """The stored trades against the round trips of the executions, ticker by ticker, in the order of their close."""
    stored: dict[str, list[Trade]] = {}
    for trade in sorted(whole.trades, key=lambda trade: (trade.closed_ms, trade.number)):
        stored.setdefault(trade.ticker, []).append(trade)
    for ticker in sorted(stored.keys() | ledger.books.keys()):
        pairs = zip_longest(stored.get(ticker, ()), ledger.trades(ticker))
        for number, (trade, trip) in enumerate(pairs, start=1):
            ours = "" if trade is None else _sums(trade.side, trade.shares, trade.gross_pnl, trade.commissions)
            made = (
                "" if trip is None else _sums(trip.side, trip.most_held, trip.gross_pnl, ledger.trade_commissions(trip))
            )
            if ours != made:
                kind = BreakKind.TRADE_DIFFERS if ours else BreakKind.TRADE_MISSING
                yield Break(kind, f"{ticker} {number}", ours, made)


def _pnl_lines(whole: DatabaseDay, ledger: Ledger) -> Iterator[PnlLine]:
    """A line per closed trade, per ticker and for the day. The sums of a ticker need no attribution to trades."""
    by_revision = sorted(whole.commissions, key=lambda row: revision_of(row.exec_id))
    realized = {lineage_of(row.exec_id): row.realized_pnl for row in by_revision if row.realized_pnl is not None}
    tickers = []
    for ticker in sorted(ledger.books):
        for number, trip in enumerate(ledger.trades(ticker), start=1):
            exits = (part.lineage for part in trip.parts if part.closes)
            theirs = sum((realized.get(lineage, ZERO) for lineage in exits), ZERO)
            yield PnlLine(Scope.TRADE, f"{ticker} {number}", ledger.net_pnl(trip), theirs)
        theirs = sum((realized.get(row.lineage, ZERO) for row in ledger.executions_of(ticker)), ZERO)
        tickers.append(PnlLine(Scope.TICKER, ticker, _settled(ledger, ticker), theirs))
    yield from tickers
    ours = [line.ours for line in tickers if line.ours is not None]
    yield PnlLine(
        Scope.DAY,
        "day",
        sum(ours, ZERO) if len(ours) == len(tickers) else None,
        sum((line.brokers for line in tickers), ZERO),
    )


def _settled(ledger: Ledger, ticker: str) -> Decimal | None:
    """A ticker's P&L after commissions; None while shares are held or a commission is pending."""
    if ledger.position(ticker) or ledger.commission_pending(ticker):
        return None
    return ledger.realized(ticker) - ledger.commissions(ticker)


def _pnl_breaks(lines: Iterable[PnlLine]) -> Iterator[Break]:
    """Where ours is not known, a break of its own says why already."""
    for line in lines:
        if _differ(line.ours, line.brokers):
            yield Break(BreakKind.PNL_DIFFERS, f"{line.scope} {line.key}", str(line.ours), str(line.brokers))


def _differ(ours: Decimal | None, theirs: Decimal | None) -> bool:
    """Whether two known amounts differ to the cent."""
    return ours is not None and theirs is not None and abs(ours - theirs) >= CENT / 2


def _facts(row: Execution) -> str:
    """What of an execution must be the same on both sides."""
    return f"{row.ticker} {row.action} {row.shares} at {row.price.normalize():f}, {row.time_ms}, {row.order_ref}"


def _figures(row: CommissionRow) -> str:
    return f"commission {row.commission}, realised {row.realized_pnl}"


def _sums(side: Side, shares: int, gross: Decimal | None, commissions: Decimal | None) -> str:
    """What of a trade must be the same on both sides, amounts to the cent."""
    gross, commissions = (None if amount is None else cents(amount) for amount in (gross, commissions))
    return f"{side} {shares}, gross {gross}, commissions {commissions}"
