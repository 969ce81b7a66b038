"""Orders in odd turns of events, and those of other programs, accounts and people."""

from __future__ import annotations

import asyncio

import pytest

from broker.errors import RequestRefused
from broker.orders import NOT_SENT
from core.commands import CancelEverything, CancelOrder, ModifyOrder, PlaceOrders
from core.events import BrokerRead, ExecutionReported, OrderErrorReported, OrderReported, OrderStatusReported
from core.vocabulary import Action, ErrorKind, Leg, OrderKind
from tests.broker.desk import Desk, bracket, desk, order
from tests.broker.test_link import error, hear

PLACES = {"ACTION": 13, "SHARES": 14, "ACCOUNT": 20, "REF": 23, "CLIENT": 24, "PERM_ID": 25}
"""Where they stand in an openOrder."""


def as_foreign(echo: list[str], **changed: str) -> tuple[object, ...]:
    """An echo of ours as one of another program's order."""
    foreign = echo.copy()
    for place, text in (("CLIENT", "3"), ("PERM_ID", "999"), ("REF", "robo-7"), *changed.items()):
        foreign[PLACES[place]] = text
    return tuple(foreign)


def keep_echoes(trader: Desk) -> dict[str, list[str]]:
    """The newest openOrder of each reference from now on, as it came over the wire."""
    echoes: dict[str, list[str]] = {}
    decoder = trader.broker._client.decoder
    interpret = decoder.interpret

    def keep(fields: list[str]) -> None:
        if fields[0] == "5":
            echoes[fields[PLACES["REF"]]] = fields.copy()
        interpret(fields)

    decoder.interpret = keep
    return echoes


def execution(trader: Desk, shares: str, ref: str) -> tuple[object, ...]:
    """A live fill of another client, 3."""
    con_id = trader.broker._contracts.listing("SOXL").contract.conId
    contract = (con_id, "SOXL", "STK", "", 0, "", "", "ARCA", "USD", "SOXL", "SOXL")
    fill = ("0000e0d5.1.01.01", "20250312-13:35:10", "DU1234567", "ARCA", "BOT", shares, "20.1", 77, 3, 0)
    return (11, -1, 5, *contract, *fill, shares, "20.1", ref, "", "", "", 1, 0)


@pytest.mark.parametrize("ref", ["", "robo-7", "a/b/c/d"])
async def test_a_fraction_of_a_share_that_another_program_trades_ends_nothing(ref: str) -> None:
    async with desk("SOXL") as trader:
        hear(trader, execution(trader, "0.5", ref))
        (fill,) = trader.of(ExecutionReported)
        assert (fill.execution.order_ref, fill.execution.shares) == (ref, 1)


async def test_a_fraction_of_a_share_of_ours_is_never_rounded() -> None:
    async with desk("SOXL") as trader:
        hear(trader, execution(trader, "0.5", "S/SOXL/1/entry"))
        assert "execution shares = 0.5" in str(trader.failures.pop())
        assert trader.of(ExecutionReported) == []


async def test_a_refused_change_is_no_rejected_order_whatever_is_heard_in_between() -> None:
    """An echo of the order as it was, or a warning, says nothing of the change: the order lives when it is refused."""
    async with desk("SOXL") as trader:
        echoes = keep_echoes(trader)
        sent = bracket("SOXL", 1, "5.00", "500.00")
        stop = sent.children[0].order_ref
        trader.broker.send((sent,))
        await trader.tick(3)
        trader.events.clear()
        order_id = int(echoes[stop][1])
        trader.broker.send((ModifyOrder(stop, 6),))
        hear(trader, tuple(echoes[stop]), error(order_id, 399, "a warning"), error(order_id, 201, "no"))
        trader.broker.send((ModifyOrder(stop, 7),))
        hear(trader, error(order_id, 201, "no, of the one before"), error(order_id, 201, "no, of this one"))
        kinds = [told.kind for told in trader.of(OrderErrorReported)]
        assert kinds == [ErrorKind.WARNING, *[ErrorKind.MODIFY_REFUSED] * 3]
        await trader.tick(2)
        hear(trader, error(order_id, 201, "the order itself"))
        assert trader.of(OrderErrorReported)[-1].kind is ErrorKind.REJECTED


@pytest.mark.parametrize("cancelled", ["entry", "stop", ""])
async def test_a_bracket_that_is_cancelled_while_it_waits_for_room_is_never_sent(cancelled: str) -> None:
    """The cancel, which goes first, would find no order; the bracket went out and filled after it."""
    async with desk("SOXL") as trader:
        for number in range(1, 17):
            trader.broker.send((bracket("SOXL", number, "5.00", "500.00"),))
        last = [f"S/SOXL/16/{leg}" for leg in ("entry", "stop", "target")]
        trader.broker.send((CancelOrder(f"S/SOXL/16/{cancelled}") if cancelled else CancelEverything(),))
        told = [(one.order_ref, one.code, one.kind) for one in trader.of(OrderErrorReported)]
        assert told[-3:] == [(ref, NOT_SENT, ErrorKind.REJECTED) for ref in last]
        await trader.tick(4)
        echoed = {one.order.order_ref for one in trader.of(OrderReported)}
        assert echoed.isdisjoint(last)
        assert ("S/SOXL/15/entry" in echoed) is bool(cancelled)
        assert {one.code for one in trader.of(OrderErrorReported)} <= {NOT_SENT, 202}


async def test_an_order_id_above_those_of_requests_is_still_an_order_id() -> None:
    """Programs that take the time for an order id raise the gateway's next one beyond a billion."""
    async with desk("SOXL") as trader:
        hear(trader, (9, 1, 1_741_786_501))
        odd = order("SOXL", 1, Leg.ENTRY, Action.BUY, OrderKind.LIMIT, 10, limit="10.005")
        trader.broker.send((PlaceOrders((odd,)),))
        await trader.tick()
        (told,) = trader.of(OrderErrorReported)
        assert (told.order_ref, told.code, told.kind) == (odd.order_ref, 110, ErrorKind.REJECTED)
        asked = asyncio.ensure_future(trader.broker.read_what_if("SOXL"))
        await asyncio.sleep(0)
        hear(trader, error(1_741_786_502, 201, "no"))
        with pytest.raises(RequestRefused):
            await asked


@pytest.mark.parametrize("account", ["DU1234567", "DU7654321"])
async def test_orders_in_other_accounts_of_the_login_are_not_ours_to_see(account: str) -> None:
    async with desk("SOXL") as trader:
        echoes = keep_echoes(trader)
        resting = order("SOXL", 1, Leg.ENTRY, Action.BUY, OrderKind.LIMIT, 10, limit="1.00")
        trader.broker.send((PlaceOrders((resting,)),))
        await trader.tick(2)
        trader.events.clear()
        reading = asyncio.ensure_future(trader.broker.read_back())
        await asyncio.sleep(0)
        foreign = as_foreign(echoes[resting.order_ref], ACCOUNT=account)
        status = (3, foreign[1], "Submitted", 0, 10, 0, 999, 0, 0, 3, "", 0)
        hear(trader, foreign, status)
        await reading
        hear(trader, foreign, status)
        (picture,) = trader.of(BrokerRead)
        is_ours = account == "DU1234567"
        assert [row.perm_id for row in picture.orders if row.perm_id == 999] == [999] * is_ours
        assert [one.perm_id for one in trader.of(OrderStatusReported) if one.perm_id == 999] == [999] * is_ours
