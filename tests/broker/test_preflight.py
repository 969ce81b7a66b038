"""Preflight: what is wrong with the broker, in words (case 11), and the nightly reset (case 5)."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from broker.preflight import Finding, check_broker
from broker.reset_window import is_reset_window, with_window
from config import load_settings
from runtime.preflight import preflight
from simulator.server.market_desk import Permission
from tests.broker.desk import ACCOUNT, Desk, gateway

EASTERN = ZoneInfo("America/New_York")


async def findings(port: int, *tickers: str, **changes: object) -> list[Finding]:
    desk = Desk(port, connect_seconds=0.5)
    asked = {"account": ACCOUNT, "live": False, "tickers": tickers, "machine_ms": None, **changes}
    found = await check_broker(desk.broker, **asked)  # type: ignore[arg-type]  # any change
    await desk.broker.close()
    assert desk.failures == []
    return list(found)


def wrong(found: list[Finding]) -> list[tuple[str, str]]:
    return [(one.check, one.words) for one in found if not one.is_ok]


async def test_all_is_well() -> None:
    async with gateway() as started:
        found = await findings(started.port, "SOXL", "GLD")
    assert wrong(found) == []
    assert [one.check for one in found] == [
        "connection",
        "mode",
        "buying power",
        "day trades",
        "market data",
        "orders",
    ]


async def test_a_dead_gateway_ends_the_list() -> None:
    async with gateway() as started:
        port = started.port
    ((check, words),) = wrong(await findings(port, "SOXL"))
    assert check == "connection"
    assert words.startswith("down: no gateway on")


async def test_an_unknown_ticker_is_named_and_the_rest_is_checked() -> None:
    async with gateway() as started:
        found = await findings(started.port, "NOSUCH", "GLD")
    ((check, words),) = wrong(found)
    assert check == "contracts"
    assert words.startswith("ticker NOSUCH: the broker knows no such US stock")
    assert found[-1].check == "orders"


@pytest.mark.parametrize(
    ("day", "close", "words"),
    [
        (12, "16:00", []),
        (12, "13:00", []),
        (12, "17:30", [("trading hours", "the broker closes at 16:00 in New York, the calendar says 17:30")]),
        (9, "16:00", []),
    ],
    ids=["as the calendar says", "later", "earlier", "a day of which the broker tells nothing"],
)
async def test_an_early_close_that_the_calendar_does_not_know_is_found(
    day: int, close: str, words: list[tuple[str, str]]
) -> None:
    opens, closes = (
        round(datetime.fromisoformat(f"2025-03-{day:02} {clock}").replace(tzinfo=EASTERN).timestamp() * 1000)
        for clock in ("09:30", close)
    )
    async with gateway() as started:
        found = await findings(started.port, "GLD", hours_ms=(opens, closes))
    assert wrong(found) == words


async def test_a_session_asks_for_the_hours_of_its_day(tmp_path: Path) -> None:
    settings = load_settings({"tickers": ("GLD",)}, environment={}, env_file=tmp_path / "no.env")
    async with gateway() as started:
        desk = Desk(started.port, connect_seconds=0.5)
        told = {one.check: one.words for one in await preflight(settings, desk.broker, "2025-03-12")}
        await desk.broker.close()
    assert told["trading hours"] == "the broker closes at 16:00 in New York, the calendar says 16:00"


async def test_read_only_is_found_by_asking_about_an_order() -> None:
    async with gateway(read_only=True) as started:
        ((check, words),) = wrong(await findings(started.port, "GLD"))
    assert check == "orders"
    assert "read-only" in words


async def test_a_ticker_without_live_quotes_is_named() -> None:
    async with gateway() as started:
        started.markets.permission = Permission(354, frozenset({"GLD"}))
        ((check, words),) = wrong(await findings(started.port, "GLD", "SOXL"))
    assert check == "market data"
    assert words.startswith("GLD: no market data (354")


@pytest.mark.parametrize(
    ("skew_ms", "is_ok"), [(0, True), (2_900, True), (-2_000, True), (3_100, False), (-2_100, False)]
)
async def test_a_clock_that_is_off(skew_ms: int, is_ok: bool) -> None:
    async with gateway(speed=1.0, deterministic=False) as started:
        machine_ms = started.venue.clock.now_ms + skew_ms
        found = await findings(started.port, "GLD", machine_ms=machine_ms)
    assert [one.is_ok for one in found if one.check == "clock"] == [is_ok]


async def test_paper_where_live_is_switched_on() -> None:
    async with gateway() as started:
        ((check, words),) = wrong(await findings(started.port, "GLD", live=True))
    assert (check, words) == ("mode", f"{ACCOUNT} is a paper account, live trading is on")


@pytest.mark.parametrize(
    ("moment", "inside"),
    [
        ("2025-03-12 23:44", False),
        ("2025-03-12 23:45", True),
        ("2025-03-13 00:44", True),
        ("2025-03-13 00:45", False),
        ("2025-03-14 23:00", True),
        ("2025-03-15 02:59", True),
        ("2025-03-15 03:00", False),
        ("2025-03-12 12:00", False),
    ],
)
def test_case_5_the_nightly_reset_is_known(moment: str, inside: bool) -> None:
    at = datetime.strptime(moment, "%Y-%m-%d %H:%M").replace(tzinfo=ZoneInfo("America/New_York"))
    at_ms = int(at.timestamp() * 1000)
    assert is_reset_window(at_ms) is inside
    assert ("nightly reset" in with_window("gone", at_ms)) is inside
