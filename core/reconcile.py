"""The broker's day against the database's (SEMANTICS 10): missing rows to add, and breaks that nothing explains.

The caller passes the executions of the session and those of others in its tickers; of these the part counts that closed
shares of ours.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from decimal import Decimal
from itertools import zip_longest

from core.ledger import Ledger
from core.money import CENT, ZERO, cents
from core.orders import Execution, lineage_of, revision_of
from core.reconciliation import (
    Break,
    BreakKind,
    BrokerDay,
    CommissionRow,
    DatabaseDay,
    PnlLine,
    Reconciliation,
    Scope,
)
from core.records import Trade
from core.trades import RoundTrip, part_of_ours
from core.vocabulary import Side

NEVER = (-1, "")
"""Older than any revision."""


def reconcile(broker: BrokerDay, database: DatabaseDay) -> Reconciliation:
    """Compare the two days; changes nothing."""
    executions = tuple(_missing_executions(broker, database))
    commissions = tuple(_missing_commissions(broker, database, executions))
    whole = with_rows(database, executions, commissions)
    ledger, foreign = _books_of(whole)
    trades = tuple(_restated_trades(database, whole, ledger))
    whole = with_rows(whole, trades=trades)
    pnl = tuple(_pnl_lines(whole, ledger))
    breaks = (
        *_execution_breaks(broker, database),
        *_commission_breaks(broker, whole, ledger),
        *_position_breaks(broker, ledger, foreign),
        *_trade_breaks(whole, ledger),
        *_pnl_breaks(pnl),
    )
    return Reconciliation(executions, commissions, trades, breaks, pnl)


def _books_of(day: DatabaseDay) -> tuple[Ledger, dict[str, int]]:
    """The session's ledger, and the shares of others by ticker. Whose a fill is, is told as the engine tells it."""
    told, ledger = Ledger(), Ledger()
    foreign = {row.ticker: row.shares for row in day.positions_before}
    for execution in day.executions:
        told.record(execution)
    for execution in told.executions_of():
        if execution.order_ref.startswith(f"{day.session}/"):
            ledger.record(execution)
            continue
        signed, theirs = execution.action.sign * execution.shares, foreign.get(execution.ticker, 0)
        ours = part_of_ours(signed, theirs, ledger.position(execution.ticker))
        foreign[execution.ticker] = theirs + signed - ours
        if ours:
            ledger.record(replace(execution, shares=abs(ours)))
    for row in day.commissions:
        ledger.set_commission(row.exec_id, row.commission)
    return ledger, foreign


def with_rows(
    database: DatabaseDay,
    executions: Iterable[Execution] = (),
    commissions: Iterable[CommissionRow] = (),
    trades: Iterable[Trade] = (),
) -> DatabaseDay:
    """The database's day once these rows are stored, each in place of the one of its exec_id or number."""
    return replace(
        database,
        executions=tuple({row.exec_id: row for row in (*database.executions, *executions)}.values()),
        commissions=tuple({row.exec_id: row for row in (*database.commissions, *commissions)}.values()),
        trades=tuple({row.number: row for row in (*database.trades, *trades)}.values()),
    )


def _missing_executions(broker: BrokerDay, database: DatabaseDay) -> Iterable[Execution]:
    known = {execution.exec_id for execution in database.executions}
    return {row.exec_id: row for row in broker.executions if row.exec_id not in known}.values()


def _missing_commissions(
    broker: BrokerDay, database: DatabaseDay, missing: Iterable[Execution]
) -> Iterable[CommissionRow]:
    """Rows that the database lacks, or has with a figure open that the broker tells.

    After a correction the broker tells the profits of the ticker's later fills anew, each under its own id (ADR 12).
    """
    told = (*database.executions, *missing)
    revisions = Counter(row.lineage for row in told)
    corrected = {row.ticker for row in told if revisions[row.lineage] > 1}
    told_anew = {row.exec_id for row in broker.executions if row.ticker in corrected}
    known = {row.exec_id: row for row in database.commissions}
    found = {}
    for row in broker.commissions:
        ours = known.get(row.exec_id, CommissionRow(row.exec_id, None))
        known[row.exec_id] = _completed(row, ours) if row.exec_id in told_anew else _completed(ours, row)
        if known[row.exec_id] != ours:
            found[row.exec_id] = known[row.exec_id]
    return found.values()


def _completed(row: CommissionRow, other: CommissionRow) -> CommissionRow:
    """The row, with the other's figures where it has none."""
    commission = other.commission if row.commission is None else row.commission
    return CommissionRow(row.exec_id, commission, other.realized_pnl if row.realized_pnl is None else row.realized_pnl)


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
    theirs = {row.exec_id: row for row in broker.commissions}
    lineages = {row.lineage for row in whole.executions}
    for row in whole.commissions:
        other = theirs.get(row.exec_id, row)
        if _differ(row.commission, other.commission) or _differ(row.realized_pnl, other.realized_pnl):
            yield Break(BreakKind.COMMISSION_DIFFERS, row.exec_id, _figures(row), _figures(other))
        if lineage_of(row.exec_id) not in lineages:
            yield Break(BreakKind.COMMISSION_WITHOUT_EXECUTION, row.exec_id, _figures(row), "")
    for exec_id in ledger.commission_pending():
        yield Break(BreakKind.COMMISSION_PENDING, exec_id, "", "")


def _position_breaks(broker: BrokerDay, ledger: Ledger, foreign: dict[str, int]) -> Iterator[Break]:
    now = {row.ticker: row.shares for row in broker.positions}
    for ticker in sorted(foreign.keys() | now.keys() | ledger.positions.keys()):
        expected = foreign.get(ticker, 0) + ledger.position(ticker)
        if expected != now.get(ticker, 0):
            yield Break(BreakKind.POSITION_DIFFERS, ticker, str(expected), str(now.get(ticker, 0)))
        if ledger.position(ticker):
            yield Break(BreakKind.POSITION_LEFT, ticker, str(ledger.position(ticker)), str(now.get(ticker, 0)))


def _trade_pairs(whole: DatabaseDay, ledger: Ledger) -> Iterator[tuple[str, Trade | None, RoundTrip | None]]:
    """The stored trades beside the round trips of the executions, ticker by ticker, in the order of their close."""
    stored: dict[str, list[Trade]] = {}
    for trade in sorted(whole.trades, key=lambda trade: (trade.closed_ms, trade.number)):
        stored.setdefault(trade.ticker, []).append(trade)
    for ticker in sorted(stored.keys() | ledger.books.keys()):
        pairs = zip_longest(stored.get(ticker, ()), ledger.trades(ticker))
        yield from ((f"{ticker} {number}", *pair) for number, pair in enumerate(pairs, start=1))


def _restated_trades(database: DatabaseDay, whole: DatabaseDay, ledger: Ledger) -> Iterator[Trade]:
    """The stored trades whose fills the broker corrected since, or whose pending commissions are known now."""
    corrected = {trade.number: trade for trade in _corrected_trades(database, ledger)}
    yield from corrected.values()
    for _, trade, trip in _trade_pairs(whole, ledger):
        if trade is None or trip is None or trade.commissions is not None or trade.number in corrected:
            continue
        commissions = ledger.trade_commissions(trip)
        if commissions is not None:
            yield replace(trade, commissions=commissions)


def _corrected_trades(database: DatabaseDay, ledger: Ledger) -> Iterator[Trade]:
    """Trades that were right by what the database knew, as the broker's corrections have them.

    A correction that splits, joins or opens round trips restates nothing: a person is to look at that.
    """
    before, _ = _books_of(database)
    now = {_lineages(trip): trip for ticker in ledger.books for trip in ledger.trades(ticker)}
    for _, trade, trip in _trade_pairs(database, before):
        if trade is None or trip is None or not _is_right(trade, trip, before):
            continue
        corrected = now.get(_lineages(trip))
        if corrected is not None and _terms(corrected, ledger) != _terms(trip, before):
            yield replace(
                trade,
                side=corrected.side,
                shares=corrected.most_held,
                opened_ms=corrected.opened_ms,
                closed_ms=corrected.closed_ms or trade.closed_ms,
                entry_price=corrected.entry_price,
                exit_price=corrected.exit_price or trade.exit_price,
                gross_pnl=corrected.gross_pnl or ZERO,
                commissions=ledger.trade_commissions(corrected),
            )


def _lineages(trip: RoundTrip) -> frozenset[str]:
    """Which executions made a round trip."""
    return frozenset(part.lineage for part in trip.parts)


def _is_right(trade: Trade, trip: RoundTrip, ledger: Ledger) -> bool:
    """Whether a stored trade says what its round trip does; commissions may still have been pending."""
    commissions = None if trade.commissions is None else ledger.trade_commissions(trip)
    stored = _sums(trade.side, trade.shares, trade.gross_pnl, trade.commissions)
    return stored == _sums(trip.side, trip.most_held, trip.gross_pnl, commissions)


def _terms(trip: RoundTrip, ledger: Ledger) -> tuple[object, ...]:
    """Everything about a round trip that a correction can change."""
    sizes = trip.side, trip.most_held, trip.entry_shares, trip.exit_shares, trip.opened_ms, trip.closed_ms
    return *sizes, trip.entry_value, trip.exit_value, ledger.trade_commissions(trip)


def _trade_breaks(whole: DatabaseDay, ledger: Ledger) -> Iterator[Break]:
    for key, trade, trip in _trade_pairs(whole, ledger):
        ours = "" if trade is None else _sums(trade.side, trade.shares, trade.gross_pnl, trade.commissions)
        made = "" if trip is None else _sums(trip.side, trip.most_held, trip.gross_pnl, ledger.trade_commissions(trip))
        if ours != made:
            yield Break(BreakKind.TRADE_DIFFERS if ours else BreakKind.TRADE_MISSING, key, ours, made)


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
