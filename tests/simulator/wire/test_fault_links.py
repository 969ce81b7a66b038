"""Faults of connections, each seen from a client's side of the socket."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Any

import ib_async
import pytest

from simulator.app import Gateway
from simulator.clock import eastern_ms
from simulator.faults.script import parse
from tests.simulator.wire.clients import Raw, contract_fields, eventually, ib, pass_seconds, running

SOXL = ib_async.Stock("SOXL", "SMART", "USD", conId=72539725)


def inject(gateway: Gateway, **entry: Any) -> None:
    """Do it now, or as the entry says."""
    timed = entry if "when" in entry or "at" in entry else {"at": "+0", **entry}
    gateway.faults.add(parse([timed], gateway.venue.clock.eastern().date(), gateway.hub.now_ms))
    gateway.faults.run_due()
    gateway.hub.settled()


def codes(seen: list[list[str]]) -> list[str]:
    return [fields[3] for fields in seen if fields[0] == "4" and fields[3] not in ("2104", "2106", "2158")]


def injected(gateway: Gateway) -> list[str]:
    return [entry.fault for entry in gateway.gate.log.entries]


@pytest.mark.parametrize("how", ["fin", "rst"])
async def test_a_drop_ends_the_socket_and_costs_its_seconds(how: str) -> None:
    async with running(outage_seconds=None) as gateway:
        raw = await Raw.connect(gateway.port)
        raw.send(1, 11, 1, *contract_fields("SOXL"), 0, "", 0, 0, "")
        await raw.second()
        before = gateway.hub.now_ms
        inject(gateway, drop={"how": how, "seconds": 45})
        if how == "rst":
            with pytest.raises(ConnectionResetError):
                await raw.ended()
        else:
            await raw.ended()
        again = await Raw.connect(gateway.port, client_id=1)
        assert gateway.hub.now_ms == before + 45_000
        assert injected(gateway) == ["drop"]
        again.close()


async def test_a_drop_that_names_clients_spares_the_others() -> None:
    async with running(observers=frozenset({2})) as gateway:
        first, second = await Raw.connect(gateway.port, 1), await Raw.connect(gateway.port, 2)
        inject(gateway, drop={"clients": 1})
        await first.ended()
        second.send(49, 1)
        await second.until("49")
        second.close()


async def test_running_time_refuses_sockets_until_the_drop_is_over() -> None:
    async with running(deterministic=False, speed=0.001) as gateway:
        raw = await Raw.connect(gateway.port)
        inject(gateway, drop={"seconds": 5})
        await raw.ended()
        with pytest.raises(OSError):
            await _refused(gateway.port)
        gateway.seconds.run_to(gateway.hub.now_ms + 5_000)
        again = await Raw.connect(gateway.port)
        again.close()


async def _refused(port: int) -> None:
    reader, _ = await asyncio.open_connection("127.0.0.1", port)
    if not await reader.read():
        raise ConnectionAbortedError("closed at once")


@pytest.mark.parametrize("fault", [{"half_open": {"seconds": 7}}, {"drop": {"how": "silent", "seconds": 7}}])
async def test_a_half_open_socket_stays_open_and_says_nothing(fault: dict[str, Any]) -> None:
    async with running() as gateway:
        raw = await Raw.connect(gateway.port)
        before = gateway.hub.now_ms
        inject(gateway, **fault)
        raw.send(49, 1)
        raw.send(17, 1)
        other = await Raw.connect(gateway.port, client_id=2)
        await other.second()
        assert not raw.reader._buffer
        assert not raw.reader.at_eof()
        assert gateway.hub.now_ms == before + 1_000
        other.close()
        raw.close()


async def test_a_half_open_socket_costs_its_seconds_when_the_client_gives_up() -> None:
    async with running() as gateway:
        raw = await Raw.connect(gateway.port)
        before = gateway.hub.now_ms
        inject(gateway, half_open={"seconds": 7})
        raw.close()
        await raw.writer.wait_closed()
        await eventually(lambda: not gateway.hub.sessions())
        again = await Raw.connect(gateway.port)
        assert gateway.hub.now_ms == before + 7_000
        again.close()


async def test_the_outage_of_a_lost_client_is_drawn_from_the_seed() -> None:
    lengths = []
    for seed in (1, 1, 2):
        async with running(outage_seconds=None, seed=seed) as gateway:
            raw = await Raw.connect(gateway.port)
            before = gateway.hub.now_ms
            raw.close()
            await raw.writer.wait_closed()
            await eventually(lambda: not gateway.hub.sessions())
            lengths.append(gateway.hub.now_ms - before)
    assert lengths[0] == lengths[1] != lengths[2]
    assert all(1_000 <= length <= 60_000 for length in lengths)


async def test_an_outage_within_an_outage_draws_it_out() -> None:
    async with running() as gateway:
        raw = await Raw.connect(gateway.port)
        before = gateway.hub.now_ms
        inject(gateway, at="+20", restart={"seconds": 40})
        inject(gateway, drop={"seconds": 30})
        await raw.ended()
        again = await Raw.connect(gateway.port, client_id=1)
        assert gateway.hub.now_ms == before + 60_000
        again.close()


async def test_accepted_then_silent() -> None:
    async with running() as gateway:
        inject(gateway, mute={"connections": 1})
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
        writer.write(b"API\0\0\0\0\x09v157..178")
        raw = await Raw.connect(gateway.port)
        await raw.second()
        assert not reader._buffer
        writer.close()
        raw.close()
        assert injected(gateway) == ["mute", "mute"]


async def test_up_but_not_logged_in() -> None:
    async with running() as gateway:
        inject(gateway, mute={"connections": 1, "stage": "start"})
        silent = await Raw.connect(gateway.port, client_id=None)
        silent.send(71, 2, 1, "")
        raw = await Raw.connect(gateway.port, client_id=1)
        await raw.second()
        assert not silent.reader._buffer
        silent.close()
        raw.close()


async def test_refused_sockets() -> None:
    async with running() as gateway:
        inject(gateway, refuse={"connections": 2})
        for _ in range(2):
            with pytest.raises(OSError):
                await _refused(gateway.port)
        raw = await Raw.connect(gateway.port)
        raw.close()


async def test_a_locked_out_client_id() -> None:
    async with running() as gateway:
        inject(gateway, lock_out={"connections": 2, "clients": [1]})
        for _ in range(2):
            raw = await Raw.connect(gateway.port, client_id=None)
            raw.send(71, 2, 1, "")
            assert (await raw.next())[3] == "326"
            await raw.ended()
        other = await Raw.connect(gateway.port, client_id=2)
        raw = await Raw.connect(gateway.port, client_id=1)
        raw.close()
        other.close()


@pytest.mark.parametrize("memory", [True, False])
async def test_a_restart_with_and_without_order_memory(memory: bool) -> None:
    async with running() as gateway:
        async with ib(gateway) as front:
            front.placeOrder(SOXL, ib_async.LimitOrder("BUY", 10, 1.0, tif="GTC"))
            await pass_seconds(front, 30)
            late = front.placeOrder(SOXL, ib_async.LimitOrder("BUY", 20, 1.0, tif="GTC"))
            await pass_seconds(front)
            assert late.orderStatus.status == "Submitted"
            inject(gateway, restart={"seconds": 30, "memory": memory, "forget_seconds": 5})
            await front.disconnectedEvent
        async with ib(gateway) as front:
            kept = [trade.order.totalQuantity for trade in front.openTrades()]
            assert kept == ([10, 20] if memory else [10])


async def test_connectivity_lost_and_restored_with_data_kept() -> None:
    async with running() as gateway:
        raw = await Raw.connect(gateway.port)
        raw.send(50, 3, 1, *contract_fields("SOXL"), 5, "TRADES", 1, "")
        inject(gateway, connectivity={"seconds": 10, "restored": 1102})
        gateway.venue.faults.manual_trade(gateway.venue.find(symbol="SOXL"), 10)
        during = [fields for _ in range(9) for fields in await raw.second()]
        assert codes(during) == ["1100"]
        assert not [fields for fields in during if fields[0] in ("50", "3", "5", "11")]
        after = [fields for _ in range(6) for fields in await raw.second()]
        assert codes(after) == ["1102"]
        assert [fields for fields in after if fields[0] == "50"]
        raw.close()


async def test_order_messages_wait_for_connectivity() -> None:
    async with running() as gateway, ib(gateway) as front:
        inject(gateway, connectivity={"seconds": 5})
        trade = front.placeOrder(SOXL, ib_async.MarketOrder("BUY", 10))
        await pass_seconds(front, 3)
        assert trade.orderStatus.status == "PendingSubmit"
        assert gateway.venue.executions() == []
        await pass_seconds(front, 3)
        assert trade.orderStatus.status == "Filled"
        assert len(trade.fills) == 1


async def test_fills_during_a_loss_of_connectivity_are_reported_afterwards() -> None:
    async with running() as gateway, ib(gateway) as front:
        trade = front.placeOrder(SOXL, ib_async.LimitOrder("BUY", 10, 1.0))
        await pass_seconds(front)
        inject(gateway, connectivity={"seconds": 5})
        inject(gateway, fill={})
        await pass_seconds(front, 3)
        assert trade.orderStatus.status == "Submitted"
        await pass_seconds(front, 3)
        assert (trade.orderStatus.status, len(trade.fills)) == ("Filled", 1)


async def test_connectivity_restored_with_data_lost() -> None:
    async with running() as gateway:
        raw = await Raw.connect(gateway.port)
        raw.send(50, 3, 1, *contract_fields("SOXL"), 5, "TRADES", 1, "")
        raw.send(1, 11, 2, *contract_fields("SOXL"), 0, "", 0, 0, "")
        await raw.second()
        inject(gateway, connectivity={"seconds": 2, "restored": 1101})
        seen = [fields for _ in range(10) for fields in await raw.second()]
        assert codes(seen) == ["1100", "1101"]
        assert not [fields for fields in seen if fields[0] in ("50", "1", "2")]
        raw.send(50, 3, 1, *contract_fields("SOXL"), 5, "TRADES", 1, "")
        seen = [fields for _ in range(5) for fields in await raw.second()]
        assert [fields for fields in seen if fields[0] == "50"]
        raw.close()


async def test_a_wrong_clock() -> None:
    async with running() as gateway:
        raw = await Raw.connect(gateway.port)
        inject(gateway, skew={"seconds": -7, "lasting_seconds": 2})
        times = [int((await raw.second())[-1][2]) * 1000 - gateway.hub.now_ms for _ in range(3)]
        assert times == [-7_000, 0, 0] or times == [-7_000, -7_000, 0]
        raw.close()


async def test_slow_reads_lose_nothing() -> None:
    async with running() as gateway:
        raw = await Raw.connect(gateway.port)
        inject(gateway, slow_read={"wall_ms": 50})
        raw.send(17, 1)
        assert (await raw.until("15"))[-1][0] == "15"
        raw.close()


async def test_a_code_out_of_the_blue() -> None:
    async with running() as gateway:
        raw = await Raw.connect(gateway.port)
        inject(gateway, code={"code": 2110})
        assert codes(await raw.second()) == ["2110"]
        raw.close()


async def test_the_nightly_reset_comes_by_itself_every_night() -> None:
    async with running(start="23:44", observers=frozenset({2})) as gateway:
        observer = await Raw.connect(gateway.port, client_id=2)
        gateway.seconds.run_to(gateway.hub.now_ms + 180_000)
        observer.send(49, 1)
        assert codes(await observer.until("49")) == ["1100", "1102"]
        assert injected(gateway) == ["nightly_reset", "restored"]
        assert gateway.faults.next_ms() == eastern_ms(date(2025, 3, 13), 23 * 3600 + 45 * 60)
        observer.close()
