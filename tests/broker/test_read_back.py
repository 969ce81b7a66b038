"""The read-back: whole, foreign orders and positions too, and in its place in the stream."""

from __future__ import annotations

import asyncio

import pytest

from broker.errors import BrokerUnavailable, RequestRefused
from core.commands import PlaceOrders
from core.events import BrokerRead, CommissionReported, ExecutionReported, OrderReported
from core.vocabulary import Action, Leg, OrderKind
from simulator.faults.script import parse
from tests.broker.desk import Desk, bracket, desk, gateway, order
from tests.broker.test_link import error, hear


async def test_what_happens_while_the_answers_come_in_is_part_of_it() -> None:
    async with desk("SOXL") as trader:
        resting = order("SOXL", 1, Leg.ENTRY, Action.BUY, OrderKind.LIMIT, 10, limit="1.00")
        reading = asyncio.ensure_future(trader.broker.read_back())
        await asyncio.sleep(0)
        trader.broker.send((PlaceOrders((resting,)),))
        hear(
            trader,
            (3, 4711, "Submitted", 0, 10, 0, 600745656, 0, 0, 9, "", 0),
            (61, 3, "DU1234567", 1, "XYZ", "STK", "", 0, "", "", "ARCA", "USD", "XYZ", "XYZ", 5, 10.0),
        )
        await reading
        (picture,) = trader.of(BrokerRead)
        assert [(row.ticker, row.shares) for row in picture.positions] == [("XYZ", 5)]


async def test_it_stands_behind_what_came_before_and_ahead_of_what_comes_after() -> None:
    async with desk("SOXL") as trader:
        trader.broker.send((bracket("SOXL", 1, "5.00", "500.00"),))
        await trader.tick(2)
        await trader.broker.read_back()
        kinds = trader.kinds()
        place = kinds.index("BrokerRead")
        assert "ExecutionReported" in kinds[:place]
        (picture,) = trader.of(BrokerRead)
        assert len(picture.executions) == len(trader.of(ExecutionReported)) == 1
        assert [one.status.value for one in picture.orders] == ["PreSubmitted", "Submitted"]
        assert trader.of(CommissionReported)


async def test_it_asks_for_executions_without_telling_them_twice() -> None:
    async with desk("SOXL") as trader:
        trader.broker.send((bracket("SOXL", 1, "5.00", "500.00"),))
        await trader.tick(2)
        for _ in range(3):
            await trader.broker.read_back()
        assert len(trader.of(ExecutionReported)) == 1
        assert len(trader.of(BrokerRead)) == 3


async def test_an_order_whose_echo_is_missing_is_listed_by_its_status() -> None:
    async with gateway() as started:
        trader = Desk(started.port)
        await trader.start("SOXL")
        trader.broker.send((bracket("SOXL", 1, "5.00", "500.00"),))
        await trader.tick(2)
        lose = {"at": "+0", "lose": {"messages": ["openOrder"], "count": 2}}
        started.faults.add(parse([lose], started.venue.clock.eastern().date(), started.hub.now_ms))
        started.faults.run_due()
        await trader.broker.read_back()
        (picture,) = trader.of(BrokerRead)
        assert [one.order_ref for one in picture.orders] == ["S/SOXL/1/stop", "S/SOXL/1/target"]
        await trader.broker.close()


async def test_a_gateway_that_has_lost_ib_is_not_asked_and_gives_up_what_was_asked() -> None:
    async with desk("SOXL") as trader:
        reading = asyncio.ensure_future(trader.broker.read_back())
        await asyncio.sleep(0)
        hear(trader, error(-1, 1100, "Connectivity has been lost."))
        with pytest.raises(RequestRefused):
            await reading
        with pytest.raises(BrokerUnavailable, match="has lost IB"):
            await trader.broker.read_back()
        assert trader.of(BrokerRead) == []
        hear(trader, error(-1, 1102, "restored"))
        await trader.broker.read_back()
        assert len(trader.of(BrokerRead)) == 1


async def test_case_16_orders_and_trades_by_hand_are_listed_and_not_ours() -> None:
    async with gateway() as started:
        trader = Desk(started.port)
        await trader.start("SOXL")
        instrument = started.venue.find(symbol="GLD")
        assert instrument is not None
        started.venue.faults.manual_trade(instrument, 30)
        other = Desk(started.port, client_id=9)
        await other.broker.connect()
        await other.broker.read_instruments(("SOXL",))
        foreign = order("SOXL", 1, Leg.ENTRY, Action.BUY, OrderKind.LIMIT, 10, limit="1.00")
        other.broker.send((PlaceOrders((foreign,)),))
        await other.broker.read_account()
        await trader.broker.read_back()
        (picture,) = trader.of(BrokerRead)
        assert [(one.client_id, one.order_ref) for one in picture.orders] == [(9, foreign.order_ref)]
        assert [(row.ticker, row.shares) for row in picture.positions] == [("GLD", 30)]
        assert [(fill.ticker, fill.order_ref, fill.client_id) for fill in picture.executions] == [("GLD", "", 0)]
        assert [report.order.client_id for report in trader.of(OrderReported)] == []
        await trader.broker.close()
        await other.broker.close()


async def test_an_option_on_a_ticker_is_not_the_ticker() -> None:
    async with desk("SOXL") as trader:
        reading = asyncio.ensure_future(trader.broker.read_back())
        await asyncio.sleep(0)
        option = (
            61,
            3,
            "DU1234567",
            77,
            "SOXL",
            "OPT",
            "20250321",
            30,
            "C",
            100,
            "",
            "USD",
            "SOXL  250321C30",
            "SOXL",
            2,
            150,
        )
        abroad = (61, 3, "DU1234567", 78, "SOXL", "STK", "", 0, "", "", "ASX", "AUD", "SOXL", "SOXL", 0.4, 10)
        elsewhere = (61, 3, "DU7654321", 79, "SOXL", "STK", "", 0, "", "", "ARCA", "USD", "SOXL", "SOXL", 7, 10)
        hear(trader, option, abroad, elsewhere)
        await reading
        (picture,) = trader.of(BrokerRead)
        assert [(row.ticker, row.shares) for row in picture.positions] == [
            ("SOXL  250321C30 (OPT USD)", 2),
            ("SOXL (STK AUD)", 1),
        ]
