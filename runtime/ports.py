"""What the session needs from the rooms below it, as Protocols; broker/, predictions/ and db/ fulfil them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable
from typing import Protocol

from broker.errors import ContractUnknown
from core.commands import Commands
from core.events import AccountRead, Event
from core.market import Bar, Instrument, Prediction, PredictionProblem
from core.records import Alert
from db.journal import JournalRow as JournalRow  # defined below us: imports point down

Emit = Callable[[Event], None]
"""Takes an event into the inbox; called from the broker's callbacks, in the order of the wire."""


class Clock(Protocol):
    """The session's time. In a simulation it is the broker's."""

    def now_ms(self) -> int:
        """UTC epoch ms; never goes backwards."""


class Broker(Protocol):
    """One persistent connection to TWS or IB Gateway. It decides nothing; what it hears it emits as events."""

    async def connect(self) -> None:
        """Connect and wait until usable. Raises `BrokerUnavailable`, whose text says in words what is wrong."""

    async def close(self, reason: str = "closed by us") -> None:
        """Disconnect; live orders stay at the broker."""

    def send(self, commands: Commands) -> None:
        """Write the orders among these commands to the socket, without waiting. Other commands are passed over."""

    def subscribe(self, tickers: Iterable[str]) -> None:
        """Ask for quotes and 5-second bars; answers arrive as `QuoteChanged`, `BarClosed`, `MarketDataSeen`."""

    async def read_instruments(self, tickers: Iterable[str]) -> tuple[Instrument | ContractUnknown, ...]:
        """Contract details and market rule of each ticker, in their order, or why the broker gives none."""

    async def read_back(self) -> None:
        """Read all open orders of the account, executions since midnight and positions; complete or an exception.

        The answer is emitted as one `BrokerRead` from within the callback that completes it, so that it stands in the
        order of the wire before whatever follows. Orders or executions reported while the answers come in are part of
        it, or the reading is repeated: it is one consistent picture as of its place in the stream.
        """

    async def read_account(self) -> AccountRead:
        """Buying power, net liquidation, day trades remaining."""

    async def read_history(self, ticker: str, end_ms: int, duration_seconds: int) -> tuple[Bar, ...]:
        """Closed 10-second TRADES bars in regular hours before `end_ms`, gaps filled with flat bars, oldest first."""

    async def read_time_ms(self) -> int:
        """The broker's time (`reqCurrentTime`): the heartbeat; in deterministic time the barrier as well."""


class AlertSink(Protocol):
    """Carries notices to people; never blocks and never raises into the session."""

    def send(self, alert: Alert) -> None:
        """Deliver in the background; one notice per key until it is cleared."""

    def clear(self, at_ms: int, key: str, text: str) -> None:
        """Say that the condition is over, if it was said to have begun."""


class PredictionSource(Protocol):
    """Where predictions come from."""

    def answers(self, tickers: Iterable[str]) -> AsyncGenerator[Prediction | PredictionProblem]:
        """Ask for all tickers concurrently; one answer each, as they come. Never raises for a failed answer."""

    async def close(self) -> None:
        """Release the connection."""
