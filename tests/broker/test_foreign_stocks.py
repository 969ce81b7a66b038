"""Orders in what is not the session's: foreign stocks are sold on the wire, and nothing is ever sold in their place."""

from __future__ import annotations

import pytest

from broker.orders import NOT_SENT
from core.commands import CancelEverything, PlaceOrders
from core.events import BrokerRead, ExecutionReported, OrderErrorReported, PositionReported
from core.vocabulary import Action, ErrorKind, Leg, OrderKind
from tests.broker.desk import beside_a_foreign_position, bracket, desk, order
from tests.broker.test_link import hear


def position(con_id: int, symbol: str, kind: str, currency: str, local: str) -> tuple[object, ...]:
    return (61, 3, "DU1234567", con_id, symbol, kind, "", 0, "", "", "ARCA", currency, local, symbol, 5, 10.0)


async def test_a_foreign_stock_is_sold_for_a_flatten_of_the_whole_account() -> None:
    async with beside_a_foreign_position() as (trader, _):
        await trader.broker.read_back()
        (picture,) = trader.of(BrokerRead)
        assert [(row.ticker, row.shares) for row in picture.positions] == [("GLD", 30)]
        sale = order("GLD", 1, Leg.EXIT, Action.SELL, OrderKind.MARKET, 30)
        trader.broker.send((CancelEverything(), PlaceOrders((sale,))))
        await trader.tick(3)
        fills = [(fill.execution.ticker, fill.execution.shares) for fill in trader.of(ExecutionReported)]
        assert fills[-1] == ("GLD", 30)
        assert trader.of(PositionReported)[-1].position.shares == 0
        assert trader.of(OrderErrorReported) == []
        await trader.broker.close()
        assert trader.failures == []


async def test_an_order_in_a_stock_that_nobody_named_is_refused_here() -> None:
    async with desk("SOXL") as trader:
        sale = order("AAPL", 1, Leg.EXIT, Action.SELL, OrderKind.MARKET, 10)
        sent = bracket("SOXL", 2, "5.00", "500.00")
        trader.broker.send((PlaceOrders((sale,)), bracket("MSFT", 3, "5.00", "500.00"), sent))
        refused = trader.of(OrderErrorReported)
        assert [one.order_ref for one in refused] == [
            sale.order_ref, "S/MSFT/3/entry", "S/MSFT/3/stop", "S/MSFT/3/target",
        ]  # fmt: skip
        assert {(one.code, one.kind) for one in refused} == {(NOT_SENT, ErrorKind.REJECTED)}
        assert "ticker AAPL: the broker has named no US stock so" in refused[0].text
        await trader.tick(2)
        assert [fill.execution.order_ref for fill in trader.of(ExecutionReported)] == [sent.entry.order_ref]


@pytest.mark.parametrize(
    ("held", "name"),
    [
        (position(77, "GLD", "OPT", "USD", "GLD   250321C200"), "GLD   250321C200 (OPT USD)"),
        (position(78, "GLD", "STK", "AUD", "GLD"), "GLD (STK AUD)"),
    ],
)
async def test_no_stock_is_sold_for_what_only_bears_its_symbol(held: tuple[object, ...], name: str) -> None:
    async with desk("SOXL") as trader:
        hear(trader, held)
        assert [told.position.ticker for told in trader.of(PositionReported)] == [name]
        written: list[bytes] = []
        trader.broker._orders._write = written.append
        for ticker in (name, "GLD"):
            trader.broker.send((PlaceOrders((order(ticker, 1, Leg.EXIT, Action.SELL, OrderKind.MARKET, 5),)),))
        assert written == []
        assert len(trader.of(OrderErrorReported)) == 2


async def test_of_two_stocks_of_one_symbol_the_second_has_another_name_and_is_not_traded() -> None:
    async with desk("SOXL") as trader:
        hear(trader, position(81, "XYZ", "STK", "USD", "XYZ"), position(82, "XYZ", "STK", "USD", "XYZ"))
        hear(trader, position(81, "XYZ", "STK", "USD", "XYZ"))
        assert [told.position.ticker for told in trader.of(PositionReported)] == ["XYZ", "XYZ (STK USD)", "XYZ"]
        written: list[bytes] = []
        trader.broker._orders._write = written.append
        for ticker in ("XYZ (STK USD)", "XYZ"):
            trader.broker.send((PlaceOrders((order(ticker, 1, Leg.EXIT, Action.SELL, OrderKind.MARKET, 5),)),))
        (refused,) = trader.of(OrderErrorReported)
        assert refused.text.startswith("ticker XYZ (STK USD): ")
        assert b"\x0081\x00XYZ\x00STK\x00" in written[0]
