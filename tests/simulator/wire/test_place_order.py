"""placeOrder as real clients write it, at both ends of the version range, read back field by field."""

from __future__ import annotations

import contextlib
from decimal import Decimal

import ib_async
import pytest
from ibapi import order_condition
from ibapi.client import EClient
from ibapi.contract import Contract
from ibapi.order import Order
from ibapi.wrapper import EWrapper

from simulator.wire.fields import FieldError, FieldReader
from simulator.wire.framing import fields_of
from simulator.wire.place_order import PlaceOrder
from simulator.wire.times import TimeTextError
from tests.simulator.wire.recorded import apple

VERSIONS = (157, 158, 160, 162, 166, 169, 170, 176, 177, 178)


def sent_by_ib_async(version: int, order: ib_async.Order, contract: ib_async.Contract | None = None) -> list[str]:
    """The fields that ib_async sends at this version."""
    client = ib_async.Client(object())
    client._serverVersion, client.connState = version, client.CONNECTED
    sent: list[bytes] = []
    client.conn.sendMsg = sent.append
    client.placeOrder(7, contract or ib_async.Stock("AAPL", "SMART", "USD"), order)
    return fields_of(sent[0][4:])


def sent_by_official(version: int, order: Order, contract: Contract | None = None) -> list[str]:
    """The fields that the official client sends at this version."""
    client = EClient(EWrapper())
    client.serverVersion_ = version
    sent: list[bytes] = []

    class Wire:
        def sendMsg(self, message: bytes) -> None:  # noqa: N802 - the official client's name
            sent.append(message)

        def isConnected(self) -> bool:  # noqa: N802 - the official client's name
            return True

    client.conn = Wire()
    client.setConnState(EClient.CONNECTED)
    client.placeOrder(7, contract or stock(), order)
    return fields_of(sent[0][4:])


def stock() -> Contract:
    contract = Contract()
    contract.symbol, contract.secType, contract.exchange, contract.currency = "AAPL", "STK", "SMART", "USD"
    return contract


def read(fields: list[str], version: int) -> PlaceOrder:
    reader = FieldReader(fields[1:])
    placed = PlaceOrder.read(reader, version)
    assert reader.left == 0
    return placed


@pytest.mark.parametrize("version", VERSIONS)
def test_a_bracket_child_of_ib_async(version: int) -> None:
    order = ib_async.StopOrder(
        "SELL", 133, 74.82, parentId=6, transmit=False, tif="GTC", orderRef="s/SOXL/1/stop", outsideRth=True,
        goodAfterTime="20260402 09:30:00 US/Eastern", ocaGroup="g", ocaType=2,
    )  # fmt: skip
    request = read(sent_by_ib_async(version, order), version).request(apple())
    assert (request.order_id, request.action, request.quantity, request.order_type) == (7, "SELL", Decimal(133), "STP")
    assert (request.limit_price, request.aux_price, request.price_off_grid) == (0, 748_200, False) or (
        request.limit_price is None and request.aux_price == 748_200
    )
    assert (request.parent_id, request.transmit, request.tif, request.oca_type) == (6, False, "GTC", 2)
    assert (request.order_ref, request.outside_rth, request.oca_group) == ("s/SOXL/1/stop", True, "g")
    assert request.good_after_ms == 1_775_136_600_000


@pytest.mark.parametrize("version", VERSIONS)
def test_a_limit_order_of_the_official_client(version: int) -> None:
    order = Order()
    order.action, order.orderType, order.totalQuantity, order.lmtPrice = "BUY", "LMT", Decimal(10), 75.1
    order.tif, order.whatIf, order.account = "IOC", True, "DU1234567"
    request = read(sent_by_official(version, order), version).request(apple())
    assert (request.quantity, request.limit_price, request.tif, request.what_if) == (Decimal(10), 751_000, "IOC", True)
    assert (request.account, request.good_till_ms, request.aux_price) == ("DU1234567", None, None)


@pytest.mark.parametrize(("version", "count"), [(157, 110), (178, 114)])
def test_the_length_of_a_plain_order(version: int, count: int) -> None:
    assert len(sent_by_ib_async(version, ib_async.MarketOrder("BUY", 1))) == count


@pytest.mark.parametrize("version", [157, 178])
def test_every_variable_part_is_passed_over_and_named(version: int) -> None:
    order = ib_async.LimitOrder("BUY", 1, 10.0)
    order.conditions = [ib_async.PriceCondition(price=5.0, conId=1, exch="SMART"), ib_async.TimeCondition(time="x")]
    order.algoStrategy, order.algoParams = "Adaptive", [ib_async.TagValue("adaptivePriority", "Normal")]
    order.hedgeType, order.hedgeParam = "D", "1"
    order.scalePriceIncrement = 0.5
    order.deltaNeutralOrderType = "MKT"
    placed = read(sent_by_ib_async(version, order), version)
    assert placed.unsupported == "order conditions"
    assert placed.texts["usePriceMgmtAlgo"] in ("", "0")


@pytest.mark.parametrize("version", [157, 178])
def test_conditions_of_the_official_client(version: int) -> None:
    order = Order()
    order.action, order.orderType, order.totalQuantity, order.lmtPrice = "BUY", "LMT", Decimal(1), 75.1
    for kind in (1, 3, 4, 5, 6, 7):
        condition = order_condition.Create(kind)
        condition.isMore, condition.conId, condition.exchange = True, 1, "SMART"
        condition.triggerMethod, condition.secType, condition.symbol = 0, "STK", "AAPL"
        condition.valueToString = lambda: "5"
        order.conditions.append(condition)
    assert read(sent_by_official(version, order), version).unsupported == "order conditions"


def test_an_echoed_order_can_be_sent_back() -> None:
    order = ib_async.LimitOrder("BUY", 1, 10.0)
    order.deltaNeutralOrderType = order.adjustedOrderType = "None"
    placed = read(sent_by_ib_async(178, order), 178)
    assert placed.unsupported == ""


@pytest.mark.parametrize(
    ("limit", "price", "off_grid"),
    [(75.10000000000001, 751_000, False), (75.12345, 751_234, True), (0.0001, 1, False), (1e9, 10**13, False)],
)
def test_prices_keep_every_digit_that_can_matter(limit: float, price: int, off_grid: bool) -> None:
    request = read(sent_by_ib_async(178, ib_async.LimitOrder("BUY", 1, limit)), 178).request(apple())
    assert (request.limit_price, request.price_off_grid) == (price, off_grid)


@pytest.mark.parametrize("place", range(1, 114))
def test_no_field_can_hold_anything_that_breaks_the_reader(place: int) -> None:
    fields = sent_by_ib_async(178, ib_async.LimitOrder("BUY", 1, 10.0))
    for garbage in ("-1", "999999999", "x" * 50, "1e400", "NaN", "", "\ud800", "1"):
        changed = [*fields[1:place], garbage, *fields[place + 1 :]]
        with contextlib.suppress(FieldError, TimeTextError):
            PlaceOrder.read(FieldReader(changed), 178).request(apple())
