"""Codes about connectivity and what they make of the link (SEMANTICS 9, cases 6, 7, 9)."""

from __future__ import annotations

import struct

import pytest

from core.events import LinkChanged, MarketDataRefused, OrderErrorReported, OrderReported, QuoteChanged
from core.vocabulary import ErrorKind, Link
from tests.broker.desk import Desk, bracket, desk


def hear(trader: Desk, *messages: tuple[object, ...]) -> None:
    """Let the client receive these messages as one chunk of socket data."""
    chunk = b""
    for fields in messages:
        body = b"".join(str(field).encode() + b"\0" for field in fields)
        chunk += struct.pack(">I", len(body)) + body
    trader.broker._client.conn.data_received(chunk)


def error(number: int, code: int, text: str) -> tuple[object, ...]:
    return (4, 2, number, code, text, "")


def links(trader: Desk) -> list[tuple[Link, str]]:
    told = [(event.link, event.reason) for event in trader.of(LinkChanged)]
    trader.events.clear()
    return told


@pytest.mark.parametrize(
    ("down", "up"),
    [
        ((1100, "Connectivity between IB and TWS has been lost."), (1102, "restored - data maintained.")),
        ((2110, "Connectivity between TWS and server is broken."), (1102, "restored - data maintained.")),
        ((2103, "Market data farm connection is broken:usfarm"), (2104, "Market data farm connection is OK:usfarm")),
        (
            (2105, "HMDS data farm connection is broken:ushmds"),
            (2107, "HMDS data farm connection is inactive but should be available upon demand.ushmds"),
        ),
        (
            (2157, "Sec-def data farm connection is broken:secdefnj"),
            (2158, "Sec-def data farm connection is OK:secdefnj"),
        ),
    ],
)
async def test_a_trouble_begins_and_ends(down: tuple[int, str], up: tuple[int, str]) -> None:
    async with desk() as trader:
        links(trader)
        hear(trader, error(-1, *down), error(-1, *down))
        assert links(trader) == [(Link.DEGRADED, f"{down[0]}: {down[1]}")]
        hear(trader, error(-1, *up))
        assert links(trader) == [(Link.CONNECTED, f"{up[0]}: {up[1]}")]


async def test_a_farm_that_is_ok_ends_only_its_own_trouble() -> None:
    async with desk() as trader:
        hear(trader, error(-1, 2103, "Market data farm connection is broken:usfarm"))
        hear(trader, error(-1, 2103, "Market data farm connection is broken:eufarm"))
        links(trader)
        hear(trader, error(-1, 2104, "Market data farm connection is OK:usfarm"))
        assert links(trader) == [(Link.DEGRADED, "2103: Market data farm connection is broken:eufarm")]
        hear(trader, error(-1, 2104, "Market data farm connection is OK:eufarm"))
        assert [link for link, _ in links(trader)] == [Link.CONNECTED]


@pytest.mark.parametrize(
    "others",
    [
        (2106, "HMDS data farm connection is OK:ushmds.nj"),
        (2108, "Market data farm connection is inactive but should be available upon demand.usopt.nj"),
    ],
)
async def test_a_farm_with_a_dot_in_its_name_is_no_other_farm(others: tuple[int, str]) -> None:
    async with desk() as trader:
        links(trader)
        hear(trader, error(-1, 2103, "Market data farm connection is broken:usfarm.nj"))
        hear(trader, error(-1, *others))
        assert [link for link, _ in links(trader)] == [Link.DEGRADED]
        idle = "Market data farm connection is inactive but should be available upon demand.usfarm.nj"
        hear(trader, error(-1, 2108, idle))
        assert links(trader) == [(Link.CONNECTED, f"2108: {idle}")]


async def test_case_9_data_lost_resubscribes_everything_and_leaks_nothing() -> None:
    async with desk("SOXL", "GLD") as trader:
        trader.broker.subscribe(("SOXL", "GLD"))
        await trader.tick(5)
        old = set(trader.broker._market_data._lines)
        links(trader)
        hear(trader, error(-1, 1100, "lost"), error(-1, 1101, "restored - data lost"))
        new = set(trader.broker._market_data._lines)
        assert len(old) == len(new) == 4
        assert old.isdisjoint(new)
        assert [link for link, _ in links(trader)] == [Link.DEGRADED, Link.CONNECTED]
        await trader.tick(20)
        assert "BarClosed" in trader.kinds()


async def test_case_9_data_kept_is_told_even_when_no_loss_was() -> None:
    async with desk() as trader:
        links(trader)
        hear(trader, error(-1, 1102, "restored - data maintained"))
        assert links(trader) == [(Link.CONNECTED, "1102: restored - data maintained")]


async def test_case_7_a_competing_session_stops_entries_until_data_flows_again() -> None:
    async with desk("SOXL") as trader:
        trader.broker.subscribe(("SOXL",))
        await trader.tick(5)
        subscription = trader.broker._market_data._subscriptions["SOXL"].quotes
        failed_id = subscription.request_id
        links(trader)
        text = "No market data during competing live session"
        hear(trader, error(failed_id, 10197, text))
        assert links(trader) == [(Link.DEGRADED, f"10197: {text}")]
        started_ms = trader.clock.at_ms
        while subscription.request_id == failed_id:
            trader.clock.at_ms += 1_000
            trader.broker._market_data.check()
        assert trader.clock.at_ms == started_ms + 10_000
        assert links(trader) == []  # asked again, and not answered yet
        await trader.tick(2)
        assert [link for link, _ in links(trader)] == [Link.CONNECTED]


async def test_what_is_refused_of_one_ticker_keeps_it_out_alone_and_is_asked_for_again() -> None:
    """A line refused while definitions were down kept entries from all tickers until somebody reconnected."""
    async with desk("SOXL", "GLD") as trader:
        trader.broker.subscribe(("SOXL", "GLD"))
        await trader.tick(6)
        assert {(told.ticker, told.problem) for told in trader.of(MarketDataRefused)} == {("SOXL", ""), ("GLD", "")}
        lines = trader.broker._market_data._subscriptions["SOXL"]
        links(trader)
        for line, code in ((lines.quotes, 354), (lines.bars, 200)):
            trader.events.clear()
            refused_id, started_ms = line.request_id, trader.clock.at_ms
            hear(trader, error(refused_id, code, "refused"))
            while line.request_id == refused_id:
                await trader.tick()
            assert trader.clock.at_ms - started_ms == pytest.approx(300_000, abs=2_000)
            await trader.tick(6)
            assert [told.problem for told in trader.of(MarketDataRefused)] == [f"{code}: refused", ""]
            assert links(trader) == []


@pytest.mark.parametrize(
    ("code", "text", "is_link"),
    [
        (420, "Invalid Real-time Query:Historical data request pacing violation", True),
        (420, "Invalid Real-time Query:No market data permissions for ISLAND STK", False),
        (10182, "Failed to request live updates (disconnected).", True),
        (10089, "Requested market data requires additional subscription for API.", False),
        (9999, "nobody knows", False),
    ],
)
async def test_what_ends_a_stream_is_the_links_matter_or_the_tickers(code: int, text: str, is_link: bool) -> None:
    async with desk("SOXL") as trader:
        trader.broker.subscribe(("SOXL",))
        await trader.tick(5)
        links(trader)
        hear(trader, error(trader.broker._market_data._subscriptions["SOXL"].bars.request_id, code, text))
        assert bool(trader.of(MarketDataRefused)) is not is_link
        assert bool(links(trader)) is is_link


async def test_case_7_a_retry_that_is_refused_again_tells_nothing_new() -> None:
    """Told as connected at each retry, every ticker's history was asked for, and the alert came and went."""
    async with desk("SOXL", "GLD") as trader:
        trader.broker.subscribe(("SOXL", "GLD"))
        await trader.tick(5)
        market_data = trader.broker._market_data
        text = "No market data during competing live session"
        links(trader)
        asked: set[int] = set()
        for _ in range(4):
            quotes = [one.quotes.request_id for one in market_data._subscriptions.values()]
            assert asked.isdisjoint(quotes)
            asked.update(quotes)
            hear(trader, *(error(request_id, 10197, text) for request_id in quotes))
            trader.clock.at_ms += 10_000
            market_data.check()
        assert links(trader) == [(Link.DEGRADED, f"10197: {text}")]
        (first, second) = (one.quotes for one in market_data._subscriptions.values())
        hear(trader, error(first.request_id, 354, "not subscribed"))
        assert [told.problem for told in trader.of(MarketDataRefused)] == ["354: not subscribed"]
        assert links(trader) == []
        hear(trader, (1, 6, second.request_id, 1, 20.0, 100, 0))
        assert links(trader) == [(Link.CONNECTED, "10197 is over")]


async def test_a_line_that_is_asked_for_again_is_cancelled_before_it_is_asked_for_once_more() -> None:
    """Only what the broker has ended itself needs no cancel: two streams would cost two market data lines."""
    async with desk("SOXL") as trader:
        trader.broker.subscribe(("SOXL",))
        await trader.tick(2)
        line = trader.broker._market_data._subscriptions["SOXL"].quotes
        cancelled: list[int] = []
        trader.broker._client.cancelMktData = cancelled.append
        hear(trader, error(line.request_id, 10197, "competing live session"))
        trader.broker.subscribe(("SOXL",))
        assert cancelled == []
        asked_again = line.request_id
        trader.broker.subscribe(("SOXL",))
        assert cancelled == [asked_again]


async def test_data_that_is_not_live_stops_entries() -> None:
    async with desk("SOXL") as trader:
        trader.broker.subscribe(("SOXL",))
        await trader.tick(2)
        links(trader)
        quotes_id = trader.broker._market_data._subscriptions["SOXL"].quotes.request_id
        hear(trader, (58, 1, quotes_id, 3))
        assert links(trader) == [(Link.DEGRADED, "SOXL: market data is not live (type 3)")]
        hear(trader, (58, 1, quotes_id, 1))
        assert [link for link, _ in links(trader)] == [Link.CONNECTED]


async def test_warnings_about_nothing_change_nothing() -> None:
    async with desk() as trader:
        links(trader)
        hear(trader, error(-1, 2108, "Market data farm connection is inactive:usfarm"), error(-1, 2119, "connecting"))
        hear(trader, error(-1, 100, "Max rate of messages per second has been exceeded"))
        hear(trader, error(-1, 0, "Warning: Approaching max rate of 50 messages per second (42)"))
        assert links(trader) == []


async def test_an_unknown_notice_stops_entries_instead_of_being_dropped() -> None:
    async with desk() as trader:
        links(trader)
        hear(trader, error(-1, 9999, "something new"))
        assert links(trader) == [(Link.DEGRADED, "unknown notice 9999: something new")]


async def test_an_unknown_error_on_an_order_is_passed_on_as_unknown() -> None:
    """The core reads the broker back to learn what became of the order."""
    async with desk("SOXL") as trader:
        sent = bracket("SOXL", 1, "5.00", "500.00")
        trader.broker.send((sent,))
        await trader.tick()
        order_id = next(one.order.order_id for one in trader.of(OrderReported) if one.order.order_ref.endswith("/stop"))
        hear(trader, error(order_id, 9999, "something new"))
        told = trader.of(OrderErrorReported)[-1]
        assert (told.order_ref, told.code, told.kind) == (sent.children[0].order_ref, 9999, ErrorKind.UNKNOWN)


async def test_case_20_an_error_on_an_order_that_nobody_knows_is_passed_on() -> None:
    async with desk() as trader:
        hear(trader, error(4711, 201, "Order rejected - reason:no"))
        (told,) = trader.of(OrderErrorReported)
        assert (told.order_ref, told.code) == ("", 201)


async def test_what_cannot_be_read_is_handed_on_and_the_next_message_is_read() -> None:
    async with desk() as trader:
        links(trader)
        hear(
            trader,
            (3, 5, "Dancing", 0, 10, 0, 600745656, 0, 0, 7, "", 0),
            (61, 3, "DU1234567", "x"),
            error(-1, 1100, "lost"),
        )
        assert ["Dancing" in str(failure) for failure in trader.failures] == [True, False]
        assert [link for link, _ in links(trader)] == [Link.DEGRADED]
        trader.failures.clear()


async def test_an_exception_in_the_batch_is_handed_on() -> None:
    async with desk() as trader:
        trader.broker._on_batch = lambda: 1 // 0  # type: ignore[assignment,return-value]  # it never returns
        hear(trader, error(-1, 1100, "lost"))
        assert [type(failure) for failure in trader.failures] == [ZeroDivisionError]
        trader.broker._on_batch = lambda: None
        trader.failures.clear()


async def test_a_quote_that_cannot_be_passed_on_is_handed_on_and_hides_no_other_event() -> None:
    async with desk("SOXL") as trader:
        trader.broker.subscribe(("SOXL",))
        await trader.tick(2)
        batches = trader.batches
        trader.broker._market_data._emit = lambda event: 1 // 0  # type: ignore[assignment,return-value]  # the inbox is full
        quotes_id = trader.broker._market_data._subscriptions["SOXL"].quotes.request_id
        hear(trader, (1, 6, quotes_id, 1, 20.0, 100, 0))
        assert [type(failure) for failure in trader.failures] == [ZeroDivisionError]
        assert trader.batches == batches + 1
        trader.broker._market_data._emit = trader.events.append
        trader.failures.clear()


async def test_case_9_prices_of_before_the_loss_are_not_mixed_with_those_after_it() -> None:
    async with desk("SOXL") as trader:
        trader.broker.subscribe(("SOXL",))
        await trader.tick(2)
        quotes = trader.broker._market_data._subscriptions["SOXL"].quotes
        hear(trader, (1, 6, quotes.request_id, 1, 20.0, 100, 0), (1, 6, quotes.request_id, 2, 20.5, 100, 0))
        hear(trader, error(-1, 1101, "restored - data lost"))
        hear(trader, (1, 6, quotes.request_id, 1, 20.0, 100, 0))
        told = trader.of(QuoteChanged)[-1].quote
        assert (told.bid, told.ask, told.last) == (20.0, None, None)


async def test_case_9_a_quote_that_is_as_before_an_outage_is_told_after_it() -> None:
    """The engine forgets its quotes with each recovery: it went by the last bar, and asked for no spread."""
    async with desk("SOXL") as trader:
        trader.broker.subscribe(("SOXL",))
        await trader.tick(2)
        quotes_id = trader.broker._market_data._subscriptions["SOXL"].quotes.request_id
        same = ((1, 6, quotes_id, 1, 20.0, 100, 0), (1, 6, quotes_id, 2, 20.5, 100, 0))
        hear(trader, *same)
        hear(trader, error(-1, 1100, "lost"), error(-1, 1102, "restored - data maintained"))
        trader.events.clear()
        for _ in range(2):
            hear(trader, *same)
            (told,) = trader.of(QuoteChanged)
            assert (told.quote.bid, told.quote.ask) == (20.0, 20.5)


@pytest.mark.parametrize("code", [1101, 1102])
async def test_case_9_ib_that_is_back_is_told_while_a_farm_is_still_down_and_nothing_is_told_to_be_over(
    code: int,
) -> None:
    async with desk("SOXL") as trader:
        trader.broker.subscribe(("SOXL",))
        await trader.tick(2)
        old = set(trader.broker._market_data._lines)
        farm = "2103: Market data farm connection is broken:usfarm"
        hear(trader, error(-1, 2103, farm[6:]), error(-1, 1100, "lost"))
        trader.events.clear()
        for _ in range(2):  # the second without a loss that was heard of
            hear(trader, error(-1, code, "restored"))
            (told,) = trader.of(LinkChanged)
            assert (told.link, told.reason, told.restored) == (Link.DEGRADED, farm, True)
            trader.events.clear()
        assert old.isdisjoint(trader.broker._market_data._lines) is (code == 1101)
        await trader.broker.read_back()
        assert "BrokerRead" in trader.kinds()
