"""Connecting: the same steps at the start, after a crash and after every lost link."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from broker.errors import RequestRefused, RequestTimedOut
from core.events import HistoryLoaded, InstrumentRead
from runtime.ports import Broker, Clock
from runtime.session import Session

WARM_UP_SECONDS = 3_600
"""History asked for at the start: 360 ten-second bars, far more than ATR(14) needs, within one request of IB's limits."""

BAR_MS = 10_000

log = logging.getLogger(__name__)


class Connector:
    """Brings a session's broker connection from nothing to subscribed, with no bar missing."""

    def __init__(
        self, session: Session, broker: Broker, clock: Clock, tickers: tuple[str, ...], hear_time: Callable[[], Awaitable[None]]
    ) -> None:
        self._session = session
        self._broker = broker
        self._clock = clock
        self._tickers = tickers
        self._hear_time = hear_time

    async def connect(self) -> None:
        """Connect and read account and contracts. The engine itself asks for the read-back. Raises BrokerUnavailable."""
        await self._broker.connect()
        await self._hear_time()
        now_ms = self._clock.now_ms()
        for instrument in await self._broker.read_instruments(self._tickers):
            self._session.inbox.put(InstrumentRead(now_ms, instrument))
        self._session.inbox.put(await self._broker.read_account())

    async def subscribe(self) -> None:
        """Subscribe first and fill the gap from history after, so that no bar falls between the two."""
        self._broker.subscribe(self._tickers)
        await self.load_history()

    async def load_history(self) -> None:
        """Give every ticker the bars between its newest and now; one that the broker refuses is left to its live bars."""
        for ticker in self._tickers:
            now_ms = self._clock.now_ms()
            newest_ms = self._session.engine.newest_bar_end_ms(ticker)
            missing_ms = now_ms - newest_ms if newest_ms is not None else WARM_UP_SECONDS * 1000
            if missing_ms < BAR_MS:
                continue
            seconds = min(-(-missing_ms // BAR_MS) * 10, WARM_UP_SECONDS)
            try:
                bars = await self._broker.read_history(ticker, now_ms, seconds)
            except (RequestRefused, RequestTimedOut) as missing:
                log.warning("no history for %s: %s", ticker, missing)
                continue
            self._session.inbox.put(HistoryLoaded(now_ms, ticker, bars))
