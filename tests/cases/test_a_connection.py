"""CASES, group A: the connection. Each through the real client against the gateway on a socket."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from broker.errors import BrokerUnavailable, Unavailability
from broker.gateway import IbBroker
from core.events import BarClosed, BrokerRead, ExecutionReported, HistoryLoaded, LinkChanged
from core.vocabulary import Link, Outcome, Refusal
from simulator.faults.script import parse
from tests.broker.desk import Desk, gateway
from tests.cases.field import Field, field


async def test_case_01_a_fill_while_the_link_is_down_is_taken_in_once(tmp_path: Path) -> None:
    async with field(tmp_path, "SOXL") as day:
        day.script(1)
        day.predict(60, "SOXL", "BUY")
        await day.live()
        assert day.injected("drop")
        told = [event.execution.order_ref for event in day.events(ExecutionReported)]
        read = [row.order_ref for event in day.events(BrokerRead) for row in event.executions]
        (entry,) = {ref for ref in read if ref.endswith("/entry")}
        assert entry not in told
        day.check_laws()


async def test_case_02_each_dead_socket_alerts_once_and_is_armed_again(tmp_path: Path) -> None:
    async with field(tmp_path, "SOXL") as day:
        day.script(2)
        day.predict(60, "SOXL", "BUY")
        for _ in range(3):
            with pytest.raises(BrokerUnavailable):
                await day.live()
        await day.live()
        assert day.alerts("link") == ["raised link", "over link"] * 2
        assert_told_in_time(day)
        day.check_laws()


async def test_case_03_both_edges_of_an_outage_alert(tmp_path: Path) -> None:
    async with field(tmp_path, "SOXL") as day:
        day.script(3)
        await day.live()
        assert day.alerts("link") == ["raised link", "over link"]


def assert_told_in_time(day: Field) -> None:
    """Every loss is in the journal when it happened, and its end when that happened."""
    changes = [(event.at_ms, event.link) for event in day.events(LinkChanged)]
    pairs = [(before, after) for before, after in itertools.pairwise(changes) if before[1] is Link.LOST]
    outages = [(after[0] - before[0]) / 1000 for before, after in pairs]
    assert [seconds >= 60 for seconds in outages[-2:]] == [True, True]


async def test_case_04_an_order_that_vanished_in_a_restart_is_never_sent_again(tmp_path: Path) -> None:
    async with field(tmp_path, "SOXL") as day:
        day.script(4)
        day.predict(60, "SOXL", "BUY")
        await day.live()
        assert day.injected("restart")
        (decision,) = day.decisions()
        assert decision.outcome is Outcome.ENTER
        assert day.alerts(f"rejected/{decision.order_ref}") == [f"raised rejected/{decision.order_ref}"]
        assert day.engine is not None
        assert day.engine.trades_closed == 0
        day.check_laws()


async def test_case_05_the_nightly_reset_is_told_as_what_it_is() -> None:
    async with gateway(start="23:46") as started:
        trader = Desk(started.port)
        trader.clock.at_ms = started.hub.now_ms
        await trader.broker.connect()
        entry = {"at": "+0", "restart": {"seconds": 300}}
        started.faults.add(parse([entry], started.venue.clock.eastern().date(), started.hub.now_ms))
        started.faults.run_due()
        with pytest.raises(BrokerUnavailable):
            await trader.broker.read_time_ms()
        (lost,) = [event for event in trader.of(LinkChanged) if event.link is Link.LOST]
        assert "nightly reset" in lost.reason


async def test_case_06_ok_codes_do_not_make_data_fresh(tmp_path: Path) -> None:
    async with field(tmp_path, "SOXL") as day:
        day.script(6)
        day.predict(60, "SOXL", "BUY")
        day.predict(160, "SOXL", "SELL")
        await day.live()
        refused = day.decisions()[-1]
        assert (refused.outcome, refused.refusal) == (Outcome.REFUSE, Refusal.NOT_CONNECTED)
        assert day.alerts("link") == ["raised link", "over link"]
        day.check_laws()


async def test_case_07_a_competing_session_blocks_entries_and_names_itself(tmp_path: Path) -> None:
    async with field(tmp_path, "SOXL") as day:
        day.script(7)
        day.predict(60, "SOXL", "BUY")
        day.predict(150, "SOXL", "SELL")
        day.predict(300, "SOXL", "SELL")
        await day.live()
        degraded = [event.reason for event in day.events(LinkChanged) if event.link is Link.DEGRADED]
        assert any("10197" in reason for reason in degraded)
        _, blocked, resumed = day.decisions()
        assert blocked.refusal is Refusal.NOT_CONNECTED
        assert resumed.refusal is not Refusal.NOT_CONNECTED
        assert "raised link" in day.alerts("link")
        day.check_laws()


async def test_case_08_the_locked_out_id_is_asked_for_again_and_no_other(tmp_path: Path) -> None:
    async with field(tmp_path, "SOXL") as day:
        day.script(8)
        day.predict(60, "SOXL", "BUY")
        await day.live()
        assert [words.split()[1] for words in day.injected("lock_out")[1:]] == ["10", "10", "10"]
        day.check_laws()


async def test_case_09_after_1101_all_is_subscribed_again_and_no_bar_is_missing(tmp_path: Path) -> None:
    async with field(tmp_path, "SOXL", "GLD") as day:
        day.script(9)
        day.predict(60, "SOXL", "BUY")
        await day.live()
        assert day.injected("restored") == ["1101", "1102"]
        assert bars_missing(day, "SOXL") == []
        assert bars_missing(day, "GLD") == []
        day.check_laws()


async def test_case_09_what_a_1102_leaves_is_read_back_while_a_farm_is_still_down(tmp_path: Path) -> None:
    async with field(tmp_path, "SOXL") as day:
        farm = "Market data farm connection is broken:hfarm"
        day.fault({"at": "+60", "code": {"code": 2103, "text": farm}})
        day.fault({"at": "+65", "connectivity": {"seconds": 10, "restored": 1102}})
        await day.live(150)
        (back_ms,) = [event.at_ms for event in day.events(LinkChanged) if event.restored]
        changes = [(event.link, event.reason) for event in day.events(LinkChanged) if event.at_ms >= back_ms]
        assert changes[0] == (Link.DEGRADED, f"2103: {farm}")
        assert [event.at_ms - back_ms for event in day.events(BrokerRead) if event.at_ms >= back_ms] == [1_000]
        assert day.alerts("link") == ["raised link"]


async def test_case_38_bars_that_a_sound_link_loses_are_asked_for(tmp_path: Path) -> None:
    """Half a bar, then three in a row: history has the whole ones, before what came after."""
    async with field(tmp_path, "SOXL") as day:
        for at_seconds, halves in ((130, 1), (450, 6)):
            lost = {"lose": {"messages": ["realTimeBar"], "count": halves}, "at": f"+{at_seconds}"}
            day.gateway.faults.add(parse([lost], day.gateway.venue.clock.eastern().date(), day.start_ms))
        await day.live()
        assert len(day.injected("lose")) == 2 + 1 + 6
        assert bars_missing(day, "SOXL") == []
        whole = {bar.start_ms for event in day.events(HistoryLoaded) for bar in event.bars}
        halved = {event.bar.start_ms for event in day.events(BarClosed) if not event.bar.complete}
        assert halved
        assert halved <= whole
        assert day.alerts("link") == []


def bars_missing(day: Field, ticker: str) -> list[int]:
    """Ten-second bars of the session's time that the engine has never seen."""
    live = {event.bar.start_ms for event in day.events(BarClosed) if event.bar.ticker == ticker}
    history = {bar.start_ms for event in day.events(HistoryLoaded) for bar in event.bars if bar.ticker == ticker}
    newest_ms = max(live)
    return [at_ms for at_ms in range(day.start_ms, newest_ms, 10_000) if at_ms not in live | history]


async def test_case_10_a_silent_link_is_found_dead_and_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert IbBroker.__init__.__kwdefaults__ is not None
    monkeypatch.setitem(IbBroker.__init__.__kwdefaults__, "heartbeat_seconds", 1.0)  # real seconds of a test's life
    monkeypatch.setitem(IbBroker.__init__.__kwdefaults__, "connect_seconds", 1.0)
    async with field(tmp_path, "SOXL") as day:
        day.script(10)
        day.predict(60, "SOXL", "BUY")
        await day.live()
        assert day.injected("half_open")
        lost = [event.reason for event in day.events(LinkChanged) if event.link is Link.LOST]
        assert "no answer to the heartbeat" in lost[0]
        day.check_laws()


async def test_case_11_what_is_wrong_with_the_gateway_is_said_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert IbBroker.__init__.__kwdefaults__ is not None
    monkeypatch.setitem(IbBroker.__init__.__kwdefaults__, "connect_seconds", 1.0)
    async with field(tmp_path, "SOXL") as day:
        day.script(11)
        found = []
        for _ in range(3):
            with pytest.raises(BrokerUnavailable) as refused:
                await day.live()
            found.append(refused.value.why)
        assert found == [Unavailability.NOT_LOGGED_IN] * 3
        await day.gateway.stop()
        with pytest.raises(BrokerUnavailable, match="no gateway on") as down:
            await day.live()
        assert down.value.why is Unavailability.DOWN
