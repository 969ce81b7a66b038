"""Before the session depends on it: what can be wrong with the broker, found out and said in words (case 11)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from broker.connection import is_paper
from broker.errors import BrokerUnavailable, ContractUnknown
from broker.gateway import IbBroker
from core.events import AccountRead

SKEW_MAX_MS: Final = 2_000
_EASTERN: Final = ZoneInfo("America/New_York")
DAY_TRADER_EQUITY: Final = Decimal(25_000)
"""Below this net liquidation FINRA allows a margin account three day trades in five days."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was checked. `words` says what was found, and when it is wrong, what to do."""

    check: str
    is_ok: bool
    words: str


async def check_broker(
    broker: IbBroker,
    *,
    account: str,
    live: bool,
    tickers: Iterable[str],
    machine_ms: int | None,
    hours_ms: tuple[int, int] | None = None,
) -> tuple[Finding, ...]:
    """Connect where needed and check everything; a failed connection ends the list.

    `machine_ms` is this machine's time (UTC epoch ms), None where time is simulated. `hours_ms` is when the day opens
    and closes by the calendar, None on a day without trading.
    """
    found: list[Finding] = []
    try:
        if not broker.is_connected:
            await broker.connect()
        found.append(Finding("connection", True, "connected and logged in, client id free, account served"))
        found.append(_mode(account, live=live))
        async for finding in _asked(broker, tuple(tickers), machine_ms, hours_ms):
            found.append(finding)  # noqa: PERF401 - what was found before an exception counts
    except BrokerUnavailable as unavailable:
        check = "connection" if not found else "answers"
        found.append(Finding(check, False, f"{unavailable.why}: {unavailable}"))
    return tuple(found)


async def _asked(
    broker: IbBroker, tickers: tuple[str, ...], machine_ms: int | None, hours_ms: tuple[int, int] | None
) -> AsyncIterator[Finding]:
    if machine_ms is not None:
        yield _clock(await broker.read_time_ms(), machine_ms)
    for finding in _account(await broker.read_account()):
        yield finding
    answers = await broker.read_instruments(tickers)
    unknown = [str(answer) for answer in answers if isinstance(answer, ContractUnknown)]
    if unknown:
        yield Finding("contracts", False, f"{'; '.join(unknown)}; no entries there, the others are traded")
    if odd := broker.contract_oddities():
        yield Finding("contract details", False, "; ".join(odd))
    if hours_ms is not None and (told_ms := broker.latest_close_ms(*hours_ms)) is not None:
        yield _hours(told_ms, hours_ms[1])
    known = [answer.ticker for answer in answers if not isinstance(answer, ContractUnknown)]
    for finding in await _market_data(broker, known):
        yield finding
    if known:
        yield await _orders(broker, known[0])


def _mode(account: str, *, live: bool) -> Finding:
    kind, switch = "paper" if is_paper(account) else "live", "on" if live else "off"
    return Finding("mode", is_paper(account) is not live, f"{account} is a {kind} account, live trading is {switch}")


def _clock(broker_ms: int, machine_ms: int) -> Finding:
    """The broker tells whole seconds, so that up to one of them is no skew."""
    skew_ms = machine_ms - broker_ms
    words = f"this machine's clock is {skew_ms / 1000:+.1f} s from the broker's, {SKEW_MAX_MS // 1000} s are allowed"
    return Finding("clock", -SKEW_MAX_MS <= skew_ms <= SKEW_MAX_MS + 1000, words)


def _hours(told_ms: int, close_ms: int) -> Finding:
    """An early close that the calendar does not know: what is held until its closure would be held overnight."""
    told, known = (f"{datetime.fromtimestamp(at_ms / 1000, _EASTERN):%H:%M}" for at_ms in (told_ms, close_ms))
    words = f"the broker closes at {told} in New York, the calendar says {known}"
    return Finding("trading hours", told_ms >= close_ms, words)


def _account(account: AccountRead) -> Iterable[Finding]:
    power, worth, trades = account.buying_power, account.net_liquidation, account.day_trades_remaining
    yield Finding("buying power", power is not None and power > 0, f"buying power is {_dollars(power)}")
    limited = trades is not None and trades >= 0 and (worth is None or worth < DAY_TRADER_EQUITY)
    said = "unlimited" if trades is not None and trades < 0 else "not told" if trades is None else str(trades)
    words = (
        f"day trades remaining: {said}; net liquidation {_dollars(worth)}, no limit from {_dollars(DAY_TRADER_EQUITY)}"
    )
    yield Finding("day trades", not limited, words)


async def _market_data(broker: IbBroker, tickers: list[str]) -> list[Finding]:
    """Ask for all at once: a snapshot outside of trading hours takes TWS 11 seconds."""
    problems = await asyncio.gather(*(broker.read_quote_problem(ticker) for ticker in tickers))
    found = [
        Finding("market data", False, f"{ticker}: {problem}; subscribe to it in the account's settings")
        for ticker, problem in zip(tickers, problems, strict=True)
        if problem
    ]
    live = [ticker for ticker, problem in zip(tickers, problems, strict=True) if not problem]
    return [Finding("market data", True, f"quotes are live: {', '.join(live)}"), *found] if live else found


async def _orders(broker: IbBroker, ticker: str) -> Finding:
    try:
        answer = await broker.read_what_if(ticker)
    except BrokerUnavailable as refused:
        return Finding("orders", False, f"an order of one {ticker} would not be taken: {refused}")
    kept = (answer.order_type, answer.time_in_force) == ("MKT", "DAY")
    words = f"one {ticker} would be taken as {answer.order_type} {answer.time_in_force}"
    if not kept:
        words += "; MKT DAY was sent: remove the order presets of TWS"
    return Finding("orders", kept, words + (f" ({answer.warning})" if answer.warning else ""))


def _dollars(amount: Decimal | None) -> str:
    return "not told" if amount is None else f"${amount:,.2f}"
