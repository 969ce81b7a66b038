"""The read-back: whole, foreign orders and positions too, and in its place in the stream."""

from __future__ import annotations

import asyncio

import pytest

from broker.errors import BrokerUnavailable, RequestRefused, RequestTimedOut
from core.commands import PlaceBracket, PlaceOrders
from core.events import BrokerRead, CommissionReported, ExecutionReported, LinkChanged, OrderReported
from core.vocabulary import Action, Leg, Link, OrderKind
from simulator.faults.script import parse
from tests.broker.desk import ACCOUNT, Desk, beside_a_foreign_position, bracket, desk, gateway, order
from tests.broker.test_connection import QUICK, VERSION, frame, peer
from tests.broker.test_link import error, hear

LOGIN = frame(15, 1, "DU1234567") + frame(9, 1, 5)
ORDERS_END, POSITIONS_END = (53, 1), (62, 1)


def held(con_id: int, ticker: str) -> tuple[object, ...]:
    return (61, 3, "DU1234567", con_id, ticker, "STK", "", 0, "", "", "ARCA", "USD", ticker, ticker, 5, 10.0)


def executions_end(trader: Desk) -> tuple[object, ...]:
    return (55, 1, trader.broker._read_back._executions_id)


async def give_up_a_reading(trader: Desk) -> None:
    """Ask, hear a first row, and be cancelled: the other rows and the ends are still on their way."""
    reading = asyncio.ensure_future(trader.broker.read_back())
    await asyncio.sleep(0)
    hear(trader, held(1, "SOXL"))
    reading.cancel()
    await asyncio.wait({reading})


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


@pytest.mark.parametrize("ref", ["", "another program"])
async def test_fractions_of_other_people_s_orders_end_nothing(ref: str) -> None:
    """Half a share bought by another program, of three and a half; away from zero, for half a share is not nothing."""
    async with desk("SOXL") as trader:
        contract = (1, "XYZ", "STK", "", 0, "", "", "ARCA", "USD", "XYZ", "XYZ")
        bought = ("20250312 10:00:00 US/Eastern", ACCOUNT, "ARCA", "BOT", 0.5, 20.0, 900, 3, 0, 0, 0)
        hear(trader, (11, -1, 5, *contract, "00aa.1.01", *bought, ref, "", 0, "", 0, 0))
        (told,) = trader.of(ExecutionReported)
        assert (told.execution.order_ref, told.execution.shares) == (ref, 1)
    assert trader.failures == []


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
    async with beside_a_foreign_position() as (trader, started):
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


async def test_case_21_late_answers_to_a_reading_that_was_given_up_do_not_complete_the_next() -> None:
    async with peer(VERSION, LOGIN) as port:
        trader = Desk(port)
        await trader.broker.connect()
        await give_up_a_reading(trader)
        reading = asyncio.ensure_future(trader.broker.read_back())
        await asyncio.sleep(0)
        hear(trader, ORDERS_END, executions_end(trader), held(2, "TQQQ"), POSITIONS_END)
        assert trader.of(BrokerRead) == []
        for _ in range(20):  # until the next question is out
            await asyncio.sleep(0)
        hear(trader, ORDERS_END, executions_end(trader), held(1, "SOXL"), held(2, "TQQQ"), POSITIONS_END)
        await reading
        (picture,) = trader.of(BrokerRead)
        assert [row.ticker for row in picture.positions] == ["SOXL", "TQQQ"]
        await trader.broker.close()


async def test_case_21_a_connection_whose_read_back_is_late_is_dropped() -> None:
    async with peer(VERSION, LOGIN) as port:
        trader = Desk(port, **QUICK)
        await trader.broker.connect()
        with pytest.raises(RequestTimedOut):
            await trader.broker.read_back()
        assert not trader.broker.is_connected
        assert trader.of(LinkChanged)[-1].link is Link.LOST


async def test_case_21_so_is_one_on_which_the_ends_of_a_reading_that_was_given_up_never_come() -> None:
    async with peer(VERSION, LOGIN) as port:
        trader = Desk(port, **QUICK)
        await trader.broker.connect()
        await give_up_a_reading(trader)
        with pytest.raises(RequestTimedOut, match="which was given up"):
            await trader.broker.read_back()
        assert not trader.broker.is_connected


async def test_a_reading_that_was_given_up_does_not_hold_up_the_next_connection() -> None:
    async with gateway() as started:
        trader = Desk(started.port)
        await trader.start("SOXL")
        await give_up_a_reading(trader)
        await trader.broker.close()
        await trader.start("SOXL")
        await trader.broker.read_back()
        assert len(trader.of(BrokerRead)) == 1
        await trader.broker.close()


async def test_it_says_why_an_order_is_held() -> None:
    """Who has lost the journal has no other word on whether a stop works, or waits for its parent (ORDERS 3)."""
    async with gateway() as started:
        dead, heir = Desk(started.port), Desk(started.port)
        await dead.start("SOXL")
        entry = order("SOXL", 1, Leg.ENTRY, Action.BUY, OrderKind.LIMIT, 10, limit="1.00")
        stop = order("SOXL", 1, Leg.STOP, Action.SELL, OrderKind.STOP, 10, stop="0.50", parent=entry)
        dead.broker.send((PlaceBracket(entry, (stop,)),))
        await dead.tick(2)
        await dead.broker.close()
        await heir.start("SOXL")
        for _ in range(2):  # the second picture begins with echoes, which do not say it
            await heir.broker.read_back()
            held = {row.order_ref: row.why_held for row in heir.of(BrokerRead)[-1].orders}
            assert "child" in held[stop.order_ref]
            assert held[entry.order_ref] == ""
        await heir.broker.close()


async def test_a_warning_about_its_question_does_not_end_it() -> None:
    async with desk("SOXL") as trader:
        reading = asyncio.ensure_future(trader.broker.read_back())
        await asyncio.sleep(0)
        text = "Warning: Your API version does not support fractional share size rules."
        hear(trader, error(executions_end(trader)[-1], 2176, text))
        await reading
        assert len(trader.of(BrokerRead)) == 1
