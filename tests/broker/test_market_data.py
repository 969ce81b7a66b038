"""Quotes and bars over the real wire, their freshness, and the seam with history."""

from __future__ import annotations

from itertools import pairwise

import pytest

from broker.errors import BrokerUnavailable, HistoryBudgetSpent, Unavailability
from broker.history_budget import HistoryRequest
from core.events import BarClosed, InstrumentRead, LinkChanged, MarketDataSeen, QuoteChanged
from core.vocabulary import Link
from simulator.faults.script import parse
from tests.broker.desk import Desk, desk, gateway
from tests.broker.test_link import hear
from tests.broker.test_odd_answers import answer_history_with


async def test_case_37_live_bars_equal_history_exactly() -> None:
    async with desk("SOXL", "GLD") as trader:
        trader.broker.subscribe(("SOXL", "GLD"))
        await trader.tick(300)
        for ticker in ("SOXL", "GLD"):
            live = [event.bar for event in trader.of(BarClosed) if event.bar.ticker == ticker]
            whole = [bar for bar in live if bar.complete]
            assert len(whole) >= 28
            assert all(second.start_ms - first.start_ms == 10_000 for first, second in pairwise(whole))
            stored = await trader.broker.read_history(ticker, trader.clock.at_ms, 600)
            assert tuple(whole) == stored[-len(whole) :]


async def test_history_is_closed_aligned_whole_and_in_order() -> None:
    async with desk("SOXL") as trader:
        await trader.tick(7)
        bars = await trader.broker.read_history("SOXL", trader.clock.at_ms, 240)
        assert len(bars) == 24
        assert all(bar.start_ms % 10_000 == 0 and bar.end_ms <= trader.clock.at_ms for bar in bars)
        assert all(first.end_ms == second.start_ms for first, second in pairwise(bars))


async def test_history_longer_than_one_request_comes_in_pieces() -> None:
    async with desk("SOXL", start="15:30") as trader:
        bars = await trader.broker.read_history("SOXL", trader.clock.at_ms, 6 * 3600)
        assert len(bars) == 6 * 360
        assert all(first.end_ms == second.start_ms for first, second in pairwise(bars))


async def test_case_39_an_identical_question_is_answered_from_memory() -> None:
    async with desk("SOXL") as trader:
        first = await trader.broker.read_history("SOXL", trader.clock.at_ms, 240)
        asked = trader.broker._client.conn.numMsgSent
        assert await trader.broker.read_history("SOXL", trader.clock.at_ms, 240) == first
        assert trader.broker._client.conn.numMsgSent == asked
        await trader.tick(16)
        assert await trader.broker.read_history("SOXL", trader.clock.at_ms, 240) != first


async def test_case_39_a_spent_budget_says_when_to_come_back() -> None:
    async with desk("SOXL") as trader:
        for seconds in (60, 120, 180, 240, 300):
            await trader.broker.read_history("SOXL", trader.clock.at_ms, seconds)
        with pytest.raises(HistoryBudgetSpent) as spent:
            await trader.broker.read_history("SOXL", trader.clock.at_ms, 360)
        assert spent.value.retry_at_ms == trader.clock.at_ms + 2_000
        await trader.tick(2)
        assert len(await trader.broker.read_history("SOXL", trader.clock.at_ms, 300)) == 30


async def test_a_link_that_goes_while_the_budget_is_asked_is_told_as_lost() -> None:
    """The budget is asked in Postgres: what comes of it may be a question to a client that is gone."""
    async with desk("SOXL") as trader:

        class Slow:
            async def reserve(self, request: HistoryRequest) -> int:
                trader.broker._drop("the gateway closed the connection")
                return request.at_ms

        trader.broker._history._budget = Slow()
        with pytest.raises(BrokerUnavailable) as lost:
            await trader.broker.read_history("SOXL", trader.clock.at_ms, 60)
        assert lost.value.why is Unavailability.LOST


async def test_no_history_is_an_empty_answer() -> None:
    async with desk("SOXL", start="09:29") as trader:
        assert await trader.broker.read_history("SOXL", trader.clock.at_ms, 600) == ()


async def test_quotes_come_with_what_can_be_borrowed() -> None:
    async with desk("SOXL") as trader:
        trader.broker.subscribe(("SOXL",))
        await trader.tick(5)
        quote = trader.of(QuoteChanged)[-1].quote
        assert quote.ticker == "SOXL"
        assert quote.bid is not None
        assert quote.ask is not None
        assert quote.bid < quote.ask
        assert [event.instrument.shortable for event in trader.of(InstrumentRead)] == [True]


async def test_a_ticker_is_seen_at_least_every_5_s() -> None:
    async with desk("GLD") as trader:
        trader.broker.subscribe(("GLD",))
        await trader.tick(60)
        seen = [event.at_ms for event in trader.events if isinstance(event, MarketDataSeen | BarClosed)]
        assert max(second - first for first, second in pairwise(seen)) <= 5_000


async def test_case_6_silence_degrades_the_link_though_the_farms_are_ok() -> None:
    async with desk("SOXL") as trader:
        trader.broker.subscribe(("SOXL",))
        await trader.tick(20)
        trader.events.clear()
        trader.clock.at_ms += 16_000
        trader.broker._market_data.check()
        (told,) = trader.of(LinkChanged)
        assert (told.link, told.reason) == (Link.DEGRADED, "no market data for 15 s")
        trader.events.clear()
        await trader.tick(6)
        assert [event.link for event in trader.of(LinkChanged)] == [Link.CONNECTED]


async def test_case_6_data_that_never_begins_degrades_the_link_from_the_bell_on() -> None:
    async with gateway(start="09:29") as started:
        trader = Desk(started.port)
        frozen = {"at": "09:29:01", "freeze": {"seconds": 120}}
        started.faults.add(parse([frozen], started.venue.clock.eastern().date(), started.hub.now_ms))
        await trader.start("SOXL")
        trader.broker.subscribe(("SOXL",))
        await trader.tick(130)
        (silent, heard) = trader.of(LinkChanged)[-2:]
        assert (silent.link, silent.reason) == (Link.DEGRADED, "no market data for 15 s")
        opened_ms = trader.broker._contracts.listing("SOXL").regular_hours[0][0]
        assert opened_ms + 15_000 < silent.at_ms <= opened_ms + 20_000
        assert (heard.link, heard.reason) == (Link.CONNECTED, "market data flows again")
        await trader.broker.close()


async def test_10182_is_not_over_because_of_a_bar_that_came_just_before_it() -> None:
    """The link stays degraded until bars are asked for again; what was missed meanwhile is then filled from history."""
    async with gateway() as started:
        trader = Desk(started.port)
        await trader.start("SOXL")
        trader.broker.subscribe(("SOXL",))
        at_a_bar = {"at": "09:36:00", "updates_lost": {}}
        started.faults.add(parse([at_a_bar], started.venue.clock.eastern().date(), started.hub.now_ms))
        await trader.tick(130)
        told = [event for event in trader.of(LinkChanged) if "10182" in event.reason]
        assert [event.link for event in told] == [Link.DEGRADED, Link.CONNECTED]
        assert told[1].at_ms - told[0].at_ms >= 59_000
        assert trader.failures == []
        await trader.broker.close()


async def test_subscribing_again_leaves_one_subscription() -> None:
    async with gateway() as started:
        trader = Desk(started.port)
        await trader.start("SOXL")
        trader.broker.subscribe(("SOXL",))
        await trader.tick(5)
        trader.broker.subscribe(("SOXL",))
        await trader.tick(30)
        starts = [event.bar.start_ms for event in trader.of(BarClosed)]
        assert len(starts) == len(set(starts))
        assert trader.failures == []
        await trader.broker.close()


@pytest.mark.parametrize(
    ("first", "second", "volume"),
    [
        ("-1", "-1", 0),
        ("-1", "100", 100),
        ("NaN", "100.0", 100),
        ("", "1.7976931348623157E308", 0),
        ("2147483647", "inf", 0),
        ("0.4", "0.4", 2),
    ],
)
async def test_what_is_no_volume_counts_as_no_trade(first: str, second: str, volume: int) -> None:
    async with desk("SOXL") as trader:
        trader.broker.subscribe(("SOXL",))
        await trader.tick(2)
        line = trader.broker._market_data._subscriptions["SOXL"].bars
        start_s = trader.clock.at_ms // 10_000 * 10 + 30
        for at_s, shares in ((start_s, first), (start_s + 5, second)):
            hear(trader, (50, 3, line.request_id, at_s, 20, 21, 19, 20.5, shares, 20, -1))
        (bar,) = (told.bar for told in trader.of(BarClosed) if told.bar.start_ms == start_s * 1000)
        assert (bar.volume, bar.flat, bar.complete) == (volume, volume == 0, True)


async def test_a_bar_of_history_with_an_unset_volume_is_flat() -> None:
    async with desk("SOXL") as trader:
        answer_history_with(trader, ("20250312 09:34:00 US/Eastern", 20.0, 21.0, 19.0, 20.5, "1.7976931348623157E308"))
        bars = await trader.broker.read_history("SOXL", trader.clock.at_ms, 60)
        assert (bars[0].close, bars[0].volume, bars[0].flat) == (20.5, 0, True)
