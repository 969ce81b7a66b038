"""Connecting: the same steps at the start, after a crash and after every lost link."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterator
from functools import partial

from broker.errors import AnswerUnreadable, BrokerUnavailable, HistoryBudgetSpent, RequestRefused, RequestTimedOut
from core.events import HistoryLoaded, InstrumentMissing, InstrumentRead
from core.market import Bar, Instrument
from runtime.calendar import TradingHours
from runtime.chores import AskLater, Chores
from runtime.ports import Broker, Clock
from runtime.session import Session

REQUEST_SECONDS = 3_600
"""History in one request: 360 ten-second bars, far more than ATR(14) needs, and within IB's limit for small bars."""

BAR_MS = 10_000

CONTRACTS_AGAIN_MS = 60_000
"""A farm for contracts that is down is back within minutes; until then each question can keep history waiting."""

ACCOUNT_AGAIN_MS = 60_000
ACCOUNT_ATTEMPTS_MAX = 5
"""IB renews a summary every three minutes: a gateway that gives none for so long has none to give. What was known
before goes on to count, and the broker itself refuses what it does not cover."""

log = logging.getLogger(__name__)


class Connector:
    """Brings a session's broker connection from nothing to subscribed, with no bar missing."""

    def __init__(
        self,
        session: Session,
        broker: Broker,
        clock: Clock,
        tickers: tuple[str, ...],
        hours: TradingHours,
        hear_time: Callable[[], Awaitable[None]],
        pass_time: Callable[[], Awaitable[None]],
        history: Chores,
    ) -> None:
        self._session = session
        self._broker = broker
        self._clock = clock
        self._tickers = tickers
        self._hours = hours
        self._hear_time = hear_time
        self._pass_time = pass_time
        self._history = history
        self._missing: dict[str, str] = {}  # tickers without a contract, and why
        self._told: dict[str, str] = {}  # and what the engine has been told of it
        self._account_failures = 0  # in a row, on this connection
        self.is_subscribed = False

    async def connect(self) -> None:
        """Connect and read the contracts. The engine asks for the read-back. Raises BrokerUnavailable.

        A ticker without a contract keeps nothing from being traded or closed but itself from being entered.
        A connection that does not answer is given up at once, so that its end is told when it happens: kept until the
        next attempt, it would pass for sound meanwhile.
        """
        self.is_subscribed = False
        await self._broker.connect()
        try:
            await self._hear_time()
            await self._read_contracts(self._tickers)
        except BrokerUnavailable as unusable:
            await self._broker.close(str(unusable))
            raise

    def subscribe(self) -> None:
        """Subscribe first and ask for the history of the gap after, so that no bar falls between the two."""
        self._broker.subscribe(self._known())
        self.is_subscribed = True
        if self._missing:
            self._history.add("contracts", self._read_missing)
        self._account_failures = 0
        self._history.add("account", self._read_account)
        self.ask_history()

    def ask_history(self, *tickers: str) -> None:
        """Queue the history of these tickers, or of all; meanwhile the session goes on."""
        for ticker in tickers or self._known():
            if ticker not in self._missing:
                self._history.add(ticker, partial(self._load, ticker))

    def _known(self) -> tuple[str, ...]:
        return tuple(ticker for ticker in self._tickers if ticker not in self._missing)

    async def _read_contracts(self, tickers: tuple[str, ...]) -> None:
        """Tell the engine what each ticker is, or why that is not known: once, until the reason is another.

        Where none is known the link itself is degraded, which says enough.
        """
        answers = await self._broker.read_instruments(tickers)
        now_ms = self._clock.now_ms()
        for ticker, answer in zip(tickers, answers, strict=True):
            if isinstance(answer, Instrument):
                self._missing.pop(ticker, None)
                self._told.pop(ticker, None)
                self._session.inbox.put(InstrumentRead(now_ms, answer))
            else:
                self._missing[ticker] = str(answer)
        for ticker, problem in self._missing.items() if self._known() else ():
            if self._told.get(ticker) != problem:
                self._told[ticker] = problem
                self._session.inbox.put(InstrumentMissing(now_ms, ticker, problem))

    async def _read_missing(self) -> None:
        """Ask again for the contracts that the broker did not give; what it gives now is traded from now on."""
        wanted = tuple(self._missing)
        await self._read_contracts(wanted)
        found = tuple(ticker for ticker in wanted if ticker not in self._missing)
        if found:
            self._broker.subscribe(found)
            self.ask_history(*found)
        if self._missing:
            words = f"the broker gives no contract of {', '.join(self._missing)}"
            raise AskLater(words, self._clock.now_ms() + CONTRACTS_AGAIN_MS)

    async def _read_account(self) -> None:
        """Buying power is good to know, and no condition of being connected: what was missed is asked for again."""
        try:
            self._session.inbox.put(await self._broker.read_account())
        except (RequestRefused, RequestTimedOut) as missed:
            self._account_failures += 1
            if self._account_failures < ACCOUNT_ATTEMPTS_MAX:
                raise AskLater(str(missed), self._clock.now_ms() + ACCOUNT_AGAIN_MS) from missed
            log.warning("buying power is not known anew, nor asked for on this connection: %s", missed)

    async def load_history(self) -> None:
        """Wait until the history of every ticker that has a contract has come, however long the pacing rules demand."""
        for ticker in self._known():
            while not await self._is_loaded(ticker):
                pass

    async def _is_loaded(self, ticker: str) -> bool:
        """Load, or let the time pass in which it is forbidden."""
        try:
            await self._load(ticker)
        except HistoryBudgetSpent as spent:
            while self._clock.now_ms() < spent.retry_at_ms:
                await self._pass_time()
                self._session.pump()
            return False
        return True

    async def _load(self, ticker: str) -> None:
        """Give a ticker the bars between its newest and now; what the broker refuses, or garbles, is left to live bars.

        Span by span: what has come is not asked for again when the budget forbids the next.
        """
        for end_ms, seconds in self._spans(ticker):
            bars: tuple[Bar, ...] = ()
            try:
                bars = await self._broker.read_history(ticker, end_ms, seconds) if seconds else ()
            except (RequestRefused, RequestTimedOut, AnswerUnreadable) as missing:
                log.warning("no history for %s: %s", ticker, missing)
            self._session.inbox.put(HistoryLoaded(self._clock.now_ms(), ticker, bars, end_ms - end_ms % BAR_MS))

    def _spans(self, ticker: str) -> Iterator[tuple[int, int]]:
        """What to ask for, as (end in UTC epoch ms, seconds): the end of yesterday for a cold start, and today's gap.

        Never across the night: what a number of seconds means there is not documented. No seconds: nothing is missing.
        """
        newest_ms = self._session.engine.newest_bar_end_ms(ticker)
        if newest_ms is None:
            yield self._hours.previous_close_ms, REQUEST_SECONDS
        now_ms = min(self._clock.now_ms(), self._hours.close_ms)
        missing_ms = max(0, now_ms - max(newest_ms or 0, self._hours.open_ms))
        seconds = min(-(-missing_ms // BAR_MS) * BAR_MS // 1000, REQUEST_SECONDS)
        yield now_ms, seconds if missing_ms >= BAR_MS else 0
