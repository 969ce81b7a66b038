"""Every script of a case is played to its effect, seen by a client that knows nothing of it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Final

import ib_async
import pytest

from tests.simulator.wire.clients import contract_fields, running
from tests.simulator.wire.visitor import LAST_SECONDS, Visitor, moved

PARENT, STOP, TARGET = 1, 2, 3
"""Order ids of the first bracket: SOXL, bought in second 5; its children are modified and cancelled."""
SHORT = 4
"""A second one, sold: GLD in second 40."""
LAST_TARGET = 9
"""The target of a third one in SLV, re-priced to marketable in second 80."""


def routine(visitor: Visitor) -> None:
    """What the client does in each second of its day."""
    doings = {5: _bracket, 12: _modify, 34: _cancel, 40: _sell, 50: _again, 70: _third, 80: _take_profit, 150: _late}
    doing = doings.get(visitor.seconds)
    if doing is not None:
        doing(visitor)


def _legs(visitor: Visitor, symbol: str, side: str, quantity: int, group: str = "") -> None:
    quote = visitor.gateway.venue.quote(visitor.gateway.venue.find(symbol=symbol))
    middle, sign = round(quote.bid / 10_000, 2), 1 if side == "BUY" else -1
    away = "SELL" if side == "BUY" else "BUY"
    parent = visitor.place(ib_async.MarketOrder(side, quantity, tif="DAY", transmit=False), symbol)
    far = round(middle * 0.02, 2)
    shared = {"parentId": parent, "tif": "DAY", "ocaGroup": group, "ocaType": 3 if group else 0}
    visitor.place(ib_async.StopOrder(away, quantity, middle - sign * far, transmit=False, **shared), symbol)
    visitor.place(ib_async.LimitOrder(away, quantity, middle + sign * far, transmit=True, **shared), symbol)


def _bracket(visitor: Visitor) -> None:
    _legs(visitor, "SOXL", "BUY", 100)


def _modify(visitor: Visitor) -> None:
    """Once with the parent's number, as libraries resend it."""
    quote = visitor.gateway.venue.quote(visitor.gateway.venue.find(symbol="SOXL"))
    stop = ib_async.StopOrder("SELL", 100, round(quote.bid / 10_000 - 1, 2), tif="DAY", parentId=PARENT)
    visitor.place(stop, order_id=STOP)


def _cancel(visitor: Visitor) -> None:
    visitor.send(4, 1, TARGET, "")


def _sell(visitor: Visitor) -> None:
    _legs(visitor, "GLD", "SELL", 50, group="legs")


def _again(visitor: Visitor) -> None:
    """Positions, all open orders, history, and a child whose client chose its group is modified."""
    visitor.send(61, 1)
    visitor.send(16, 1)
    visitor.send(20, 5, *contract_fields("GLD"), 0, "", "10 secs", "60 S", 1, "TRADES", 2, 0, "")
    quote = visitor.gateway.venue.quote(visitor.gateway.venue.find(symbol="GLD"))
    stop = ib_async.StopOrder("BUY", 50, round(quote.ask / 10_000 + 9, 2), tif="DAY", ocaGroup="legs", ocaType=3)
    visitor.place(stop, "GLD", order_id=SHORT + 1)


def _third(visitor: Visitor) -> None:
    _legs(visitor, "SLV", "BUY", 100)


def _take_profit(visitor: Visitor) -> None:
    quote = visitor.gateway.venue.quote(visitor.gateway.venue.find(symbol="SLV"))
    target = ib_async.LimitOrder("SELL", 100, round(quote.bid / 10_000 - 0.05, 2), tif="DAY")
    visitor.place(target, "SLV", order_id=LAST_TARGET)


def _late(visitor: Visitor) -> None:
    visitor.place(ib_async.MarketOrder("BUY", 1, tif="DAY"))


def _filled(visitor: Visitor) -> set[str]:
    return {order_id for order_id, _, _ in visitor.executions().values()}


def _live_ids(visitor: Visitor) -> set[str]:
    return {one[14] for one in visitor.of("11", "-1")}


def _unheard_of(visitor: Visitor) -> set[str]:
    """Orders that were sent and never named by the gateway."""
    return visitor.sent_orders - {one[1] for one in (*visitor.of("5"), *visitor.of("3"))} - _filled(visitor)


def _widest_gap(visitor: Visitor) -> int:
    return max(after - before for before, after in pairwise(sorted(set(visitor.bar_seconds()))))


def _repeated(visitor: Visitor, *start: str) -> bool:
    found = [tuple(one) for one in visitor.of(*start)]
    return len(found) > len(set(found))


def _has(*wanted: str) -> Callable[[Visitor], bool]:
    return lambda visitor: set(wanted) <= set(visitor.codes())


def _lost(times: int) -> Callable[[Visitor], bool]:
    return lambda visitor: visitor.lost == times


EFFECTS: Final[dict[int, Callable[[Visitor], bool]]] = {
    1: lambda v: v.lost == 2 and bool(set(v.executions()) - _live_ids(v)),
    2: lambda v: v.turned_away >= 3 and v.lost == 2,
    3: _lost(1),
    4: lambda v: v.lost == 1 and {str(PARENT)} <= _unheard_of(v),
    5: _lost(1),
    6: lambda v: _widest_gap(v) >= 60 and v.codes().count("2104") == 2 and v.lost == 0,
    7: lambda v: "10197" in v.codes() and _widest_gap(v) >= 90 and v.lost == 0,
    8: lambda v: v.codes().count("326") == 3 and v.lost == 1,
    9: _has("1100", "1101", "1102"),
    10: lambda v: v.lost == 2 and v.turned_away >= 1,
    11: lambda v: v.turned_away == 3 and v.lost == 0,
    12: lambda v: v.lost == 1 and v.seconds > 12,
    13: lambda v: v.lost == 1 and str(TARGET) in _unheard_of(v),
    14: _lost(20),
    15: lambda v: _unheard_of(v) == {str(PARENT), str(STOP), str(TARGET)} and v.lost == 0,
    16: lambda v: "103" in v.codes() and {one[1] for one in v.of("5")} >= {"0"},
    17: lambda v: v.codes().count("10349") >= 2,
    18: lambda v: "404" in v.codes() and str(SHORT) in _filled(v),
    19: lambda v: str(TARGET) in _filled(v),
    20: lambda v: bool(v.of("3", "987654")),
    21: lambda v: v.lost == 2 and len(v.of("62")) == 3,  # of four that were asked for
    22: lambda v: [one[14] for one in v.of("61") if one[4] == "SOXL"][-1] == "0" and str(STOP) not in _filled(v),
    23: lambda v: _repeated(v, "11", "-1") and _repeated(v, "5"),
    24: lambda v: any(v.statuses(int(order_id))[-1:] != ["Filled"] for order_id in _filled(v)),
    25: lambda v: {"-1.0", "-0.25"} <= {one[3] for one in v.of("59")} and len({one[2] for one in v.of("59")}) == 3,
    26: lambda v: any(exec_id.endswith(".02") for exec_id in v.executions()),
    27: lambda v: len([1 for order_id, _, _ in v.executions().values() if order_id == str(PARENT)]) > 10,
    28: lambda v: "Cancelled" in v.statuses(TARGET) and "Cancelled" not in v.statuses(STOP),
    29: lambda v: bool({str(STOP), str(SHORT + 1)} & _filled(v)),
    30: lambda v: min(v.prices()) < 0.96 * v.prices()[0] and str(LAST_TARGET) in _filled(v),
    31: lambda v: bool(v.of("94", "1", "1.7976931348623157E308")),
    32: lambda v: min(v.prices()) < 0.94 * v.prices()[0] and v.lost == 1,
    33: lambda v: "110" in v.codes() and str(PARENT) not in _filled(v),
    34: lambda v: min(v.prices()) < 0.85 * v.prices()[0],
    35: lambda v: max(v.prices()) > 8 * v.prices()[0],
    36: _has("201", "10289", "321"),
    37: lambda v: v.lost == 1 and _repeated(v, "50") and _widest_gap(v) >= 10,
    38: lambda v: _widest_gap(v) >= 10 and any(second % 5 for second in v.bar_seconds()),
    39: lambda v: v.lost == 3 and {"1101", "2105"} <= set(v.codes()),
    40: _lost(1),
    41: lambda v: v.codes().count("326") == 1,
    42: lambda v: v.bar_seconds()[0] % 86_400 == (15 * 60 + 30) * 60 and v.lost == 0,  # 11:30 in New York
    43: lambda v: v.lost == 1 and str(PARENT) in _filled(v) and bool(v.of("5", str(STOP))),
    44: _has("135"),
    45: _has("10326"),
    46: lambda v: {str(LAST_TARGET), str(LAST_TARGET - 1)} <= _filled(v),
}
"""By case: what the client can see of it."""


@pytest.mark.parametrize("number", range(1, 47))
async def test_a_case_script_has_its_effect(number: int) -> None:
    start = {37: "09:30", 42: "11:30"}.get(number, "09:32")
    async with running(observers=frozenset({1}), start=start) as gateway:
        faults = moved(number, gateway)
        planned = sum(fault.times if fault.when else 1 for fault in faults)
        gateway.faults.add(faults)
        gateway.faults.run_due()
        visitor = Visitor(gateway)
        start_ms = gateway.venue.clock.now_ms
        last_ms = max([start_ms, *(fault.at_ms for fault in faults if fault.at_ms is not None)])
        await visitor.live((last_ms - start_ms) // 1000 + LAST_SECONDS, routine)
        log = gateway.gate.log.entries
        assert not [entry for entry in log if "could not be done" in entry.detail]
        assert bool(log) == bool(planned)
        assert EFFECTS[number](visitor), (visitor.lost, visitor.turned_away, visitor.codes(), [e.line() for e in log])


async def test_a_day_without_a_script_shows_none_of_it() -> None:
    """44 and 45 are how the venue is by default: their scripts only make sure of it."""
    async with running(observers=frozenset({1})) as gateway:
        visitor = Visitor(gateway)
        await visitor.live(160, routine)
        assert gateway.gate.log.entries == []
        assert {number for number, effect in EFFECTS.items() if effect(visitor)} == {44, 45}
