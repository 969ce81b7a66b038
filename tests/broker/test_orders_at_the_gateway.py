"""Orders over the real wire: bracket, modification, cancellation, and what can't be sent."""

from __future__ import annotations

from decimal import Decimal

from broker.orders import NOT_SENT
from core.commands import CancelEverything, CancelOrder, ModifyOrder, PlaceOrders, ReadBroker
from core.events import (
    BrokerRead,
    CommissionReported,
    ExecutionReported,
    OrderErrorReported,
    OrderReported,
    OrderStatusReported,
    PositionReported,
)
from core.vocabulary import Action, ErrorKind, Leg, OrderKind, OrderStatus
from tests.broker.desk import Desk, bracket, desk, gateway, order
from tests.broker.test_link import hear


async def test_a_bracket_goes_out_whole_and_its_children_join_the_parents_group() -> None:
    async with desk("SOXL") as trader:
        sent = bracket("SOXL", 1, "5.00", "500.00", exit_ms=trader.clock.at_ms + 3_600_000)
        trader.broker.send((sent,))
        await trader.tick(3)
        echoes = {report.order.order_ref: report.order for report in trader.of(OrderReported)}
        assert list(echoes) == [spec.order_ref for spec in (sent.entry, *sent.children)]
        parent = echoes[sent.entry.order_ref]
        assert {echoes[child.order_ref].oca_group for child in sent.children} == {str(parent.perm_id)}
        assert {echoes[child.order_ref].parent_id for child in sent.children} == {parent.order_id}
        (fill,) = trader.of(ExecutionReported)
        assert (fill.execution.order_ref, fill.execution.shares) == (sent.entry.order_ref, 10)
        assert trader.of(CommissionReported)[0].exec_id == fill.execution.exec_id
        kinds = trader.kinds()
        assert kinds.index("ExecutionReported") < kinds.index("CommissionReported")


async def test_a_bracket_is_one_write() -> None:
    async with desk("SOXL") as trader:
        written: list[bytes] = []
        trader.broker._orders._write = written.append
        trader.broker.send((bracket("SOXL", 1, "5.00", "500.00"),))
        assert len(written) == 1
        assert written[0].count(b"S/SOXL/1/") == 3


async def test_case_44_a_modification_keeps_the_order_and_clears_its_parent() -> None:
    async with desk("SOXL") as trader:
        sent = bracket("SOXL", 1, "5.00", "500.00")
        stop, target = (child.order_ref for child in sent.children)
        trader.broker.send((sent,))
        await trader.tick(3)
        before = {report.order.order_ref: report.order for report in trader.of(OrderReported)}
        trader.events.clear()
        trader.broker.send((ModifyOrder(stop, 10, stop_price=Decimal("6.50")), ModifyOrder(target, 10, Decimal("400"))))
        await trader.tick()
        after = {report.order.order_ref: report.order for report in trader.of(OrderReported)}
        assert after[stop].stop_price == Decimal("6.5")
        assert after[target].limit_price == Decimal("400.0")
        assert after[stop].perm_id == before[stop].perm_id
        assert after[stop].oca_group == before[stop].oca_group
        assert after[stop].parent_id == 0
        assert trader.of(OrderErrorReported) == []


async def test_a_cancel_is_believed_when_the_broker_says_so() -> None:
    async with desk("SOXL") as trader:
        resting = order("SOXL", 1, Leg.ENTRY, Action.BUY, OrderKind.LIMIT, 10, limit="1.00")
        trader.broker.send((PlaceOrders((resting,)),))
        await trader.tick()
        trader.broker.send((CancelOrder(resting.order_ref),))
        await trader.tick()
        assert trader.of(OrderStatusReported)[-1].status is OrderStatus.CANCELLED
        assert [error.kind for error in trader.of(OrderErrorReported)] == [ErrorKind.CANCELLED]


async def test_case_19_the_cancel_of_a_filled_order_ends_the_wait() -> None:
    async with desk("SOXL") as trader:
        market = order("SOXL", 1, Leg.ENTRY, Action.BUY, OrderKind.MARKET, 10)
        trader.broker.send((PlaceOrders((market,)),))
        await trader.tick(2)
        trader.broker.send((CancelOrder(market.order_ref),))
        await trader.tick()
        (error,) = trader.of(OrderErrorReported)
        assert error.kind in (ErrorKind.NOT_FOUND, ErrorKind.NOT_CANCELLABLE)


async def test_everything_is_cancelled_other_clients_orders_too() -> None:
    async with gateway() as started:
        first, second = Desk(started.port, 7), Desk(started.port, 8)
        await first.start("SOXL")
        await second.broker.connect()
        await second.broker.read_instruments(("SOXL",))
        resting = order("SOXL", 1, Leg.ENTRY, Action.BUY, OrderKind.LIMIT, 10, limit="1.00")
        first.broker.send((PlaceOrders((resting,)),))
        await first.broker.read_account()
        second.broker.send((CancelEverything(),))
        await second.broker.read_account()
        await first.broker.read_account()
        assert first.of(OrderStatusReported)[-1].status is OrderStatus.CANCELLED
        await first.broker.close()
        await second.broker.close()


async def test_commands_for_others_are_passed_over() -> None:
    async with desk("SOXL") as trader:
        trader.events.clear()
        trader.broker.send((ReadBroker("why not"),))
        await trader.tick()
        assert trader.of(OrderErrorReported) == []


async def test_case_12_of_two_orders_behind_one_reference_the_one_named_by_its_perm_id_is_cancelled() -> None:
    async with desk("SOXL") as trader:
        resting = order("SOXL", 1, Leg.TARGET, Action.BUY, OrderKind.LIMIT, 10, limit="1.00")
        trader.broker.send((PlaceOrders((resting,)), PlaceOrders((resting,))))
        await trader.tick()
        first, second = dict.fromkeys(report.order.perm_id for report in trader.of(OrderReported))
        for gone in (second, first):
            trader.broker.send((CancelOrder(resting.order_ref, gone),))
            await trader.tick()
            ended = [one.perm_id for one in trader.of(OrderStatusReported) if one.status is OrderStatus.CANCELLED]
            assert ended == [gone]
            trader.events.clear()
            await trader.broker.read_back()
            left = [row.perm_id for row in trader.of(BrokerRead)[-1].orders]
            assert left == ([first] if gone == second else [])
            trader.broker.send((ModifyOrder(resting.order_ref, 10, Decimal("1.01")),) if left else ())
            await trader.tick()
            changed = [one.order for one in trader.of(OrderReported) if one.order.limit_price == Decimal("1.01")]
            assert {echo.perm_id for echo in changed} == set(left)
            trader.events.clear()


async def test_case_12_a_double_of_another_client_is_left_to_a_person() -> None:
    async with gateway() as started:
        ours, other = Desk(started.port, 7), Desk(started.port, 8)
        await ours.start("SOXL")
        await other.broker.connect()
        await other.broker.read_instruments(("SOXL",))
        resting = order("SOXL", 1, Leg.TARGET, Action.BUY, OrderKind.LIMIT, 10, limit="1.00")
        other.broker.send((PlaceOrders((resting,)),))
        await other.broker.read_account()
        perm_id = other.of(OrderReported)[0].order.perm_id
        ours.events.clear()
        ours.broker.send((CancelOrder(resting.order_ref, perm_id),))
        (told,) = ours.of(OrderErrorReported)
        assert (told.order_ref, told.code, told.kind) == ("", NOT_SENT, ErrorKind.NOT_FOUND)
        assert f"permId {perm_id}, a double of {resting.order_ref}, is another client's" in told.text
        await ours.broker.close()
        await other.broker.close()


async def test_case_12_nothing_is_sent_while_the_link_is_down() -> None:
    async with gateway() as started:
        trader = Desk(started.port)
        await trader.start("SOXL")
        resting = order("SOXL", 1, Leg.TARGET, Action.BUY, OrderKind.LIMIT, 10, limit="1.00")
        trader.broker.send((PlaceOrders((resting,)),))
        await trader.tick()
        await trader.broker.close()
        trader.events.clear()
        trader.broker.send(
            (
                bracket("SOXL", 2, "5.00", "500.00"),
                ModifyOrder(resting.order_ref, 10, Decimal(2)),
                CancelOrder(resting.order_ref),
            )
        )
        errors = trader.of(OrderErrorReported)
        assert {error.code for error in errors} == {NOT_SENT}
        assert [error.kind for error in errors] == [
            *[ErrorKind.REJECTED] * 3,
            ErrorKind.MODIFY_REFUSED,
            ErrorKind.WARNING,
        ]
        await trader.start("SOXL")
        trader.events.clear()
        await trader.broker.read_back()
        (picture,) = trader.of(BrokerRead)
        assert [(one.order_ref, one.limit_price) for one in picture.orders] == [(resting.order_ref, Decimal("1.0"))]
        await trader.broker.close()


async def test_a_modification_before_the_first_echo_is_refused_here() -> None:
    async with desk("SOXL") as trader:
        trader.broker.send((ModifyOrder("S/SOXL/9/stop", 10, stop_price=Decimal(5)), CancelOrder("S/SOXL/9/stop")))
        assert [error.kind for error in trader.of(OrderErrorReported)] == [
            ErrorKind.MODIFY_REFUSED,
            ErrorKind.NOT_FOUND,
        ]


async def test_a_rejected_order_names_its_code() -> None:
    async with desk("SOXL") as trader:
        odd = order("SOXL", 1, Leg.ENTRY, Action.BUY, OrderKind.LIMIT, 10, limit="10.005")
        trader.broker.send((PlaceOrders((odd,)),))
        await trader.tick()
        (error,) = trader.of(OrderErrorReported)
        assert (error.order_ref, error.code, error.kind) == (odd.order_ref, 110, ErrorKind.REJECTED)


async def test_order_ids_never_go_back_after_a_restart() -> None:
    async with gateway() as started:
        first = Desk(started.port)
        await first.start("SOXL")
        first.broker.send((bracket("SOXL", 1, "5.00", "500.00"),))
        await first.tick(2)
        await first.broker.close()
        used = {report.order.order_id for report in first.of(OrderReported)}
        second = Desk(started.port)
        await second.start("SOXL")
        second.broker.send((bracket("SOXL", 2, "5.00", "500.00"),))
        await second.tick(2)
        assert second.of(OrderErrorReported) == []
        fresh = {r.order.order_id for r in second.of(OrderReported) if "/2/" in r.order.order_ref}
        assert len(fresh) == 3
        assert used.isdisjoint(fresh)
        await second.broker.close()


async def test_case_13_a_restarted_session_manages_what_the_dead_one_left() -> None:
    async with gateway() as started:
        dead = Desk(started.port)
        await dead.start("SOXL")
        sent = bracket("SOXL", 1, "5.00", "500.00")
        dead.broker.send((sent,))
        await dead.tick(3)
        await dead.broker.close()
        heir = Desk(started.port)
        await heir.start("SOXL")
        await heir.broker.read_back()
        (picture,) = heir.of(BrokerRead)
        assert {one.order_ref for one in picture.orders} == {child.order_ref for child in sent.children}
        assert [(row.ticker, row.shares) for row in picture.positions] == [("SOXL", 10)]
        assert [fill.order_ref for fill in picture.executions] == [sent.entry.order_ref]
        heir.events.clear()
        heir.broker.send((ModifyOrder(sent.children[1].order_ref, 10, limit_price=Decimal("0.50")),))
        await heir.tick(3)
        assert [fill.execution.action for fill in heir.of(ExecutionReported)] == [Action.SELL]
        assert heir.of(PositionReported)[-1].position.shares == 0
        await heir.broker.close()


async def test_case_16_a_duplicate_id_has_the_allocator_ask_for_the_next_one() -> None:
    async with desk("SOXL") as trader:
        trader.broker.send((bracket("SOXL", 1, "5.00", "500.00"),))
        await trader.tick(2)
        trader.events.clear()
        hear(trader, (4, 2, 3, 103, "Duplicate order id", ""), (9, 1, 500))
        (told,) = trader.of(OrderErrorReported)
        assert (told.order_ref, told.kind) == ("S/SOXL/1/target", ErrorKind.REJECTED)
        trader.broker.send((bracket("SOXL", 2, "5.00", "500.00"),))
        await trader.tick(2)
        ids = {report.order.order_id for report in trader.of(OrderReported) if "/2/" in report.order.order_ref}
        assert ids == {500, 501, 502}


async def test_case_12_what_waits_for_room_when_the_link_goes_is_told_as_not_sent() -> None:
    async with desk("SOXL") as trader:
        for number in range(20):
            trader.broker.send((bracket("SOXL", number, "5.00", "500.00"),))
        waiting = len(trader.broker._queue)
        assert waiting > 0
        await trader.broker.close()
        unsent = [error for error in trader.of(OrderErrorReported) if error.code == NOT_SENT]
        assert len(unsent) == waiting * 3
        assert {error.kind for error in unsent} == {ErrorKind.REJECTED}
