"""TWS's limits, counted in simulated time."""

from __future__ import annotations

import pytest

from simulator.server.limits import HistoryPacing, MessageRate
from simulator.server.market_desk import Permission
from tests.simulator.wire.clients import Raw, contract_fields, running


def errors(seen: list[list[str]], code: str) -> list[list[str]]:
    return [fields for fields in seen if fields[0] == "4" and fields[3] == code]


def test_fifty_messages_fit_into_a_second() -> None:
    rate = MessageRate()
    for _ in range(50):
        assert rate.has_room(10_000)
        rate.count(10_000)
    assert not rate.has_room(10_999)
    assert rate.has_room(11_000)


async def test_more_than_fifty_messages_a_second_draw_100_and_in_the_end_a_disconnect() -> None:
    async with running() as gateway:
        raw = await Raw.connect(gateway.port)
        for _ in range(50):
            raw.send(14, 1, 5)
        assert errors(await raw.second(), "100") == []
        for _ in range(51):
            raw.send(14, 1, 5)
        (warning,) = errors(await raw.second(), "100")
        assert "max=50 rec=51 (1)" in warning[4]
        for _ in range(60):
            raw.send(14, 1, 5)
        await raw.ended()
        assert gateway.hub.clients() == []


async def test_a_paced_client_is_slowed_down_instead() -> None:
    async with running() as gateway:
        raw = await Raw.connect(gateway.port, offer="v157..178 +PACEAPI")
        for _ in range(120):
            raw.send(17, 1)
        counts = [sum(1 for fields in await raw.second() if fields[0] == "15") for _ in range(4)]
        assert sum(counts) == 120
        assert max(counts) <= 51
        raw.close()


async def test_time_requests_of_the_barrier_do_not_count() -> None:
    async with running(observers=frozenset({2})) as gateway:
        raw = await Raw.connect(gateway.port, client_id=2)
        for _ in range(200):
            raw.send(49, 1)
        for _ in range(200):
            await raw.until("49")
        raw.close()


async def test_a_hundred_lines_and_no_more() -> None:
    async with running() as gateway:
        raw = await Raw.connect(gateway.port)
        for line in range(104):
            raw.send(1, 11, line, *contract_fields("SOXL"), 0, "", 0, 0, "")
            if line % 40 == 39:
                await raw.second()
        seen = await raw.second()
        assert [fields[2] for fields in errors(seen, "101")] == ["100", "101", "102", "103"]
        raw.send(2, 2, 50)
        raw.send(1, 11, 100, *contract_fields("GLD"), 0, "", 0, 0, "")
        raw.send(1, 11, 51, *contract_fields("GLD"), 0, "", 0, 0, "")
        raw.send(2, 2, 4711)
        seen = await raw.second()
        assert [fields[3] for fields in seen if fields[0] == "4"] == ["102", "300"]
        raw.close()


async def test_five_tick_by_tick_requests_and_no_more() -> None:
    async with running() as gateway:
        raw = await Raw.connect(gateway.port)
        for line in range(6):
            raw.send(97, line, *contract_fields("SOXL"), "Last", 0, 0)
        assert [fields[2] for fields in errors(await raw.second(), "10190")] == ["5"]
        raw.close()


def test_no_identical_request_within_15_seconds() -> None:
    pacing = HistoryPacing()
    assert pacing.violation(0, "a", "x") == ""
    assert "identical" in pacing.violation(14_999, "a", "x")
    assert pacing.violation(15_000, "a", "x") == ""
    assert pacing.violations == 1


def test_fewer_than_six_for_one_contract_in_2_seconds() -> None:
    pacing = HistoryPacing()
    assert [bool(pacing.violation(100 * n, n, "x")) for n in range(7)] == [False] * 5 + [True] * 2
    assert pacing.violation(700, 99, "y") == ""
    assert pacing.violation(2_000, 100, "x") == ""


def test_at_most_60_in_10_minutes() -> None:
    pacing = HistoryPacing()
    assert not any(pacing.violation(9_000 * n, n, n) for n in range(60))
    assert "60 requests" in pacing.violation(599_999, 60, 60)
    assert pacing.violation(600_000, 61, 61) == ""


async def test_history_pacing_on_the_wire_spares_large_bars() -> None:
    async with running() as gateway:
        raw = await Raw.connect(gateway.port)
        for request_id, bar in ((1, "10 secs"), (2, "10 secs"), (3, "1 min"), (4, "1 min")):
            raw.send(20, request_id, *contract_fields("SOXL"), 0, "", bar, "60 S", 1, "TRADES", 2, 0, "")
        seen = await raw.second()
        assert [fields[2] for fields in errors(seen, "162")] == ["2"]
        assert {fields[1] for fields in seen if fields[0] == "17"} == {"1", "3", "4"}
        assert gateway.history.pacing.violations == 1
        raw.close()


async def test_sixty_real_time_bar_requests_in_10_minutes() -> None:
    async with running() as gateway:
        raw = await Raw.connect(gateway.port)
        for line in range(61):
            raw.send(50, 3, line, *contract_fields("SOXL"), 5, "TRADES", 1, "")
            if line == 30:
                await raw.second()
        assert [fields[2] for fields in errors(await raw.second(), "420")] == ["60"]
        raw.close()


@pytest.mark.parametrize("code", [354, 10089, 10168, 10186])
async def test_entitlement_errors(code: int) -> None:
    async with running() as gateway:
        gateway.markets.permission = Permission(code, frozenset({"SOXL"}))
        raw = await Raw.connect(gateway.port)
        raw.send(1, 11, 1, *contract_fields("SOXL"), 0, "", 0, 0, "")
        raw.send(1, 11, 2, *contract_fields("GLD"), 0, "", 0, 0, "")
        raw.send(50, 3, 3, *contract_fields("SOXL"), 5, "TRADES", 1, "")
        seen = await raw.second()
        assert [fields[2] for fields in errors(seen, str(code))] == ["1"]
        assert {fields[2] for fields in seen if fields[0] == "1"} == {"2"}
        assert [fields[2] for fields in errors(seen, "420")] == ["3"]
        raw.close()


async def test_delayed_ticks_where_live_ones_are_not_permitted() -> None:
    async with running() as gateway:
        gateway.markets.permission = Permission(10167)
        raw = await Raw.connect(gateway.port)
        raw.send(59, 1, 3)
        raw.send(1, 11, 1, *contract_fields("SOXL"), 0, "", 0, 0, "")
        seen = await raw.second() + await raw.second()
        assert [fields[2] for fields in errors(seen, "10167")] == ["1"]
        assert ["58", "1", "1", "3"] in seen
        prices = {fields[3] for fields in seen if fields[0] == "1"}
        assert {"66", "67", "68"} <= prices
        assert prices.isdisjoint({"1", "2", "4"})
        raw.close()


async def test_thirty_two_clients_and_no_more() -> None:
    async with running() as gateway:
        clients = [await Raw.connect(gateway.port, client_id=number) for number in range(32)]
        late = await Raw.connect(gateway.port, client_id=None)
        late.send(71, 2, 99, "")
        assert (await late.next())[3] == "326"
        for client in clients:
            client.close()
