"""Faults of orders, fills, commissions and the market."""

from __future__ import annotations

from typing import Any

import ib_async
import pytest

from simulator.model import dollars
from tests.simulator.wire.clients import Raw, ib, pass_seconds, running
from tests.simulator.wire.test_fault_links import inject

SOXL = ib_async.Stock("SOXL", "SMART", "USD", conId=72539725)


def error_codes(trade: ib_async.Trade) -> list[int]:
    return [entry.errorCode for entry in trade.log if entry.errorCode]


async def test_orders_are_refused_by_code_and_kind() -> None:
    async with running() as gateway, ib(gateway) as front:
        inject(gateway, reject={"code": 10289, "text": "You must enable trading", "kind": "LMT"})
        market = front.placeOrder(SOXL, ib_async.MarketOrder("BUY", 1))
        limit = front.placeOrder(SOXL, ib_async.LimitOrder("BUY", 1, 20.0))
        again = front.placeOrder(SOXL, ib_async.LimitOrder("BUY", 1, 20.0))
        await pass_seconds(front, 2)
        assert (market.orderStatus.status, again.orderStatus.status) == ("Filled", "Submitted")
        assert error_codes(limit) == [10289]


@pytest.mark.parametrize(
    ("fault", "seen"),
    [({"amount": -1.0}, [-1.0]), ({"never": True}, []), ({"amount": -0.25}, [-0.25])],
)
async def test_commissions_that_are_strange_or_missing(fault: dict[str, Any], seen: list[float]) -> None:
    async with running() as gateway, ib(gateway) as front:
        reports: list[float] = []
        front.commissionReportEvent += lambda trade, fill, report: reports.append(report.commission)
        inject(gateway, commissions=fault)
        front.placeOrder(SOXL, ib_async.MarketOrder("BUY", 1))
        await pass_seconds(front, 10)
        assert reports == seen


async def test_a_late_commission_comes() -> None:
    async with running() as gateway, ib(gateway) as front:
        inject(gateway, commissions={"late_seconds": 5})
        trade = front.placeOrder(SOXL, ib_async.MarketOrder("BUY", 1))
        await pass_seconds(front, 3)
        assert trade.fills[0].commissionReport.execId == ""
        await pass_seconds(front, 4)
        assert trade.fills[0].commissionReport.commission > 0


async def test_a_corrected_execution_bears_the_next_revision() -> None:
    async with running() as gateway, ib(gateway) as front:
        trade = front.placeOrder(SOXL, ib_async.MarketOrder("BUY", 1))
        await pass_seconds(front, 2)
        inject(gateway, correct_execution={"by_cents": 3})
        await pass_seconds(front)
        first, second = (fill.execution for fill in trade.fills)
        assert (first.execId[:-2], first.execId[-2:], second.execId[-2:]) == (second.execId[:-2], "01", "02")
        assert second.price == pytest.approx(first.price + 0.03)
        assert [fill.execution.execId for fill in await front.reqExecutionsAsync()] == [second.execId]


async def test_somebody_closes_the_position_by_hand() -> None:
    async with running() as gateway, ib(gateway) as front:
        inject(gateway, when="fill", match={"leg": "parent"}, after_seconds=3, manual_trade={"close": True})
        front.placeOrder(SOXL, ib_async.MarketOrder("BUY", 10))
        await pass_seconds(front, 2)
        assert [position.position for position in front.positions()] == [10]
        await pass_seconds(front, 3)
        assert front.positions() == []
        assert [entry.fault for entry in gateway.gate.log.entries] == ["manual_trade"]


async def test_an_order_typed_into_tws_is_listed_with_order_id_zero() -> None:
    async with running() as gateway:
        raw = await Raw.connect(gateway.port)
        inject(gateway, manual_order={"symbol": "SOXL", "shares": -5})
        raw.send(16, 1)
        seen = await raw.until("53")
        (echo,) = [fields for fields in seen if fields[0] == "5"]
        assert (echo[1], echo[13], echo[15]) == ("0", "SELL", "LMT")
        raw.close()


async def test_halts_shorts_and_doubts() -> None:
    async with running() as gateway, ib(gateway) as front:
        inject(gateway, halt={"symbol": "SOXL", "seconds": 5})
        trade = front.placeOrder(SOXL, ib_async.MarketOrder("BUY", 1))
        await pass_seconds(front, 3)
        assert trade.orderStatus.status != "Filled"
        await pass_seconds(front, 6)
        assert trade.orderStatus.status == "Filled"
        inject(gateway, shortable={"symbols": "SOXL", "shares": 0})
        short = front.placeOrder(SOXL, ib_async.MarketOrder("SELL", 100))
        await pass_seconds(front)
        assert 201 in error_codes(short)
        inject(gateway, doubt={"set": {"children_arm": "part", "duplicate_statuses": False}})
        assert gateway.venue.doubts.children_arm == "part"
        assert not gateway.venue.doubts.duplicate_statuses


async def test_a_resting_order_fills_because_the_script_says_so() -> None:
    async with running() as gateway, ib(gateway) as front:
        inject(gateway, when="cancel", before=True, fill={})
        errors: list[int] = []
        front.errorEvent += lambda request_id, code, *_: errors.append(code)
        trade = front.placeOrder(SOXL, ib_async.LimitOrder("BUY", 10, 1.0))
        await pass_seconds(front)
        front.client.cancelOrder(trade.order.orderId, "")
        await pass_seconds(front, 2)
        assert trade.orderStatus.status == "Filled"
        assert errors == [10148]


async def test_a_jump_of_the_price_reaches_bars_and_stops() -> None:
    async with running() as gateway, ib(gateway) as front:
        before = dollars(gateway.venue.quote(gateway.venue.find(symbol="SOXL")).bid)
        bars = front.reqRealTimeBars(SOXL, 5, "TRADES", useRTH=True)
        stop = front.placeOrder(SOXL, ib_async.StopOrder("SELL", 10, round(before * 0.97, 2)))
        await pass_seconds(front, 2)
        inject(gateway, shock={"symbols": "SOXL", "percent": -6.0})
        await pass_seconds(front, 15)
        assert stop.orderStatus.status == "Filled"
        assert bars[-1].close < before * 0.96
        history = await front.reqHistoricalDataAsync(SOXL, "", "5 S", "5 secs", "TRADES", True, 2)
        assert history[-1].close == bars[-1].close


async def test_a_thin_touch_fills_in_parts() -> None:
    async with running() as gateway, ib(gateway) as front:
        inject(gateway, thin={"symbols": "SOXL", "shares": 7, "seconds": 60})
        await pass_seconds(front)
        trade = front.placeOrder(SOXL, ib_async.MarketOrder("BUY", 20))
        await pass_seconds(front, 20)
        assert trade.orderStatus.status == "Filled"
        assert [fill.execution.shares for fill in trade.fills][:1] == [7]
        assert sum(fill.execution.shares for fill in trade.fills) == 20


async def test_both_legs_of_a_group_fill() -> None:
    async with running() as gateway, ib(gateway) as front:
        inject(gateway, overfill={"count": 1})
        parent, target, stop = front.bracketOrder("BUY", 10, 99.0, 199.0, 1.0)
        parent.orderType, parent.lmtPrice = "MKT", 0.0
        trades = [front.placeOrder(SOXL, order) for order in (parent, target, stop)]
        await pass_seconds(front, 2)
        inject(gateway, fill={"order_type": "LMT", "leg": "child"})
        await pass_seconds(front, 3)
        assert [trade.orderStatus.status for trade in trades] == ["Filled"] * 3
        assert [position.position for position in front.positions()] == [-10]
