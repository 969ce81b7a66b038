"""Real clients against a real gateway, in deterministic time: a second passes when a client asks for the time."""

from __future__ import annotations

import asyncio
import struct
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import ib_async
import ibapi.client
from ibapi.client import EClient
from ibapi.contract import Contract
from ibapi.wrapper import EWrapper

from simulator.app import Gateway
from simulator.options import Options
from simulator.wire.framing import AnswerCutter, fields_of, message
from tests.support.gateways import gateway_of

ACCOUNT = "DU1234567"
PATIENCE_SECONDS = 20.0
"""How long a test waits for something that must come; only a broken gateway makes anyone wait that long."""


async def eventually(condition: Callable[[], bool]) -> None:
    """Let the loop turn until something is so."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition():
            await asyncio.sleep(0)


@asynccontextmanager
async def running(**changes: Any) -> AsyncIterator[Gateway]:
    """A gateway of the synthetic market in deterministic time, two minutes after the opening bell."""
    options = Options(**{"port": 0, "deterministic": True, "start": "09:32", "outage_seconds": 0, **changes})
    async with gateway_of(options) as gateway:
        yield gateway


@asynccontextmanager
async def ib(gateway: Gateway, version: int = 178, client_id: int = 1) -> AsyncIterator[ib_async.IB]:
    """ib_async's whole front, connected and in step with its start-up requests."""
    front = ib_async.IB()
    front.client.MaxClientVersion = version
    front.client.MaxRequests = 0
    front.RaiseRequestErrors = True
    front.TimezoneTWS = "US/Eastern"
    await front.connectAsync("127.0.0.1", gateway.port, client_id, timeout=PATIENCE_SECONDS, raiseSyncErrors=True)
    try:
        yield front
    finally:
        front.disconnect()


async def pass_seconds(front: ib_async.IB, count: int = 1) -> None:
    """Let simulated seconds pass."""
    for _ in range(count):
        await front.reqCurrentTimeAsync()


class Official(EWrapper, EClient):
    """The official client; every callback is kept as (name, arguments), so that tests can wait for it."""

    def __init__(self) -> None:
        EClient.__init__(self, self)
        self.calls: list[tuple[str, tuple[Any, ...]]] = []
        self._arrived = threading.Condition()

    def __getattribute__(self, name: str) -> Any:
        found = object.__getattribute__(self, name)
        if name.startswith("_") or name not in EWrapper.__dict__:
            return found
        return lambda *arguments, **named: self._keep(name, (*arguments, *named.values()))

    def _keep(self, name: str, arguments: tuple[Any, ...]) -> None:
        with self._arrived:
            self.calls.append((name, arguments))
            self._arrived.notify_all()

    def of(self, name: str) -> list[tuple[Any, ...]]:
        """The arguments of every call of this callback so far."""
        return [arguments for called, arguments in self.calls if called == name]

    async def until(self, name: str, count: int = 1) -> list[tuple[Any, ...]]:
        """Wait until this callback has come `count` times."""

        def wait() -> bool:
            with self._arrived:
                return self._arrived.wait_for(lambda: len(self.of(name)) >= count, PATIENCE_SECONDS)

        assert await asyncio.to_thread(wait), f"no {name}; came: {[called for called, _ in self.calls][-20:]}"
        return self.of(name)

    async def second(self) -> None:
        """Let a simulated second pass."""
        before = len(self.of("currentTime"))
        self.reqCurrentTime()
        await self.until("currentTime", before + 1)


@asynccontextmanager
async def official(
    gateway: Gateway, version: int = 178, client_id: int = 1, make: Callable[[], Official] = Official
) -> AsyncIterator[Official]:
    """The official client, started, its reader on a thread of its own."""
    client = make()
    usual, ibapi.client.MAX_CLIENT_VER = ibapi.client.MAX_CLIENT_VER, version
    try:
        await asyncio.to_thread(client.connect, "127.0.0.1", gateway.port, client_id)
    finally:
        ibapi.client.MAX_CLIENT_VER = usual
    loop = threading.Thread(target=client.run, daemon=True)
    loop.start()
    try:
        await client.until("nextValidId")
        yield client
    finally:
        client.disconnect()
        await asyncio.to_thread(loop.join, PATIENCE_SECONDS)


def stock(symbol: str) -> Contract:
    """A US stock as the official client describes it."""
    contract = Contract()
    contract.symbol, contract.secType, contract.exchange, contract.currency = symbol, "STK", "SMART", "USD"
    return contract


class Raw:
    """A client that speaks fields: for what no library would ever send."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self._cutter = AnswerCutter()
        self._ready: list[list[str]] = []

    @classmethod
    async def connect(cls, port: int, client_id: int | None = 1, offer: str = "v157..178") -> Raw:
        """Connect, shake hands and start (client id None: not started)."""
        raw = cls(*await asyncio.open_connection("127.0.0.1", port))
        raw.writer.write(b"API\0" + struct.pack(">I", len(offer)) + offer.encode())
        await raw.next()
        if client_id is not None:
            raw.send(71, 2, client_id, "")
            await raw.until("9")
        return raw

    def send(self, *fields: object) -> None:
        """One request."""
        self.writer.write(message([str(field) for field in fields]))

    async def next(self) -> list[str]:
        """The next message; empty when the server has closed."""
        while not self._ready:
            chunk = await asyncio.wait_for(self.reader.read(65536), PATIENCE_SECONDS)
            if not chunk:
                return []
            self._ready += [fields_of(payload) for payload in self._cutter.feed(chunk)]
        return self._ready.pop(0)

    async def until(self, *wanted: str) -> list[list[str]]:
        """Every message up to the first that starts with these fields."""
        seen = []
        while True:
            fields = await self.next()
            assert fields, f"closed before {wanted}; came: {seen[-10:]}"
            seen.append(fields)
            if tuple(fields[: len(wanted)]) == wanted:
                return seen

    async def second(self) -> list[list[str]]:
        """Let a simulated second pass; all that it brought, the time last."""
        self.send(49, 1)
        return await self.until("49")

    async def ended(self) -> None:
        """Wait until the server has closed."""
        while await self.next():
            pass

    def close(self) -> None:
        """Close the socket."""
        self.writer.close()


def contract_fields(symbol: str) -> list[object]:
    """The twelve contract fields of a US stock."""
    return [0, symbol, "STK", "", 0.0, "", "", "SMART", "", "USD", "", ""]
