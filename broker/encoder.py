"""placeOrder frames, fast: ib_async's own encoder writes a template once per connection, which is then filled in.

`Client.placeOrder` converts 114 fields one by one for each order, of which 99 never change here. That the library
writes the template keeps the bytes equal to its own for every server version (WIRE 5).
"""

from __future__ import annotations

import struct
from decimal import Decimal
from typing import Any, Final, NamedTuple

from ib_async.client import Client
from ib_async.contract import Contract
from ib_async.order import Order

_SLOT: Final[Any] = "%s"


class _TemplateClient(Client):
    """A client that is connected to nothing and keeps what it would have sent."""

    def __init__(self, server_version: int) -> None:
        super().__init__(None)  # type: ignore[no-untyped-call]  # ib_async's methods carry no types
        self._version = server_version
        self.message = ""

    def serverVersion(self) -> int:
        return self._version

    def isConnected(self) -> bool:
        return True

    def sendMsg(self, msg: str) -> None:
        self.message = msg


class WireOrder(NamedTuple):
    """The fields of a placeOrder that we set, as text or numbers of the wire; prices None where the type has none."""

    con_id: int
    symbol: str
    action: str
    shares: int
    order_type: str
    limit_price: Decimal | None
    stop_price: Decimal | None
    time_in_force: str
    oca_group: str
    oca_type: int
    order_ref: str
    good_after_time: str


WireFields = tuple[int, str, str, int, str, Decimal | None, Decimal | None, str, str, int, str, str]
"""A WireOrder's fields, in its order: a bare tuple is made in a third of the time."""


class OrderEncoder:
    """Writes placeOrder frames for US stocks through SMART in one account."""

    def __init__(self, server_version: int, account: str) -> None:
        self._template = _template(server_version, account)

    def frame(self, order_id: int, order: WireFields, *, parent_id: int = 0, transmit: bool = True) -> bytes:
        """One length-prefixed placeOrder message."""
        con_id, symbol, action, shares, kind, limit, stop, time_in_force, group, group_type, ref, good_after = order
        body = (
            self._template
            % (
                order_id, con_id, symbol, action, shares, kind,
                "" if limit is None else format(limit, "f"), "" if stop is None else format(stop, "f"),
                time_in_force, group, ref, "1" if transmit else "0", parent_id, good_after, group_type,
            )
        ).encode()  # fmt: skip
        return struct.pack(">I", len(body)) + body


def _template(server_version: int, account: str) -> str:
    if "%" in account:
        raise ValueError(f"account = {account!r} is not allowed: a percent sign")
    client: Any = _TemplateClient(server_version)  # ib_async's methods carry no types
    contract = Contract(conId=_SLOT, symbol=_SLOT, secType="STK", exchange="SMART", currency="USD")
    order = Order(
        action=_SLOT, totalQuantity=_SLOT, orderType=_SLOT, lmtPrice=_SLOT, auxPrice=_SLOT, tif=_SLOT, ocaGroup=_SLOT,
        account=account, orderRef=_SLOT, transmit=_SLOT, parentId=_SLOT, goodAfterTime=_SLOT, ocaType=_SLOT,
    )  # fmt: skip
    client.placeOrder(_SLOT, contract, order)
    return str(client.message)
