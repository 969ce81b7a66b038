"""What real gateways sent, through the decoder and the wrapper, to events."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from broker.decoding import LoudDecoder
from broker.times import ib_time
from core.events import CommissionReported, Event, ExecutionReported, OrderReported, OrderStatusReported
from core.vocabulary import Action, OrderStatus
from tests.broker.desk import Desk

NEWEST = 178


def replay(recorded: Path, version: int) -> tuple[Desk, int]:
    """A desk that never connected, after every recorded message of a version."""
    desk = Desk(0, client_id=100)
    wrapper = desk.broker._new_client().wrapper
    decoder = LoudDecoder(wrapper, "US/Eastern", desk.failures.append)
    decoder.serverVersion = version
    lines = [line.split("\t") for line in recorded.read_text().splitlines() if line]
    messages = [fields.split("|") for number, fields in lines if int(number) == version]
    for message in messages:
        if message[0] not in ("9", "15"):  # the client itself takes these
            decoder.interpret(message)
    return desk, len(messages)


def of(events: list[Event], kind: type) -> list[Event]:
    return [event for event in events if isinstance(event, kind)]


@pytest.mark.parametrize("version", [169, 173, 176])
def test_everything_recorded_can_be_read(recorded_data: Path, version: int) -> None:
    desk, count = replay(recorded_data / "wire" / "recorded.tsv", version)
    assert count > 3
    assert [str(failure) for failure in desk.failures] == []


def test_a_recorded_market_order_at_173(recorded_data: Path) -> None:
    desk, _ = replay(recorded_data / "wire" / "recorded.tsv", 173)
    statuses = [report.status for report in desk.of(OrderStatusReported)]
    assert statuses == [OrderStatus.PRE_SUBMITTED, OrderStatus.FILLED]
    first = desk.of(OrderReported)[0].order
    assert (first.ticker, first.action, first.kind, first.shares, first.perm_id, first.oca_type) == (
        "AAPL",
        Action.BUY,
        "MKT",
        100,
        600745656,
        3,
    )
    (fill,) = desk.of(ExecutionReported)
    assert (fill.execution.exec_id, fill.execution.shares, fill.execution.price) == (
        "0000e0d5.67fe667b.01.01",
        100,
        Decimal("201.94"),
    )
    assert ib_time(fill.execution.time_ms) == "20250415-23:38:31"


def test_recorded_commissions_at_169(recorded_data: Path) -> None:
    desk, _ = replay(recorded_data / "wire" / "recorded.tsv", 169)
    assert {(one.exec_id, one.commission) for one in desk.of(CommissionReported)} == {
        ("00025b46.63f8f39c.01.01", Decimal("1.0"))
    }
