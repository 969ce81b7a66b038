"""Client ids, order ids, the master client, orders by hand, read-only mode: who is who and who hears what."""

from __future__ import annotations

import asyncio

import ib_async
import pytest

from simulator.wire.framing import fields_of, message
from tests.simulator.wire.clients import ACCOUNT, Raw, contract_fields, ib, official, pass_seconds, running

SOXL = ib_async.Stock("SOXL", "SMART", "USD", conId=72539725)


async def test_nothing_is_sent_between_the_version_and_start_api() -> None:
    async with running() as gateway:
        raw = await Raw.connect(gateway.port, client_id=None)
        raw.send(61, 1)
        raw.send(71, 2, 7, "")
        seen = await raw.until("4", "2", "-1", "2158")
        assert [fields[0] for fields in seen] == ["15", "9", "4", "4", "4"]
        assert [len(fields) for fields in seen] == [3, 3, 6, 6, 6]
        raw.close()


async def test_the_version_answer_has_two_fields() -> None:
    async with running() as gateway:
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
        writer.write(b"API\0\0\0\0\x09v100..225")
        length = int.from_bytes(await reader.readexactly(4), "big")
        answer = fields_of(await reader.readexactly(length))
        assert answer == ["178", "20250312 13:32:00 Greenwich Mean Time"]
        writer.close()


async def test_a_client_id_in_use_is_refused_and_the_holder_is_not_disturbed() -> None:
    async with running() as gateway:
        holder = await Raw.connect(gateway.port, client_id=1)
        second = await Raw.connect(gateway.port, client_id=None)
        second.send(71, 2, 1, "")
        refusal = await second.next()
        assert refusal[:4] == ["4", "2", "-1", "326"]
        assert await second.next() == []
        holder.send(17, 1)
        assert (await holder.until("15", "1", ACCOUNT))[-1] == ["15", "1", ACCOUNT]
        holder.writer.write_eof()
        await holder.ended()
        third = await Raw.connect(gateway.port, client_id=1)
        third.close()


async def test_order_ids_go_on_after_a_reconnect_and_orders_live_on() -> None:
    async with running() as gateway:
        async with ib(gateway) as front:
            trade = front.placeOrder(SOXL, ib_async.LimitOrder("BUY", 10, 1.0, tif="GTC"))
            await pass_seconds(front)
            order_id = trade.order.orderId
        async with official(gateway, client_id=1) as client:
            ((next_id,),) = client.of("nextValidId")
            assert next_id > order_id
            client.reqOpenOrders()
            await client.until("openOrderEnd")
            assert [arguments[0] for arguments in client.of("openOrder")] == [order_id]


async def test_the_master_client_hears_of_every_order() -> None:
    async with running(master_client_id=9, observers=frozenset({9, 5})) as gateway:
        master = await Raw.connect(gateway.port, client_id=9)
        bystander = await Raw.connect(gateway.port, client_id=5)
        async with ib(gateway, client_id=1) as front:
            front.placeOrder(SOXL, ib_async.MarketOrder("BUY", 10))
            await pass_seconds(front, 2)
        master.send(49, 1)
        kinds = [fields[0] for fields in await master.until("49")]
        assert {"5", "3", "11", "59"} <= set(kinds)
        bystander.send(49, 1)
        assert {fields[0] for fields in await bystander.until("49")} == {"4", "49"}
        master.close()
        bystander.close()


async def test_client_zero_hears_of_orders_made_by_hand() -> None:
    async with running(observers=frozenset({5})) as gateway:
        zero = await Raw.connect(gateway.port, client_id=0)
        zero.send(15, 1, 1)
        gateway.venue.faults.manual_trade(gateway.venue.find(symbol="SOXL"), -50)
        seen = await zero.second()
        statuses = [fields for fields in seen if fields[0] == "3"]
        assert {fields[1] for fields in statuses} == {"0"}
        assert statuses[-1][2] == "Filled"
        other = await Raw.connect(gateway.port, client_id=5)
        other.send(15, 1, 1)
        assert (await other.until("4", "2", "-1", "327"))[-1][3] == "327"
        zero.close()
        other.close()


async def test_read_only_refuses_orders_and_answers_everything_else() -> None:
    async with running(read_only=True) as gateway, ib(gateway) as front:
        trade = front.placeOrder(SOXL, ib_async.MarketOrder("BUY", 10))
        await pass_seconds(front)
        assert [entry.errorCode for entry in trade.log if entry.errorCode] == [321]
        assert "Read-Only" in trade.log[-1].message
        assert await front.reqOpenOrdersAsync() == []
        assert await front.reqContractDetailsAsync(SOXL)


async def test_fields_that_cannot_be_read_draw_320_and_nothing_else() -> None:
    async with running() as gateway:
        raw = await Raw.connect(gateway.port)
        raw.send(1, 11, "ten", *contract_fields("SOXL"), 0, "", 0, 0, "")
        raw.send(777, 1)
        raw.send("x")
        raw.writer.write(message([]))
        seen = await raw.second()
        assert [fields[3] for fields in seen if fields[0] == "4" and fields[3] != "2104"][-4:] == ["320"] * 4
        raw.close()


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"bar": "7 secs"}, "321"),
        ({"duration": "1 X"}, "321"),
        ({"end": "yesterday"}, "10314"),
        ({"what": "GOSSIP"}, "162"),
        ({"symbol": "NOSUCH"}, "200"),
        ({"end": "20250311 15:00:00 US/Eastern", "keep": 1}, "321"),
        ({"duration": "300 D", "bar": "1 secs"}, "321"),
        ({"end": "19991231 15:00:00 US/Eastern"}, "162"),
    ],
)
async def test_history_requests_that_make_no_sense(changes: dict[str, object], code: str) -> None:
    asked = {"symbol": "SOXL", "end": "", "bar": "10 secs", "duration": "60 S", "what": "TRADES", "keep": 0, **changes}
    async with running() as gateway:
        raw = await Raw.connect(gateway.port)
        span = [asked["end"], asked["bar"], asked["duration"], 1, asked["what"], 1]
        raw.send(20, 5, *contract_fields(str(asked["symbol"])), 0, *span, asked["keep"], "")
        assert (await raw.until("4", "2", "5"))[-1][3] == code
        raw.close()


async def test_a_schedule_can_be_asked_for() -> None:
    async with running() as gateway:
        raw = await Raw.connect(gateway.port)
        raw.send(20, 5, *contract_fields("SOXL"), 0, "", "1 day", "3 D", 1, "SCHEDULE", 1, 0, "")
        assert (await raw.until("106", "5"))[-1][4:9] == [
            "US/Eastern", "3", "20250312-09:30:00", "20250312-16:00:00", "20250312",
        ]  # fmt: skip
        raw.close()


async def test_what_is_not_served_is_refused_under_its_own_id() -> None:
    async with running() as gateway:
        raw = await Raw.connect(gateway.port)
        raw.send(10, 5, 71, *contract_fields("SOXL"), 5, 0, "")
        raw.send(96, 72, *contract_fields("SOXL"), 0, "", "", 10, "TRADES", 1, 0, "")
        raw.send(10, 5)
        seen = await raw.second()
        refused = [fields[2:4] for fields in seen if fields[0] == "4" and fields[2:4] != ["-1", "2104"]]
        assert refused[-3:] == [["71", "10092"], ["72", "162"], ["-1", "320"]]
        raw.send(20, 73, *contract_fields("SOXL"), "perhaps", "", "10 secs", "60 S", 1, "TRADES", 1, 0, "")
        assert (await raw.until("4", "2", "73"))[-1][3] == "320"
        raw.close()


@pytest.mark.parametrize(
    ("changes", "is_known"),
    [
        ({0: 72539702, 1: "", 2: ""}, True),
        ({1: "TQQQ", 8: "NASDAQ"}, True),
        ({1: "TQQQ", 8: "ISLAND"}, True),
        ({1: "TQQQ", 7: "NASDAQ"}, True),
        ({1: "tqqq"}, True),
        ({1: "TQQQ", 8: "NYSE"}, False),
        ({1: "TQQQ", 9: "EUR"}, False),
        ({1: "TQQQ", 2: "FUT"}, False),
        ({1: "TQQQ", 2: ""}, False),
        ({0: 72539702, 1: "GLD"}, False),
        ({0: 1}, False),
        ({1: ""}, False),
        ({1: "", 10: "TQQQ"}, True),
    ],
)
async def test_which_contracts_are_found(changes: dict[int, object], is_known: bool) -> None:
    fields = contract_fields("TQQQ")
    for place, value in changes.items():
        fields[place] = value
    async with running() as gateway:
        raw = await Raw.connect(gateway.port)
        raw.send(9, 8, 1, *fields, 0, "", "", "")
        seen = await raw.second()
        assert bool([each for each in seen if each[0] == "10"]) is is_known
        assert bool([each for each in seen if each[3:4] == ["200"]]) is not is_known
        raw.close()
