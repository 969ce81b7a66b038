"""What being connected takes, and what becomes of a connection that does not answer."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from broker.errors import RequestTimedOut
from core.events import AccountRead
from runtime.chores import Chores
from runtime.connector import Connector

READ = AccountRead(1_000, None, None, None)


class Silent:
    """A broker that takes the login; each of its questions may be left without an answer."""

    def __init__(self, *unanswered: str) -> None:
        self.unanswered = set(unanswered)
        self.did: list[str] = []

    async def connect(self) -> None:
        self.did.append("connect")

    async def close(self, reason: str) -> None:
        self.did.append(f"close: {reason}")

    def subscribe(self, _tickers: tuple[str, ...]) -> None:
        self.did.append("subscribe")

    async def read_instruments(self, _tickers: tuple[str, ...]) -> tuple[()]:
        self._answer("contracts")
        return ()

    async def read_account(self) -> AccountRead:
        self._answer("account")
        return READ

    async def hear_time(self) -> None:
        self._answer("time")

    def _answer(self, question: str) -> None:
        self.did.append(question)
        if question in self.unanswered:
            raise RequestTimedOut(question, 15)


def make(broker: Any) -> tuple[Connector, Chores, list[Any]]:
    """A connector without tickers, its queue, and what the engine would hear."""
    clock, heard = SimpleNamespace(now_ms=lambda: 1_000), list[Any]()
    session: Any = SimpleNamespace(inbox=SimpleNamespace(put=heard.append))
    hours: Any = None
    history = Chores(clock)
    connector = Connector(session, broker, clock, (), hours, broker.hear_time, broker.hear_time, history)
    return connector, history, heard


async def test_the_account_summary_is_asked_for_beside_what_follows() -> None:
    broker = Silent()
    connector, history, heard = make(broker)
    await connector.connect()
    connector.subscribe()
    assert broker.did == ["connect", "time", "contracts", "subscribe"]
    await history.drain()
    assert heard == [READ]


async def test_without_an_account_summary_the_link_stays() -> None:
    broker = Silent("account")
    connector, history, heard = make(broker)
    await connector.connect()
    connector.subscribe()
    await history.drain()
    await history.drain()
    assert broker.did == ["connect", "time", "contracts", "subscribe", "account"]
    assert heard == []


@pytest.mark.parametrize("question", ["time", "contracts"])
async def test_a_connection_that_does_not_answer_is_given_up_at_once(question: str) -> None:
    broker = Silent(question)
    connector, _, _ = make(broker)
    with pytest.raises(RequestTimedOut):
        await connector.connect()
    assert broker.did[-1] == f"close: no answer to {question} within 15 s"
