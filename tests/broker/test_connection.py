"""Connecting, and what is said when it fails (cases 8, 10, 11): real sockets on both ends."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from broker.connection import is_paper
from broker.errors import BrokerUnavailable, RequestTimedOut, Unavailability
from broker.pacing import LIMITS, Priority
from core.commands import PlaceOrders
from core.events import BrokerRead, ExecutionReported, LinkChanged, OrderErrorReported
from core.vocabulary import Action, ErrorKind, Leg, Link, OrderKind
from tests.broker.desk import Desk, bracket, gateway, order

QUICK = {"connect_seconds": 0.5, "request_seconds": 0.3, "heartbeat_seconds": 0.3}
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], None]


def frame(*fields: object) -> bytes:
    body = b"".join(str(field).encode() + b"\0" for field in fields)
    return struct.pack(">I", len(body)) + body


VERSION = frame(178, "20250312 09:35:00 US/Eastern")


@asynccontextmanager
async def peer(*answers: bytes, hang_up: bool = False) -> AsyncIterator[int]:
    """A server that answers the n-th chunk that it reads with the n-th of these, then goes silent or hangs up."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in answers:
            if not await reader.read(4096):
                break
            writer.write(answer)
        if hang_up:
            writer.close()
        else:
            await reader.read()
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def refusal(port: int, account: str = "DU1234567", client_id: int = 7) -> BrokerUnavailable:
    desk = Desk(port, client_id, account, **QUICK)
    with pytest.raises(BrokerUnavailable) as refused:
        await desk.broker.connect()
    assert not desk.broker.is_connected
    assert desk.events == []
    return refused.value


async def test_case_11_gateway_down() -> None:
    server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    refused = await refusal(port)
    assert refused.why is Unavailability.DOWN
    assert f"no gateway on 127.0.0.1:{port}" in str(refused)


async def test_case_10_accept_then_silence() -> None:
    async with peer() as port:
        refused = await refusal(port)
    assert refused.why is Unavailability.SILENT
    assert "says nothing in 0.5 s" in str(refused)


async def test_case_11_up_but_not_logged_in() -> None:
    async with peer(VERSION, b"") as port:
        refused = await refusal(port)
    assert refused.why is Unavailability.NOT_LOGGED_IN
    assert "names no account" in str(refused)


async def test_case_11_a_gateway_that_is_too_old_says_so() -> None:
    async with peer(frame(156, "20250312 09:35:00 US/Eastern"), b"") as port:
        refused = await refusal(port)
    assert refused.why is Unavailability.TOO_OLD
    assert "speaks version 156 of the API, 157 or newer is needed: update it" in str(refused)


async def test_hung_up_before_the_login() -> None:
    async with peer(VERSION, hang_up=True) as port:
        refused = await refusal(port)
    assert refused.why is Unavailability.NOT_LOGGED_IN
    assert "hung up at once" in str(refused)


async def test_case_8_client_id_taken_and_free_again() -> None:
    async with gateway() as started:
        holder = Desk(started.port, client_id=7)
        await holder.start("SOXL")
        refused = await refusal(started.port, client_id=7)
        assert refused.why is Unavailability.CLIENT_ID_TAKEN
        assert "client id 7 is in use" in str(refused)
        assert await holder.broker.read_account()
        await holder.broker.close()
        heir = Desk(started.port, client_id=7)
        await heir.start("SOXL")
        await heir.broker.close()


async def test_case_11_wrong_account_and_wrong_mode() -> None:
    async with gateway() as started:
        other = await refusal(started.port, account="DU7654321")
        assert other.why is Unavailability.WRONG_ACCOUNT
        assert "serves DU1234567" in str(other)
        live = await refusal(started.port, account="U1234567")
        assert live.why is Unavailability.WRONG_MODE
        assert "wrong port or login" in str(live)


async def test_case_11_read_only() -> None:
    async with gateway(read_only=True) as started:
        desk = Desk(started.port)
        await desk.start("SOXL")
        desk.broker.send((bracket("SOXL", 1, "5.00", "500.00"),))
        await desk.tick()
        errors = desk.of(OrderErrorReported)
        assert [(error.code, error.kind) for error in errors] == [(321, ErrorKind.REJECTED)] * 3
        await desk.broker.close()


async def test_case_10_an_unanswered_heartbeat_is_a_lost_link() -> None:
    async with peer(VERSION, frame(15, 1, "DU1234567") + frame(9, 1, 5), b"") as port:
        desk = Desk(port, **QUICK)
        await desk.broker.connect()
        with pytest.raises(RequestTimedOut, match="the heartbeat"):
            await desk.broker.read_time_ms()
    assert [event.link for event in desk.of(LinkChanged)] == [Link.CONNECTED, Link.LOST]
    assert not desk.broker.is_connected


async def test_case_10_silence_after_the_login_is_never_told_as_connected() -> None:
    async with peer(VERSION, frame(15, 1, "DU1234567") + frame(9, 1, 5), b"") as port:
        desk = Desk(port, deterministic=False, **QUICK)
        with pytest.raises(RequestTimedOut, match="the heartbeat"):
            await desk.broker.connect()
    assert desk.events == []
    assert not desk.broker.is_connected


async def test_case_2_a_dead_socket_is_told_at_once_and_once() -> None:
    async with gateway() as started:
        desk = Desk(started.port)
        await desk.start("SOXL")
        waiting = asyncio.ensure_future(desk.broker.read_time_ms())
        batches = desk.batches
        await started.stop()
        with pytest.raises(BrokerUnavailable) as lost:
            await waiting
    assert lost.value.why is Unavailability.LOST
    assert [event.link for event in desk.of(LinkChanged)] == [Link.CONNECTED, Link.LOST]
    assert desk.batches > batches
    with pytest.raises(BrokerUnavailable, match="not connected"):
        await desk.broker.read_account()


async def test_a_reset_that_is_not_heard_yet_hides_no_loss() -> None:
    talking: list[asyncio.StreamWriter] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talking.append(writer)
        for answer in (VERSION, frame(15, 1, "DU1234567") + frame(9, 1, 5)):
            await reader.read(4096)
            writer.write(answer)

    async with await asyncio.start_server(talk, "127.0.0.1", 0) as server:
        desk = Desk(server.sockets[0].getsockname()[1], **QUICK)
        await desk.broker.connect()
        linger_none = struct.pack("ii", 1, 0)  # closing resets
        talking[0].get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger_none)
        talking[0].transport.abort()
        await asyncio.sleep(0)  # the reset is out; our own loop has not looked at its socket yet
        await desk.broker.close()
    assert [event.link for event in desk.of(LinkChanged)] == [Link.CONNECTED, Link.LOST]
    assert not desk.broker.is_connected


@pytest.mark.parametrize("was_subscribed", [False, True])
async def test_case_9_data_lost_during_a_login_is_left_to_what_follows_it(*, was_subscribed: bool) -> None:
    """There is nothing to subscribe anew, and no client yet to do it with: whoever connects subscribes after it."""
    restored = frame(4, 2, -1, 1101, "Connectivity has been restored - data lost.", "")
    async with gateway() as started, peer(VERSION, restored + frame(15, 1, "DU1234567") + frame(9, 1, 5)) as port:
        desk = Desk(started.port)
        if was_subscribed:
            await desk.start("SOXL")
            desk.broker.subscribe(("SOXL",))
        desk.broker._port = port
        await desk.broker.connect()
        assert desk.failures == []
        assert desk.of(LinkChanged)[-1].link is Link.CONNECTED
        await desk.broker.close()


async def test_case_21_a_link_cut_during_the_read_back_is_no_answer() -> None:
    end_of_orders = frame(53, 1)
    async with peer(VERSION, frame(15, 1, "DU1234567") + frame(9, 1, 5), end_of_orders, hang_up=True) as port:
        desk = Desk(port, **QUICK)
        await desk.broker.connect()
        with pytest.raises(BrokerUnavailable):
            await desk.broker.read_back()
    assert "BrokerRead" not in desk.kinds()


async def test_case_21_a_missing_end_is_no_answer() -> None:
    ends = frame(53, 1) + frame(62, 1)
    async with peer(VERSION, frame(15, 1, "DU1234567") + frame(9, 1, 5), ends) as port:
        desk = Desk(port, **QUICK)
        await desk.broker.connect()
        with pytest.raises(RequestTimedOut, match="read-back"):
            await desk.broker.read_back()
        assert "BrokerRead" not in desk.kinds()
        await desk.broker.close()


async def test_a_new_connection_replaces_the_old_one() -> None:
    async with gateway() as started:
        desk = Desk(started.port)
        await desk.start("SOXL")
        await desk.start("SOXL")
        assert [event.link for event in desk.of(LinkChanged)] == [Link.CONNECTED, Link.LOST, Link.CONNECTED]
        await desk.broker.close()
        await desk.broker.close()
        assert [event.link for event in desk.of(LinkChanged)][-1] is Link.LOST


def test_paper_accounts_begin_with_d() -> None:
    assert is_paper("DU1234567")
    assert is_paper("DF55555")
    assert not is_paper("U1234567")


async def test_case_1_a_fill_while_the_link_was_down_is_in_the_next_read_back_once() -> None:
    async with gateway(outage_seconds=20) as started:
        desk = Desk(started.port)
        await desk.start("SOXL")
        at_ms = desk.clock.at_ms + 10_000
        timed = replace(order("SOXL", 1, Leg.EXIT, Action.BUY, OrderKind.MARKET, 10), good_after_ms=at_ms)
        desk.broker.send((PlaceOrders((timed,)),))
        await desk.tick()
        assert desk.of(ExecutionReported) == []
        await desk.broker.close()
        await desk.start("SOXL")
        await desk.broker.read_back()
        (picture,) = desk.of(BrokerRead)
        assert [(fill.order_ref, fill.shares) for fill in picture.executions] == [(timed.order_ref, 10)]
        assert [(row.ticker, row.shares) for row in picture.positions] == [("SOXL", 10)]
        assert picture.orders == ()
        assert desk.of(ExecutionReported) == []
        await desk.broker.close()


async def test_in_running_time_a_burst_above_the_rule_is_paced_and_arrives_whole() -> None:
    # fast, so that the gateway's seconds pass sooner than ours and only our own pacing is what it can count
    async with gateway(deterministic=False, speed=600.0) as started:
        desk = Desk(started.port, deterministic=False)
        desk.clock.at_ms = 1
        await desk.broker.connect()
        await desk.broker.read_instruments(("SOXL",))
        specs = [order("SOXL", n, Leg.TARGET, Action.BUY, OrderKind.LIMIT, 1, limit="1.00") for n in range(60)]
        for spec in specs:
            desk.broker.send((PlaceOrders((spec,)),))
        queue = desk.broker._queue
        assert len(queue) == 60 - (LIMITS[Priority.EXIT] - 4)
        while len(queue):
            desk.clock.at_ms += 200
            await desk.broker.read_time_ms()
        await desk.broker.read_back()
        (picture,) = desk.of(BrokerRead)
        assert {one.order_ref for one in picture.orders} == {spec.order_ref for spec in specs}
        await desk.broker.close()
        assert desk.failures == []
