"""`trader probe-broker`: what this broker does with our orders, found out with one share (the table of ORDERS).

Runs on a paper account while the market is open. Each fact is a question of ORDERS, the broker's answer, and what
showed it.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from broker.probe_desk import CENT, ProbeDesk
from core.commands import CancelOrder, ModifyOrder
from core.orders import OrderSpec
from core.vocabulary import Action, Leg, OrderKind, TimeInForce

NOT_PROBED: Final = "not probed"
HOUR: Final = 3600


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of ORDERS: its number, the question as a name, the answer, and what was seen."""

    number: int
    name: str
    answer: str
    evidence: str


@dataclass(frozen=True, slots=True)
class ProbeReport:
    """Everything that one probe found out."""

    account: str
    at_ms: int  # UTC epoch ms of the broker's time
    ticker: str
    facts: tuple[Fact, ...]

    def store(self, file: Path) -> None:
        """Write the report as JSON, whole or not at all."""
        draft = file.with_name(f".{file.name}.draft")
        draft.write_text(json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8")
        draft.replace(file)


async def probe(desk: ProbeDesk, other: ProbeDesk, account: str) -> ProbeReport:
    """Ask everything that one share can answer, and leave nothing behind. `other` is connected with another client id.

    Raises ProbeFailed (no quotes, or not cleaned up) and BrokerUnavailable.
    """
    facts = sorted((*await _asked(desk, other), *_beyond_one_share()), key=lambda fact: (fact.number, fact.name))
    return ProbeReport(account, desk.now_ms(), desk.ticker, tuple(facts))


async def _asked(desk: ProbeDesk, other: ProbeDesk) -> list[Fact]:
    facts: list[Fact] = []
    try:
        facts += await _bracket(desk)
        facts += await _explicit_group(desk)
        facts.append(await _cancelled_parent(desk))
        facts.append(await _group_reuse(desk))
        facts.append(await _market_behind_limit(desk))
        facts.append(await _foreign_cancel(desk, other))
        facts.append(await _presets(desk))
    finally:
        await desk.clean_up()
    return facts


def _children(desk: ProbeDesk, entry: OrderSpec, price: Decimal, group: str = "") -> tuple[OrderSpec, OrderSpec]:
    """A stop and a target far from the price."""
    joined: Any = {"parent": entry.order_ref, "group": group, "group_type": 2 if group else 0}
    stop = desk.spec(Leg.STOP, Action.SELL, OrderKind.STOP, price=_at(price, "0.90"), **joined)
    return stop, desk.spec(Leg.TARGET, Action.SELL, OrderKind.LIMIT, price=_at(price, "1.10"), **joined)


async def _bracket(desk: ProbeDesk) -> list[Fact]:
    price = await desk.price()
    desk.next_number()
    entry = desk.spec(Leg.ENTRY, Action.BUY, OrderKind.MARKET)
    stop, target = _children(desk, entry, price)
    timed = desk.spec(Leg.TIMED_EXIT, Action.SELL, OrderKind.MARKET, parent=entry.order_ref, after_seconds=HOUR)
    await desk.place_bracket(entry, stop, target, timed)
    facts = [_group_of_children(desk, entry, stop), _timed_child(desk, timed, stop, target)]
    if desk.is_live(stop):
        facts += await _modify_with_parent(desk, entry, stop, price)
        facts.append(await _cancel_one_leg(desk, stop, target))
    await desk.clean_up()
    return facts


def _group_of_children(desk: ProbeDesk, entry: OrderSpec, stop: OrderSpec) -> Fact:
    parent, child = desk.echo(entry), desk.echo(stop)
    if parent is None or child is None:
        return Fact(1, "group_of_children", NOT_PROBED, "the bracket was not echoed")
    own = child.oca_group == str(parent.perm_id)
    seen = f"group {child.oca_group!r} of type {child.oca_type}, parent's permId {parent.perm_id}"
    return Fact(1, "group_of_children", "parent_perm_id" if own else "other", seen)


def _timed_child(desk: ProbeDesk, timed: OrderSpec, stop: OrderSpec, target: OrderSpec) -> Fact:
    errors = desk.errors(timed)
    if not errors and desk.is_live(timed):
        return Fact(8, "timed_child", "accept", f"status {desk.status(timed)}")
    siblings = desk.is_live(stop) and desk.is_live(target)
    seen = "; ".join(f"{error.code}: {error.text}" for error in errors) or f"status {desk.status(timed)}"
    return Fact(8, "timed_child", "refuse" if siblings else "cancel_siblings", seen)


async def _modify_with_parent(desk: ProbeDesk, entry: OrderSpec, stop: OrderSpec, price: Decimal) -> list[Fact]:
    new = _at(price, "0.91")
    desk.broker.orders.modify(ModifyOrder(stop.order_ref, 1, stop_price=new), parent_ref=entry.order_ref)
    await desk.wait(2)
    errors = desk.errors(entry, stop)
    seen = "; ".join(f"{error.code} for {error.order_ref}: {error.text}" for error in errors) or "no error"
    answer = f"error_{errors[0].code}" if errors else "accept"
    facts = [Fact(2, "modify_with_parent_id", answer, f"{seen}; the stop is {desk.status(stop)}")]
    newer = _at(price, "0.92")
    desk.broker.send((ModifyOrder(stop.order_ref, 1, stop_price=newer),))
    await desk.wait(2)
    echo = desk.echo(stop)
    changed = echo is not None and echo.stop_price == newer
    seen = f"sent {newer}, echoed {echo.stop_price if echo else None}"
    facts.append(Fact(2, "modify_without_parent_id", "accept" if changed else "refuse", seen))
    return facts


async def _cancel_one_leg(desk: ProbeDesk, stop: OrderSpec, target: OrderSpec) -> Fact:
    desk.broker.send((CancelOrder(target.order_ref),))
    await desk.wait(3)
    seen = f"after the cancel of the target: target {desk.status(target)}, stop {desk.status(stop)}"
    return Fact(5, "cancel_takes_siblings", _yes(not desk.is_live(stop)), seen)


async def _explicit_group(desk: ProbeDesk) -> list[Fact]:
    price = await desk.price()
    number = desk.next_number()
    entry = desk.spec(Leg.ENTRY, Action.BUY, OrderKind.MARKET)
    stop, target = _children(desk, entry, price, f"probe-group-{number}")
    await desk.place_bracket(entry, stop, target)
    if not desk.is_live(stop):
        errors = [f"{error.code}: {error.text}" for error in desk.errors(entry, stop, target)]
        await desk.clean_up()
        return [Fact(1, "explicit_child_group", "refuse", "; ".join(errors) or f"stop {desk.status(stop)}")]
    desk.broker.send((ModifyOrder(stop.order_ref, 1, stop_price=_at(price, "0.91")),))
    await desk.wait(2)
    errors = [f"{error.code}: {error.text}" for error in desk.errors(stop)]
    await desk.clean_up()
    return [Fact(1, "explicit_child_group", "refuse_modify" if errors else "accept", "; ".join(errors) or "no error")]


async def _cancelled_parent(desk: ProbeDesk) -> Fact:
    price = await desk.price()
    desk.next_number()
    far = _at(price, "0.90")
    entry = desk.spec(Leg.ENTRY, Action.BUY, OrderKind.LIMIT, price=far, time_in_force=TimeInForce.IOC)
    stop, target = _children(desk, entry, far)
    await desk.place_bracket(entry, stop, target, seconds=4)
    seen = f"an unfilled IOC parent {desk.status(entry)}, stop {desk.status(stop)}, target {desk.status(target)}"
    answer = _yes(not desk.is_live(stop) and not desk.is_live(target))
    await desk.clean_up()
    return Fact(4, "cancelled_parent_takes_children", answer, seen)


async def _group_reuse(desk: ProbeDesk) -> Fact:
    price = await desk.price()
    group = f"probe-group-{desk.next_number()}"
    first = desk.spec(Leg.ENTRY, Action.BUY, OrderKind.MARKET, group=group, group_type=1)
    await desk.place(first)
    desk.next_number()
    second = desk.spec(Leg.ENTRY, Action.BUY, OrderKind.LIMIT, price=_at(price, "0.90"), group=group, group_type=1)
    await desk.place(second)
    errors = [f"{error.code}: {error.text}" for error in desk.errors(second)]
    seen = "; ".join(errors) or f"status {desk.status(second)}"
    answer = "accept" if desk.is_live(second) else "refuse"
    await desk.clean_up()
    return Fact(6, "group_name_reuse", answer if desk.has_filled(first) else NOT_PROBED, seen)


async def _market_behind_limit(desk: ProbeDesk) -> Fact:
    price = await desk.price()
    group = f"probe-group-{desk.next_number()}"
    resting = desk.spec(Leg.TARGET, Action.BUY, OrderKind.LIMIT, price=_at(price, "0.90"), group=group, group_type=2)
    await desk.place(resting)
    market = desk.spec(Leg.EXIT, Action.BUY, OrderKind.MARKET, group=group, group_type=2)
    await desk.place(market, seconds=5)
    answer = _yes(not desk.has_filled(market))
    seen = f"5 s after the market order: market {desk.status(market)}, resting limit {desk.status(resting)}"
    await desk.clean_up()
    return Fact(6, "block_holds_market", answer, seen)


async def _foreign_cancel(desk: ProbeDesk, other: ProbeDesk) -> Fact:
    price = await desk.price()
    desk.next_number()
    resting = desk.spec(Leg.ENTRY, Action.BUY, OrderKind.LIMIT, price=_at(price, "0.90"))
    await desk.place(resting)
    echo = desk.echo(resting)
    if echo is None:
        return Fact(12, "foreign_cancel", NOT_PROBED, "the order was not echoed")
    await other.broker.read_back()
    other.broker.orders.cancel_by_number(echo.order_id)
    await desk.wait(3)
    answer = _yes(not desk.is_live(resting))
    seen = f"another client cancelled order {echo.order_id} by its number: {desk.status(resting)}"
    await desk.clean_up()
    return Fact(12, "foreign_cancel", answer, seen)


async def _presets(desk: ProbeDesk) -> Fact:
    kept = await desk.broker.read_what_if(desk.ticker)
    seen = f"{kept.order_type} {kept.time_in_force} {kept.warning}".strip()
    return Fact(13, "presets_change_orders", _yes((kept.order_type, kept.time_in_force) != ("MKT", "DAY")), seen)


def _beyond_one_share() -> tuple[Fact, ...]:
    return (
        Fact(3, "children_arm", NOT_PROBED, "one share fills whole"),
        Fact(7, "overfill", NOT_PROBED, "a matter of chance"),
        Fact(9, "quantity_counts_filled", NOT_PROBED, "one share fills whole"),
        Fact(10, "day_orders_die", NOT_PROBED, "seen at the close only"),
        Fact(11, "netting", NOT_PROBED, "would sell what is not ours"),
    )


def _at(price: Decimal, factor: str) -> Decimal:
    return (price * Decimal(factor)).quantize(CENT)


def _yes(found: bool) -> str:
    return "yes" if found else "no"
