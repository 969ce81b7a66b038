"""The laws, checked after a run by somebody who trusts neither the session nor its database.

Three witnesses: the account as a client of its own reads it, what the exchange's own side wrote down, and SQL.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from config import Settings
from core.codec import decode
from core.commands import Commands, ReadHistory
from core.handlers.market import GAP_PAUSE_MS
from core.orders import lineage_of
from runtime.broker_day import AccountNow, read_account_now
from runtime.planning import hours_of, plan_for
from tests.chaos.audit_bars import BAR_MS, HISTORY_SECONDS, Bars, bars_of_engine, bars_of_gateway, compare
from tests.chaos.audit_outages import outages, untold_deaths, untold_outages
from tests.chaos.life import Life
from tests.chaos.plan import DayPlan
from tests.chaos.sql import Rows

if TYPE_CHECKING:
    from tests.chaos.day import DayResult

UNPROTECTED_SECONDS_MAX = 2
ORPHAN_SECONDS_MAX = 20
"""Legs that outlive their position get 2 s for the broker's own group to end them, then a cancel and its answer."""

SKEW_MS = 5_000
"""More than the faults put the session's clock, by which its rows are dated, off the exchange's."""

Facts = list[dict[str, Any]]


def audit(plan: DayPlan, settings: Settings, date: str, folder: Path, lives: list[Life], result: DayResult) -> None:
    """Check every law; what is broken goes into `result`, with the figures."""
    account = asyncio.run(read_account_now(settings))
    seen: Facts = [json.loads(line) for line in (folder / "witness.jsonl").read_text().splitlines()]
    session = plan_for(settings, date).session
    rows = Rows(settings, session)
    forgotten = _forgotten(rows, lives[plan.lost_journal - 1].ended_ms) if plan.lost_journal else range(0)
    for law in (_executions(account, rows), _flat(account), _references(seen), _journalled(seen, rows, forgotten)):
        result.violations += law
    result.violations += [*_positions(account, rows), *_decisions(rows), *_protection(seen, result)]
    result.violations += [*untold_outages(seen, lives, rows, forgotten), *_breaks(rows)]
    if not plan.lost_journal:  # with it goes the knowledge of a death
        result.violations += untold_deaths(lives, folder)
    bars, wrong = bars_of_engine(rows)
    gateways = asyncio.run(bars_of_gateway(settings, _ends(bars)))
    excused = {ticker: [*_without_history(folder), *_asked_already(rows, ticker)] for ticker in bars}
    result.violations += [*wrong, *compare(bars, gateways, _first_bar_ms(date, lives), excused)]
    result.bars = sum(len(of_ticker) for of_ticker in bars.values())
    reconciled_ms = [at_ms for life in lives for at_ms in life.reconciled_ms]
    result.recoveries_market_seconds = list(recoveries(seen, reconciled_ms))
    result.outages_seconds = [(end_ms - begin_ms) / 1000 for begin_ms, end_ms in outages(seen)]
    result.executions = len(account.executions)
    result.trades = len(rows.query("SELECT 1 FROM trades"))


def _executions(account: AccountNow, rows: Rows) -> Iterator[str]:
    """Each execution in the database exactly once, as the broker has it."""
    broker = {row.exec_id: (row.ticker, str(row.action), row.shares, row.price) for row in account.executions}
    stored = rows.query("SELECT exec_id, ticker, action, shares, price FROM v_executions")
    ours = {row[0]: tuple(row[1:]) for row in stored}
    for exec_id in broker.keys() ^ ours.keys():
        yield f"execution {exec_id} is only {'at the broker' if exec_id in broker else 'in the database'}"
    for exec_id in broker.keys() & ours.keys():
        if broker[exec_id] != ours[exec_id]:
            yield f"execution {exec_id}: {broker[exec_id]} at the broker, {ours[exec_id]} in the database"
    lineages = [lineage_of(row[0]) for row in stored]
    if len(lineages) != len(set(lineages)):
        yield "an execution counts twice in v_executions"


def _without_history(folder: Path) -> Iterator[tuple[int, int]]:
    """From when to when the gateway gives no history, and a slot's time more on each side."""
    begun_ms = None
    for line in (folder / "faults.jsonl").read_text().splitlines():
        entry = json.loads(line)
        if entry["fault"] == "farm" and entry["detail"].startswith("history"):
            begun_ms = entry["at_ms"]
        elif entry["fault"] == "farm_mended" and entry["detail"] == "history" and begun_ms is not None:
            yield begun_ms - BAR_MS, entry["at_ms"] + BAR_MS
            begun_ms = None
    if begun_ms is not None:
        yield begun_ms - BAR_MS, sys.maxsize


def _asked_already(rows: Rows, ticker: str) -> Iterator[tuple[int, int]]:
    """From when to when a gap within a sound link may stay, because another of the ticker was asked for just before."""
    asked = "SELECT at, commands FROM journal WHERE commands LIKE '%ReadHistory%'"
    for at, text in rows.query(asked):
        if ReadHistory(ticker) in decode(text, Commands):
            at_ms = round(at.timestamp() * 1000)
            yield at_ms, at_ms + GAP_PAUSE_MS + BAR_MS


def _first_bar_ms(date: str, lives: list[Life]) -> int:
    """From when on bars must be there: the first connection asks for the last hour, but not across the night."""
    connected_ms = min(at_ms for life in lives for at_ms in life.reconciled_ms)
    asked_ms = connected_ms - HISTORY_SECONDS * 1_000
    return max(hours_of(date).open_ms, asked_ms - asked_ms % -BAR_MS)


def _ends(bars: Bars) -> dict[str, int]:
    """The end of the newest bar of each ticker."""
    return {ticker: max(found) + BAR_MS for ticker, found in bars.items()}


def _flat(account: AccountNow) -> Iterator[str]:
    """Flat with no working order at the end."""
    yield from (f"left: {row.shares} {row.ticker}" for row in account.positions if row.shares)
    yield from (f"still working: {row.order_ref} {row.status}" for row in account.orders)


def _references(seen: Facts) -> Iterator[str]:
    """Each order reference at most one order at the broker."""
    perm_ids: dict[str, set[int]] = {}
    for fact in seen:
        if fact["what"] == "order":
            perm_ids.setdefault(fact["ref"], set()).add(fact["perm_id"])
    for ref, found in perm_ids.items():
        if len(found) > 1:
            yield f"{ref} became {len(found)} orders: {sorted(found)}"


def _forgotten(rows: Rows, lost_ms: int) -> range:
    """The moments (ms) whose rows a journal that was lost took with it: Postgres may be back, and not have them yet."""
    until = (lost_ms - SKEW_MS) / 1000  # else the first rows of the successor
    ((newest,),) = rows.query("SELECT max(at) FROM journal WHERE at <= to_timestamp(:until)", until=until)
    return range(round(newest.timestamp() * 1000) - SKEW_MS if newest else 0, lost_ms + 1)


def _journalled(seen: Facts, rows: Rows, forgotten: range) -> Iterator[str]:
    """No order without an earlier journal entry, but for those whose entry was lost with the journal."""
    placed = rows.query("SELECT commands FROM journal WHERE commands LIKE '%Place%'")
    decided = "\n".join(row[0] for row in placed)
    for ref in {fact["ref"] for fact in seen if fact["what"] == "order" and fact["at_ms"] not in forgotten}:
        if f'"{ref}"' not in decided:
            yield f"{ref} is at the broker without an entry in the journal"


def _positions(account: AccountNow, rows: Rows) -> Iterator[str]:
    """Ledger position = broker position."""
    ours = {
        row[0]: int(row[1]) for row in rows.query("SELECT ticker, shares FROM v_positions WHERE session = :session")
    }
    broker = {row.ticker: row.shares for row in account.positions}
    for ticker in ours.keys() | broker.keys():
        if ours.get(ticker, 0) != broker.get(ticker, 0):
            yield f"{ticker}: ledger {ours.get(ticker, 0)}, broker {broker.get(ticker, 0)}"


def _decisions(rows: Rows) -> Iterator[str]:
    """A prediction is acted on once."""
    sql = "SELECT prediction_key, count(*) FROM decisions WHERE outcome <> 'refuse' GROUP BY 1 HAVING count(*) > 1"
    yield from (f"prediction {key} was acted on {count} times" for key, count in rows.query(sql))


def _protection(seen: Facts, result: DayResult) -> Iterator[str]:
    """While connected no share is without cover for more than 2 s."""
    for fact in seen:
        if fact["what"] == "exposure":
            result.unprotected_connected_seconds.append(fact["waited_seconds_max"])
            if fact["cut_off_seconds"]:
                result.unprotected_cut_off_seconds.append(fact["cut_off_seconds"])
            if fact["waited_seconds_max"] > UNPROTECTED_SECONDS_MAX:
                waited = fact["waited_seconds_max"]
                yield f"{fact['ticker']}: a share unprotected for {waited} s after {fact['since_ms']}"
        elif fact["what"] == "orphan" and fact["seconds"] > ORPHAN_SECONDS_MAX:
            yield f"{fact['ref']} worked {fact['seconds']} s without a position"


def _breaks(rows: Rows) -> Iterator[str]:
    """Every cent is explained."""
    for kind, key, ours, brokers in rows.query("SELECT kind, key, ours, brokers FROM v_breaks"):
        yield f"break {kind} {key}: ours {ours}, the broker's {brokers}"


def recoveries(seen: Facts, reconciled_ms: list[int]) -> Iterator[float]:
    """Market seconds from each connection to the moment at which the broker had been read back.

    The exchange notes a connection at the end of its second; the read-back may have come within it.
    """
    cut_ms = 0
    for fact in seen:
        if fact["what"] == "cut_off":
            cut_ms = fact["at_ms"]
        elif fact["what"] == "connected":
            since_ms = max(cut_ms, fact["at_ms"] - 1_000)
            after = [at_ms for at_ms in reconciled_ms if at_ms >= since_ms]
            if after:
                yield max(0, min(after) - fact["at_ms"]) / 1000
