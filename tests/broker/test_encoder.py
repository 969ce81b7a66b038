"""The quick encoder writes exactly the bytes that ib_async's own client writes."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as some
from ib_async.client import Client
from ib_async.contract import Stock
from ib_async.order import Order

from broker.encoder import OrderEncoder, WireOrder

BASE = WireOrder(72539725, "SOXL", "BUY", 133, "LMT", Decimal("75.12"), None, "DAY", "", 0, "S/SOXL/1/entry", "")


class ListeningClient(Client):
    """ib_async's client with a list in place of the socket."""

    def __init__(self, version: int) -> None:
        super().__init__(None)
        self.version = version
        self.sent: list[bytes] = []
        self.conn.sendMsg = self.sent.append
        self.connState = Client.CONNECTED

    def serverVersion(self) -> int:  # noqa: N802 - ib_async's name
        return self.version


def library_frame(version: int, order: WireOrder, order_id: int, parent_id: int, transmit: bool) -> bytes:
    client = ListeningClient(version)
    unset = Order().lmtPrice
    client.placeOrder(
        order_id,
        Stock(order.symbol, "SMART", "USD", conId=order.con_id),
        Order(
            action=order.action,
            totalQuantity=order.shares,
            orderType=order.order_type,
            lmtPrice=unset if order.limit_price is None else order.limit_price,
            auxPrice=unset if order.stop_price is None else order.stop_price,
            tif=order.time_in_force,
            ocaGroup=order.oca_group,
            ocaType=order.oca_type,
            account="DU1234567",
            orderRef=order.order_ref,
            transmit=transmit,
            parentId=parent_id,
            goodAfterTime=order.good_after_time,
        ),
    )
    return client.sent[0]


@pytest.mark.parametrize("version", [157, 163, 166, 169, 173, 176, 177, 178])
def test_every_server_version_gets_the_librarys_bytes(version: int) -> None:
    encoder = OrderEncoder(version, "DU1234567")
    assert encoder.frame(41, BASE) == library_frame(version, BASE, 41, 0, True)


PRICES = some.none() | some.decimals("0.01", "99999", places=2)


@given(
    order=some.builds(
        WireOrder,
        con_id=some.integers(1, 2**31),
        symbol=some.sampled_from(["SOXL", "GLD", "BRK B"]),
        action=some.sampled_from(["BUY", "SELL"]),
        shares=some.integers(1, 10_000),
        order_type=some.sampled_from(["MKT", "LMT", "STP"]),
        limit_price=PRICES,
        stop_price=PRICES,
        time_in_force=some.sampled_from(["DAY", "GTC", "IOC"]),
        oca_group=some.sampled_from(["", "600745657", "S/SOXL/1/oca"]),
        oca_type=some.integers(0, 3),
        order_ref=some.sampled_from(["S/SOXL/1/stop", "DU1234567-20250312/CVNA/1207/timed_exit"]),
        good_after_time=some.sampled_from(["", "20250312-19:33:00", "20250312 15:33:00 US/Eastern"]),
    ),
    order_id=some.integers(1, 2**31 - 1),
    parent_id=some.integers(0, 2**31 - 1),
    transmit=some.booleans(),
)
def test_every_order_of_ours_gets_the_librarys_bytes(
    order: WireOrder, order_id: int, parent_id: int, transmit: bool
) -> None:
    frame = OrderEncoder(178, "DU1234567").frame(order_id, order, parent_id=parent_id, transmit=transmit)
    assert frame == library_frame(178, order, order_id, parent_id, transmit)


def test_a_price_is_never_written_with_an_exponent() -> None:
    frame = OrderEncoder(178, "DU1234567").frame(1, BASE._replace(limit_price=Decimal("1E+2")))
    assert b"\x00100\x00" in frame
    assert b"E+" not in frame


def test_an_account_that_would_break_the_template_is_refused() -> None:
    with pytest.raises(ValueError, match="percent"):
        OrderEncoder(178, "DU%s")
