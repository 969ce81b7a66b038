"""The probe finds out which variant of each doubt the simulated broker plays, and leaves nothing behind."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from broker.gateway import IbBroker
from broker.probe import NOT_PROBED, ProbeReport, probe
from broker.probe_desk import ProbeFailed, open_desk
from core.events import BrokerRead
from simulator.doubts import Doubts
from simulator.server.market_desk import Permission
from tests.broker.desk import ACCOUNT, Desk, HandClock, gateway

OBSERVER = 90
HARSH = {
    "group_of_children": "parent_perm_id",
    "explicit_child_group": "refuse_modify",
    "modify_with_parent_id": "error_135",
    "modify_without_parent_id": "accept",
    "cancelled_parent_takes_children": "yes",
    "cancel_takes_siblings": "yes",
    "group_name_reuse": "refuse",
    "block_holds_market": "yes",
    "timed_child": "accept",
    "foreign_cancel": "no",
    "presets_change_orders": "no",
}


async def run(doubts: Doubts, permission: Permission | None = None) -> ProbeReport:
    clock = HandClock()

    async def pass_time(broker: IbBroker, seconds: int) -> None:
        for _ in range(seconds):
            clock.at_ms = await broker.read_time_ms()

    async with gateway(doubts=doubts, observers=frozenset({OBSERVER})) as started:
        started.markets.permission = permission or Permission()
        shared = {
            "host": "127.0.0.1",
            "port": started.port,
            "account": ACCOUNT,
            "ticker": "GLD",
            "clock": clock,
            "pass_time": pass_time,
            "session": "PROBE",
            "deterministic": True,
        }
        async with open_desk(client_id=7, **shared) as desk, open_desk(client_id=OBSERVER, **shared) as other:  # type: ignore[arg-type]  # one dictionary for two
            report = await probe(desk, other, ACCOUNT)
        judge = Desk(started.port, client_id=8)
        await judge.start("GLD")
        await judge.broker.read_back()
        (picture,) = judge.of(BrokerRead)
        assert picture.orders == ()
        assert picture.positions == ()
        await judge.broker.close()
    return report


def answers(report: ProbeReport) -> dict[str, str]:
    return {fact.name: fact.answer for fact in report.facts if fact.answer != NOT_PROBED}


async def test_the_harsh_variant_of_every_doubt_is_found_out() -> None:
    assert answers(await run(Doubts())) == HARSH


async def test_the_mild_variant_of_every_doubt_is_found_out() -> None:
    mild = Doubts(
        explicit_child_group="accept",
        modify_with_parent_id="accept",
        cancelled_parent_takes_children=True,
        cancel_takes_siblings=False,
        group_name_reuse="accept",
        block_holds_market=False,
        foreign_cancel=True,
    )
    assert answers(await run(mild)) == {
        **HARSH,
        "explicit_child_group": "accept",
        "modify_with_parent_id": "accept",
        "cancel_takes_siblings": "no",
        "group_name_reuse": "accept",
        "block_holds_market": "no",
        "foreign_cancel": "yes",
    }


@pytest.mark.parametrize("variant", ["refuse", "cancel_siblings"])
async def test_what_becomes_of_the_timed_child(variant: str) -> None:
    assert answers(await run(Doubts(timed_child=variant)))["timed_child"] == variant


async def test_every_line_of_the_table_has_an_answer_or_a_reason(tmp_path: Path) -> None:
    report = await run(Doubts())
    assert {fact.number for fact in report.facts} == set(range(1, 14))
    assert all(fact.evidence for fact in report.facts)
    file = tmp_path / "probe.json"
    report.store(file)
    stored = json.loads(file.read_text())
    assert stored["account"] == ACCOUNT
    assert stored["facts"][0]["name"] == "explicit_child_group"
    assert [path.name for path in tmp_path.iterdir()] == ["probe.json"]


async def test_no_quotes_no_probe() -> None:
    with pytest.raises(ProbeFailed, match="no quote of GLD within 15 s"):
        await run(Doubts(), Permission(354))
