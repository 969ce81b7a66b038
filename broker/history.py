"""Closed 10-second bars from the broker's history, within its pacing rules."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

from ib_async.objects import BarData

from broker.bars import BAR_MS, fill_flat, whole_volume
from broker.codes import NO_HISTORY
from broker.contracts import Contracts, Listing
from broker.errors import AnswerUnreadable, HistoryBudgetSpent, RequestRefused, UnknownBrokerWord
from broker.history_budget import IDENTICAL_MS, HistoryBudget, HistoryRequest
from broker.requests import Requests
from broker.times import Clock, epoch_ms, ib_time
from core.market import Bar

MOST_SECONDS: Final = 14_400
"""The longest duration that IB serves in 10-second bars."""
TIMEOUT_SECONDS: Final = 20.0
"""Live bars wait for a minute; a question that is not answered shall not use it up for the tickers behind it."""

_UNREADABLE: Final = (UnknownBrokerWord, ValueError, OverflowError, KeyError)
"""What a bar of no sense raises; the last is a time zone that does not exist."""


class History:
    """Reads history. `connected` gives the client of the moment or raises BrokerUnavailable."""

    def __init__(self, contracts: Contracts, requests: Requests, budget: HistoryBudget, clock: Clock, gateway_zone: str,
                 connected: Callable[[], Any]) -> None:  # fmt: skip
        self._contracts = contracts
        self._requests = requests
        self._budget = budget
        self._clock = clock
        self._gateway_zone = gateway_zone
        self._connected = connected
        self._answers: dict[
            tuple[str, int, int], tuple[int, list[Bar]]
        ] = {}  # an identical question is not asked again

    async def read(self, ticker: str, end_ms: int, duration_seconds: int) -> tuple[Bar, ...]:
        """Closed bars of regular hours in [end - duration, end), oldest first, with flat bars where nothing traded.

        Empty when the broker holds none. Raises RequestRefused, RequestTimedOut, AnswerUnreadable, HistoryBudgetSpent,
        BrokerUnavailable.
        """
        listing = self._contracts.listing(ticker)
        bars: list[Bar] = []
        piece_end_ms = end_ms - end_ms % BAR_MS  # the bar that still grows is not asked for
        start_ms = piece_end_ms - duration_seconds * 1000
        while piece_end_ms > start_ms:
            seconds = min(MOST_SECONDS, (piece_end_ms - start_ms) // 1000)
            bars[:0] = await self._piece(listing, piece_end_ms, seconds)
            piece_end_ms -= seconds * 1000
        closed = _once_each(bars, end_ms)
        return fill_flat(closed, _fill_until_ms(listing, closed, end_ms))

    def on_bar(self, request_id: int, bar: BarData) -> None:
        """One bar."""
        self._requests.add(request_id, bar)

    def on_end(self, request_id: int, _start: str, _end: str) -> None:
        """All bars are in."""
        self._requests.finish(request_id)

    async def _piece(self, listing: Listing, end_ms: int, seconds: int) -> list[Bar]:
        ticker = listing.instrument.ticker
        words = f"{seconds} s of history of {ticker} before {ib_time(end_ms)} UTC"
        question = HistoryRequest(ticker, end_ms, seconds, self._clock.now_ms())
        answered = self._answers.get(question.question)
        if answered is not None and question.at_ms - answered[0] < IDENTICAL_MS:
            return answered[1]
        allowed_ms = await self._budget.reserve(question)
        if allowed_ms > question.at_ms:
            raise HistoryBudgetSpent(words, allowed_ms)
        client = self._connected()  # the budget took its time: the link may have gone, or be another
        key = self._requests.next_id()
        try:
            rows: list[BarData] = await self._requests.ask(
                key,
                words,
                lambda: client.reqHistoricalData(
                    key, listing.contract, ib_time(end_ms), f"{seconds} S", "10 secs", "TRADES", True, 2, False, []
                ),
                timeout_seconds=TIMEOUT_SECONDS,
            )
        except RequestRefused as refused:
            if NO_HISTORY.search(refused.text):
                return []
            raise
        try:
            bars = [self._bar(ticker, row) for row in rows]
        except _UNREADABLE as odd:
            raise AnswerUnreadable(words, odd) from odd
        recent = {asked: known for asked, known in self._answers.items() if question.at_ms - known[0] < IDENTICAL_MS}
        self._answers = {**recent, question.question: (question.at_ms, bars)}
        return bars

    def _bar(self, ticker: str, row: BarData) -> Bar:
        start_ms = epoch_ms(str(row.date), self._gateway_zone)
        if start_ms % BAR_MS:
            raise UnknownBrokerWord(f"start of a history bar of {ticker}", row.date, "a multiple of 10 s")
        if not all(map(math.isfinite, (row.open, row.high, row.low, row.close, row.volume))):
            raise UnknownBrokerWord(f"history bar of {ticker}", row, "finite prices and a finite volume")
        volume = whole_volume(row.volume)
        return Bar(ticker, start_ms, row.open, row.high, row.low, row.close, volume, flat=volume == 0)


def _once_each(bars: list[Bar], end_ms: int) -> list[Bar]:
    """In order of time; the broker counts durations in its own way, so that pieces may overlap."""
    by_start = {bar.start_ms: bar for bar in bars if bar.end_ms <= end_ms}
    return [by_start[start_ms] for start_ms in sorted(by_start)]


def _fill_until_ms(listing: Listing, bars: list[Bar], end_ms: int) -> int | None:
    """Up to where bars without trades are certain: the end, inside the regular session of the last bar."""
    close_ms = listing.regular_close_ms(bars[-1].start_ms) if bars else None
    return None if close_ms is None else min(end_ms, close_ms)
