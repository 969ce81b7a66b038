"""The same seed gives the same bytes; a wire log can be replayed."""

from __future__ import annotations

from pathlib import Path

import ib_async
import pytest

from simulator.replay import replay
from simulator.server.wire_log import FROM_CLIENT, TO_CLIENT, read
from tests.simulator.wire.clients import Raw, contract_fields, ib, pass_seconds, running

SOXL = ib_async.Stock("SOXL", "SMART", "USD", conId=72539725)


async def a_busy_quarter(log: Path, *, seed: int) -> None:
    """A client that subscribes, trades a bracket, is cut off by a script and comes back."""
    async with running(log_wire=log, seed=seed, chaos=seed, outage_seconds=None, start="09:39") as gateway:
        async with ib(gateway) as front:
            front.reqMktData(SOXL)
            front.reqRealTimeBars(SOXL, 5, "TRADES", useRTH=True)
            parent, target, stop = front.bracketOrder("BUY", 100, 99.0, 199.0, 1.0)
            parent.orderType, parent.lmtPrice = "MKT", 0.0
            for order in (parent, target, stop):
                front.placeOrder(SOXL, order)
            await pass_seconds(front, 60)
        async with ib(gateway) as front:
            front.reqGlobalCancel()
            await pass_seconds(front, 20)


def without_wall_clock(path: Path) -> list[str]:
    return [line.partition("\t")[2] for line in path.read_text(encoding="utf-8").splitlines()]


async def test_two_runs_of_a_seed_write_the_same_log(tmp_path: Path) -> None:
    logs = [tmp_path / name for name in ("one.tsv", "two.tsv", "other.tsv")]
    for log, seed in zip(logs, (7, 7, 8), strict=True):
        await a_busy_quarter(log, seed=seed)
    first, second, other = (without_wall_clock(log) for log in logs)
    assert len(first) > 500
    assert first == second
    assert first != other


async def test_a_log_reads_back_as_what_went_over_the_wire(tmp_path: Path) -> None:
    log = tmp_path / "wire.tsv"
    async with running(log_wire=log) as gateway:
        raw = await Raw.connect(gateway.port)
        raw.send(81, 1, "pipe|tab\tback\\slash\n")
        seen = await raw.second()
        raw.close()
    lines = list(read(log))
    assert [line.fields for line in lines if line.direction == FROM_CLIENT][2][2] == "pipe|tab\tback\\slash\n"
    assert [list(line.fields) for line in lines if line.direction == TO_CLIENT][-len(seen) :] == seen
    assert {line.client_id for line in lines} == {-1, 1}


async def test_a_log_is_replayed_against_a_fresh_gateway(tmp_path: Path) -> None:
    log = tmp_path / "wire.tsv"
    async with running(log_wire=log) as gateway, ib(gateway) as front:
        front.reqRealTimeBars(SOXL, 5, "TRADES", useRTH=True)
        front.placeOrder(SOXL, ib_async.MarketOrder("BUY", 10))
        await pass_seconds(front, 15)
    lines = list(read(log))
    async with running() as gateway:
        assert await replay(lines, "127.0.0.1", gateway.port) == []
    async with running(seed=2) as gateway:
        (difference,) = await replay(lines, "127.0.0.1", gateway.port)
        assert difference.connection == 1
        assert difference.came != difference.logged


@pytest.mark.parametrize("text", ["one column\n", "a\tb\tc\td\t?\te\n"])
def test_a_file_that_is_no_wire_log_says_where(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.tsv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match="line 1"):
        list(read(path))


async def test_held_frames_are_served_after_the_tick_in_their_order() -> None:
    async with running() as gateway:
        raw = await Raw.connect(gateway.port)
        raw.send(49, 1)
        raw.send(9, 8, 1, *contract_fields("SOXL"), 0, "", "", "")
        raw.send(49, 1)
        seen = await raw.until("49")
        assert [fields for fields in seen if fields[0] == "10"] == []
        seen = await raw.until("49")
        assert [fields[0] for fields in seen if fields[0] in ("10", "52")] == ["10", "52"]
        raw.close()


async def test_time_stands_still_until_every_member_has_asked() -> None:
    async with running(observers=frozenset({90})) as gateway:
        first, second = await Raw.connect(gateway.port, 1), await Raw.connect(gateway.port, 2)
        observer = await Raw.connect(gateway.port, 90)
        start_ms = gateway.hub.now_ms
        first.send(49, 1)
        observer.send(49, 1)
        assert int((await observer.until("49"))[-1][2]) * 1000 == start_ms
        second.send(49, 1)
        times = [int((await each.until("49"))[-1][2]) * 1000 for each in (first, second)]
        assert times == [start_ms + 1_000] * 2
        second.close()
        first.send(49, 1)
        assert int((await first.until("49"))[-1][2]) * 1000 == start_ms + 2_000
        first.close()
        observer.close()
