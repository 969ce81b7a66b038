"""Garbage, huge lengths, half-closed and never-reading peers: nothing breaks, nobody else notices."""

from __future__ import annotations

import asyncio
import errno
import random
import socket
import struct
from typing import Any

import ib_async
import pytest
import pytest_asyncio

from simulator.server.connection import UNSENT_BYTES_MAX
from tests.simulator.wire.clients import Raw, contract_fields, eventually, ib, running
from tests.simulator.wire.mutations import spoiled, valid_frames

SEED = 20_250_312
FRAMES = 2_000


@pytest_asyncio.fixture
async def failures() -> list[dict[str, Any]]:
    """What the event loop reports as broken while a test runs."""
    found: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: found.append(context))
    return found


async def vandal(port: int, number: int, frames: list[bytes], chance: random.Random) -> int:
    """One connection that sends spoiled frames until it breaks the stream or has had enough; how many it sent."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    if chance.random() < 0.9:
        writer.write(b"API\0" + struct.pack(">I", 9) + b"v157..178")
        await reader.read(4096)
        writer.write(struct.pack(">I", 12) + b"71\x002\x00%05d\x00\x00" % (1000 + number))
    sent, goes_on = 0, True
    while goes_on and sent < 30 and not writer.is_closing():
        whole, goes_on = spoiled(frames, chance)
        writer.write(whole)
        sent += 1
        await asyncio.sleep(0)
    try:
        writer.write_eof()
        while await reader.read(1 << 16):
            pass  # the server closes once it has taken everything
    except OSError as error:
        assert isinstance(error, ConnectionError) or error.errno == errno.ENOTCONN, error
    writer.transport.abort()
    return sent


async def test_two_thousand_spoiled_frames(failures: list[dict[str, Any]]) -> None:
    print("seed", SEED)
    chance = random.Random(SEED)
    frames = valid_frames()
    async with running(deterministic=False, speed=50.0) as gateway, ib(gateway, client_id=1) as neighbour:
        bars = neighbour.reqRealTimeBars(
            ib_async.Stock("GLD", "SMART", "USD", conId=51529211), 5, "TRADES", useRTH=False
        )
        sent = number = 0
        while sent < FRAMES:
            number += 1
            sent += await vandal(gateway.port, number, frames, chance)
            if number % 100 == 0:
                before = len(bars)
                await bars.updateEvent
                assert len(bars) > before
        print(sent, "frames over", number, "connections")
        async with ib(gateway, client_id=2) as fresh:
            assert await fresh.reqContractDetailsAsync(ib_async.Stock("SOXL", "SMART", "USD"))
        assert gateway.venue.completed_orders() or gateway.venue.open_orders()  # vandals got through to the exchange
        times = [bar.time for bar in bars]
        assert times == sorted(set(times))
    assert failures == []


async def test_every_request_is_served_without_an_error_of_ours(failures: list[dict[str, Any]]) -> None:
    async with running() as gateway:
        raw = await Raw.connect(gateway.port)
        for whole in valid_frames():
            raw.writer.write(whole)
            if whole[4:7] == b"49\0":
                await raw.until("49")
        seen = await raw.second()
        assert [fields for fields in seen if fields[0] == "4" and fields[3] in ("320", "321")] == []
        raw.close()
    assert failures == []


async def test_a_stranger_is_shown_the_door() -> None:
    async with running() as gateway:
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        assert await reader.read() == b""


async def test_a_huge_length_costs_nothing_but_the_connection() -> None:
    async with running() as gateway:
        raw = await Raw.connect(gateway.port, client_id=1)
        raw.writer.write(b"\xff\xff\xff\xff" + b"x" * 1000)
        with pytest.raises(ConnectionResetError):
            await raw.ended()
            raise ConnectionResetError("closed with FIN")
        again = await Raw.connect(gateway.port, client_id=1)
        again.close()


async def test_too_many_silent_sockets_do_not_lock_the_door_for_ever() -> None:
    async with running() as gateway:
        silent = [await asyncio.open_connection("127.0.0.1", gateway.port) for _ in range(70)]
        refused = 0
        for reader, _ in silent[64:]:
            try:
                refused += await reader.read() == b""
            except ConnectionResetError:
                refused += 1
        assert refused == 6
        silent[0][1].close()
        await silent[0][1].wait_closed()
        await eventually(lambda: len(gateway.hub.sessions()) < 64)
        raw = await Raw.connect(gateway.port)
        for _, writer in silent:
            writer.close()
        raw.close()


async def test_a_peer_that_never_reads_is_cut_off_and_stalls_nobody() -> None:
    """In running time: a barrier client that does not answer would hold the clock, as it should."""
    async with running(deterministic=False, speed=1.0, observers=frozenset()) as gateway:
        deaf = socket.create_connection(("127.0.0.1", gateway.port))
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.sendall(b"API\0" + struct.pack(">I", 9) + b"v157..178")
        deaf.sendall(struct.pack(">I", 8) + b"71\x002\x001\x00\x00")
        await eventually(lambda: gateway.hub.client(1) is not None)
        session = gateway.hub.client(1)
        for _ in range(UNSENT_BYTES_MAX // (1 << 20) + 8):
            gateway.hub.send(session, b"46\x006\x001\x0045\x00" + b"9" * (1 << 20) + b"\x00")
            gateway.hub.flush()
        await eventually(lambda: gateway.hub.client(1) is None)
        neighbour = await Raw.connect(gateway.port, client_id=1)
        neighbour.send(9, 8, 1, *contract_fields("SOXL"), 0, "", "", "")
        await neighbour.until("52")
        neighbour.close()
        deaf.close()
