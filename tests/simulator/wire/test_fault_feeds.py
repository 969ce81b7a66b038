"""Faults of data and of single messages."""

from __future__ import annotations

from typing import Any

import ib_async
import pytest

from simulator.app import Gateway
from simulator.faults.action import Action
from tests.simulator.wire.clients import Raw, contract_fields, ib, pass_seconds, running
from tests.simulator.wire.test_fault_links import codes, inject

SOXL = ib_async.Stock("SOXL", "SMART", "USD", conId=72539725)


async def seconds(raw: Raw, count: int) -> list[list[str]]:
    return [fields for _ in range(count) for fields in await raw.second()]


async def watching(gateway: Gateway) -> Raw:
    """A client that reads SOXL's ticks (1), bars (2) and growing history (3)."""
    raw = await Raw.connect(gateway.port)
    raw.send(1, 11, 1, *contract_fields("SOXL"), 0, "", 0, 0, "")
    raw.send(50, 3, 2, *contract_fields("SOXL"), 5, "TRADES", 1, "")
    raw.send(20, 3, *contract_fields("SOXL"), 0, "", "10 secs", "60 S", 1, "TRADES", 2, 1, "")
    await raw.second()
    return raw


def of(seen: list[list[str]], *kinds: str) -> list[list[str]]:
    return [fields for fields in seen if fields[0] in kinds]


@pytest.mark.parametrize(
    ("fault", "during", "after"),
    [
        ({"freeze": {"seconds": 10}}, [], []),
        ({"farm": {"farm": "market", "seconds": 10}}, ["2103"], []),
        ({"competing": {"seconds": 10}}, ["10197", "10197"], []),
    ],
)
async def test_data_stands_still_and_comes_back(fault: dict[str, Any], during: list[str], after: list[str]) -> None:
    async with running() as gateway:
        raw = await watching(gateway)
        inject(gateway, **fault)
        silent = await seconds(raw, 9)
        assert codes(silent) == during
        assert of(silent, "1", "2", "50", "90") == []
        back = await seconds(raw, 7)
        assert codes(back) == after
        assert of(back, "50")
        assert of(back, "1", "2")
        assert of(back, "90")
        raw.close()


async def test_a_broken_history_farm() -> None:
    async with running() as gateway:
        raw = await watching(gateway)
        inject(gateway, farm={"farm": "history", "seconds": 3})
        raw.send(20, 9, *contract_fields("GLD"), 0, "", "10 secs", "60 S", 1, "TRADES", 2, 0, "")
        assert codes(await seconds(raw, 5)) == ["2105", "162"]
        raw.send(20, 10, *contract_fields("GLD"), 0, "", "10 secs", "60 S", 1, "TRADES", 2, 0, "")
        assert of(await raw.second(), "17")
        raw.close()


async def test_who_connects_while_a_farm_is_broken_hears_so() -> None:
    async with running() as gateway:
        inject(gateway, farm={"farm": "market", "seconds": 3})
        early = await Raw.connect(gateway.port)
        assert codes(await seconds(early, 5)) == ["2103"]
        early.close()
        late = await Raw.connect(gateway.port, client_id=2)
        assert codes(await seconds(late, 1)) == []
        late.close()


async def test_one_symbol_is_frozen_alone() -> None:
    async with running() as gateway:
        raw = await watching(gateway)
        raw.send(50, 3, 8, *contract_fields("GLD"), 5, "TRADES", 1, "")
        inject(gateway, freeze={"seconds": 10, "symbols": "SOXL"})
        assert {fields[2] for fields in of(await seconds(raw, 6), "50")} == {"8"}
        raw.close()


async def test_live_updates_end_with_10182() -> None:
    async with running() as gateway:
        raw = await watching(gateway)
        inject(gateway, updates_lost={})
        seen = await seconds(raw, 6)
        assert codes(seen) == ["10182", "10182"]
        assert of(seen, "50", "90") == []
        raw.close()


async def test_entitlements_by_script() -> None:
    async with running() as gateway:
        inject(gateway, entitlement={"code": 354, "symbols": ["SOXL"]})
        raw = await watching(gateway)
        inject(gateway, entitlement={"code": 0})
        raw.send(1, 11, 11, *contract_fields("SOXL"), 0, "", 0, 0, "")
        assert of(await raw.second(), "1")
        raw.close()


async def test_lost_doubled_late_and_disordered_order_messages() -> None:
    async with running() as gateway, ib(gateway) as front:
        inject(gateway, lose={"messages": ["execDetails"], "count": 1})
        lost = front.placeOrder(SOXL, ib_async.MarketOrder("BUY", 10))
        await pass_seconds(front, 2)
        assert (lost.orderStatus.status, lost.fills) == ("Filled", [])
        inject(gateway, duplicate={"messages": "orders", "count": 99, "seconds": 1})
        doubled = front.placeOrder(SOXL, ib_async.MarketOrder("BUY", 10))
        await pass_seconds(front, 2)
        assert len(doubled.fills) == 1
        inject(gateway, delay={"messages": ["orderStatus"], "count": 99, "seconds": 2, "by_seconds": 6})
        late = front.placeOrder(SOXL, ib_async.MarketOrder("BUY", 10))
        await pass_seconds(front, 3)
        assert late.orderStatus.status == "PendingSubmit"
        await pass_seconds(front, 6)
        assert late.orderStatus.status == "Filled"


async def test_disorder_swaps_neighbours() -> None:
    async with running() as gateway:
        zero = await Raw.connect(gateway.port, client_id=0)
        inject(gateway, reorder={"messages": ["openOrder"], "count": 1})
        gateway.venue.faults.manual_trade(gateway.venue.find(symbol="SOXL"), 10)
        kinds = [fields[0] for fields in await zero.second() if fields[0] in ("5", "3", "11")]
        assert kinds[:2] == ["3", "5"]
        zero.close()


async def test_a_request_that_nobody_ever_hears_of() -> None:
    async with running() as gateway, ib(gateway) as front:
        inject(gateway, lose_request={"messages": ["placeOrder"], "count": 1})
        trade = front.placeOrder(SOXL, ib_async.MarketOrder("BUY", 10))
        await pass_seconds(front, 5)
        assert trade.orderStatus.status == "PendingSubmit"
        assert gateway.venue.open_orders(None) == []
        assert [entry.fault for entry in gateway.gate.log.entries] == ["lose_request", "lose"]


async def test_missing_and_misaligned_bars() -> None:
    async with running() as gateway:
        raw = await watching(gateway)
        inject(gateway, lose={"messages": ["realTimeBar"], "count": 1})
        inject(gateway, misalign={"count": 1, "by_seconds": 2, "skip": 1})
        times = [int(fields[3]) for fields in of(await seconds(raw, 20), "50")]
        assert [time % 5 for time in times] == [0, 2, 0] or [time % 5 for time in times] == [2, 0, 0]
        raw.close()


async def test_probability_and_clients_choose_who_is_hit() -> None:
    async with running(observers=frozenset({2})) as gateway:
        first, second = await Raw.connect(gateway.port, 1), await Raw.connect(gateway.port, 2)
        inject(gateway, lose={"messages": ["error"], "count": 5, "clients": [2]})
        inject(gateway, code={"code": 2110})
        first.send(49, 1)
        second.send(49, 1)
        assert codes(await first.until("49")) == ["2110"]
        assert codes(await second.until("49")) == []
        first.close()
        second.close()


async def test_a_message_that_nobody_asked_for() -> None:
    async with running() as gateway:
        raw = await Raw.connect(gateway.port)
        status = ["3", "99999", "Filled", "10", "0", "12.5", "1", "0", "12.5", "1", "", "0"]
        inject(gateway, inject={"fields": status})
        assert status in await raw.second()
        raw.close()


async def test_a_fault_that_cannot_be_done_is_logged_not_raised() -> None:
    async with running() as gateway:
        raw = await Raw.connect(gateway.port)
        inject(gateway, correct_execution={})
        inject(gateway, predictions_down={})
        assert all("could not be done" in entry.detail for entry in gateway.gate.log.entries)
        assert len(gateway.gate.log.entries) == 2
        raw.close()


def test_every_fault_says_what_it_is() -> None:
    assert all(kind.__doc__ for kind in Action.registry.values())
