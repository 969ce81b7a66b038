"""Every message family through ib_async's whole front, at both ends of the version range."""

from __future__ import annotations

import datetime as dt

import ib_async
import pytest
from ib_async import LimitOrder, MarketOrder, StopOrder

from tests.simulator.wire.clients import ACCOUNT, ib, pass_seconds, running

SOXL = ib_async.Stock("SOXL", "SMART", "USD", conId=72539725)
GLD = ib_async.Stock("GLD", "SMART", "USD", conId=51529211)
SLV = ib_async.Stock("SLV", "SMART", "USD", conId=39039301)
pytestmark = pytest.mark.parametrize("version", [157, 178])


async def test_start_up_requests_are_all_answered(version: int) -> None:
    async with running() as gateway, ib(gateway, version) as front:
        assert front.client.serverVersion() == version
        assert front.managedAccounts() == [ACCOUNT]
        values = {value.tag: value for value in front.accountValues()}
        assert values["NetLiquidation"].value == "1000000.00"
        assert front.positions() == []


async def test_contracts_rules_and_symbols(version: int) -> None:
    async with running() as gateway, ib(gateway, version) as front:
        (details,) = await front.reqContractDetailsAsync(SOXL)
        assert details.contract.conId > 0
        assert details.contract.primaryExchange == "ARCA"
        assert details.minTick == 0.01
        assert details.stockType == "ETF"
        assert len(details.liquidHours.split(";")) == 6
        assert (details.suggestedSizeIncrement == 100) is (version >= 164)
        rule = await front.reqMarketRuleAsync(int(details.marketRuleIds.split(",")[0]))
        assert rule == [ib_async.PriceIncrement(0.0, 0.01)]
        found = await front.reqMatchingSymbolsAsync("so")
        assert {one.contract.symbol for one in found} >= {"SOXL", "SOXS"}
        with pytest.raises(ib_async.RequestError, match="200"):
            await front.reqContractDetailsAsync(ib_async.Stock("NOSUCH", "SMART", "USD"))


async def test_ticks(version: int) -> None:
    async with running() as gateway, ib(gateway, version) as front:
        ticker = front.reqMktData(SOXL, genericTickList="236")
        await pass_seconds(front, 5)
        quote = gateway.venue.quote(gateway.venue.find(symbol="SOXL"))
        lots = 100 if version < 159 else 1
        assert (ticker.bid, ticker.ask) == (quote.bid / 10_000, quote.ask / 10_000)
        assert (ticker.bidSize, ticker.askSize) == (quote.bid_size // lots, quote.ask_size // lots)
        assert ticker.low <= ticker.last <= ticker.high
        assert ticker.close > 0
        assert (ticker.shortable, ticker.shortableShares) == (3, 10_000_000)
        assert ticker.marketDataType == 1
        figures = gateway.venue.day_figures(gateway.venue.find(symbol="SOXL"))
        assert ticker.volume == figures.volume // lots
        front.cancelMktData(SOXL)
        await pass_seconds(front)
        (snapshot,) = await front.reqTickersAsync(SOXL)
        assert snapshot.bid > 0


async def test_real_time_bars_are_history(version: int) -> None:
    async with running() as gateway, ib(gateway, version) as front:
        bars = front.reqRealTimeBars(SOXL, 5, "TRADES", useRTH=True)
        middles = front.reqRealTimeBars(SOXL, 5, "MIDPOINT", useRTH=True)
        await pass_seconds(front, 20)
        assert len(bars) == len(middles) == 4
        history = await front.reqHistoricalDataAsync(SOXL, "", "20 S", "5 secs", "TRADES", True, 2)
        seen = [(bar.time, bar.open_, bar.high, bar.low, bar.close, bar.volume, bar.wap, bar.count) for bar in bars]
        asked = [(b.date, b.open, b.high, b.low, b.close, b.volume, b.average, b.barCount) for b in history]
        assert seen == asked
        assert [bar.time.second % 5 for bar in middles] == [0] * 4
        front.cancelRealTimeBars(bars)
        await pass_seconds(front, 5)
        assert len(bars) == 4


async def test_history_in_both_date_formats(version: int) -> None:
    async with running() as gateway, ib(gateway, version) as front:
        by_wall = await front.reqHistoricalDataAsync(SOXL, "", "100 S", "10 secs", "TRADES", True, 1)
        await pass_seconds(front, 20)
        by_epoch = await front.reqHistoricalDataAsync(SOXL, "", "100 S", "10 secs", "TRADES", True, 2)
        assert len(by_wall) == len(by_epoch) == 10
        assert by_epoch[-1].date == dt.datetime(2025, 3, 12, 13, 32, 10, tzinfo=dt.UTC)
        assert by_wall[-1].date.replace(tzinfo=None) == dt.datetime(2025, 3, 12, 9, 31, 50)
        daily = await front.reqHistoricalDataAsync(SOXL, "", "5 D", "1 day", "TRADES", True, 2)
        assert [bar.date for bar in daily[-2:]] == [dt.date(2025, 3, 11), dt.date(2025, 3, 12)]
        earlier = await front.reqHistoricalDataAsync(
            SOXL, "20250311 15:00:00 US/Eastern", "60 S", "10 secs", "MIDPOINT", True, 2
        )
        assert earlier[0].date == dt.datetime(2025, 3, 11, 18, 59, tzinfo=dt.UTC)
        lots = 100 if version < 175 else 1
        exact = gateway.venue.history(
            gateway.venue.find(symbol="SOXL"), gateway.venue.clock.now_ms, 100, 10, "TRADES", True
        )
        assert [bar.volume for bar in by_epoch] == [bar.volume // lots for bar in exact]


async def test_history_that_is_kept_up_to_date(version: int) -> None:
    async with running() as gateway, ib(gateway, version) as front:
        bars = await front.reqHistoricalDataAsync(SOXL, "", "60 S", "10 secs", "TRADES", True, 2, keepUpToDate=True)
        before = len(bars)
        await pass_seconds(front, 30)
        assert len(bars) == before + 3
        exact = await front.reqHistoricalDataAsync(SOXL, "", "30 S", "10 secs", "TRADES", True, 2)
        assert list(bars[-3:]) == list(exact)


async def test_head_timestamp(version: int) -> None:
    async with running() as gateway, ib(gateway, version) as front:
        head = await front.reqHeadTimeStampAsync(SOXL, "TRADES", True, 1)
        assert head < dt.datetime(2025, 3, 1)


async def test_every_tick(version: int) -> None:
    async with running() as gateway, ib(gateway, version) as front:
        ticker = front.reqTickByTickData(SOXL, "AllLast")
        quotes = front.reqTickByTickData(GLD, "BidAsk")
        middle = front.reqTickByTickData(SLV, "MidPoint")
        kinds: set[str] = set()
        front.pendingTickersEvent += lambda tickers: kinds.update(
            type(tick).__name__ for each in tickers for tick in each.tickByTicks
        )
        await pass_seconds(front, 10)
        assert kinds == {"TickByTickAllLast", "TickByTickBidAsk", "TickByTickMidPoint"}
        assert {ticker.contract.symbol, quotes.contract.symbol, middle.contract.symbol} == {"SOXL", "GLD", "SLV"}


async def test_a_market_order_fills_and_is_accounted_for(version: int) -> None:
    async with running() as gateway, ib(gateway, version) as front:
        trade = front.placeOrder(SOXL, MarketOrder("BUY", 100, orderRef="ref-1"))
        await pass_seconds(front, 2)
        assert trade.orderStatus.status == "Filled"
        (fill,) = trade.fills
        assert fill.commissionReport.commission == 1.0
        assert fill.execution.orderRef == "ref-1"
        assert fill.execution.time.date() == dt.date(2025, 3, 12)
        (position,) = front.positions()
        assert (position.contract.symbol, position.position) == ("SOXL", 100)
        (item,) = front.portfolio()
        assert item.position == 100
        again = await front.reqExecutionsAsync()
        assert [each.execution.execId for each in again] == [fill.execution.execId]
        completed = await front.reqCompletedOrdersAsync(False)
        assert [(each.orderStatus.status, each.order.filledQuantity) for each in completed] == [("Filled", 100)]


async def test_a_limit_order_rests_is_modified_and_cancelled(version: int) -> None:
    async with running() as gateway, ib(gateway, version) as front:
        order = LimitOrder("BUY", 10, 1.0, tif="GTC")
        errors: list[tuple[int, int]] = []
        front.errorEvent += lambda request_id, code, *_: errors.append((request_id, code))
        trade = front.placeOrder(SOXL, order)
        await pass_seconds(front)
        assert trade.orderStatus.status == "Submitted"
        perm_id = trade.order.permId
        order.lmtPrice = 1.5
        front.placeOrder(SOXL, order)
        await pass_seconds(front)
        (listed,) = await front.reqOpenOrdersAsync()
        assert (listed.order.lmtPrice, listed.order.permId) == (1.5, perm_id)
        front.cancelOrder(order)
        await pass_seconds(front, 2)
        assert trade.orderStatus.status == "Cancelled"
        assert errors == [(order.orderId, 202)]
        assert await front.reqOpenOrdersAsync() == []


async def test_a_bracket_is_one_group(version: int) -> None:
    async with running(observers=frozenset({2})) as gateway, ib(gateway, version) as front:
        parent, target, stop = front.bracketOrder("BUY", 10, 1.0, 2.0, 0.5)
        trades = [front.placeOrder(SOXL, order) for order in (parent, target, stop)]
        await pass_seconds(front)
        assert [trade.orderStatus.status for trade in trades] == ["Submitted", "PreSubmitted", "PreSubmitted"]
        async with ib(gateway, version, client_id=2) as other:
            listed = {each.order.orderId: each.order for each in await other.reqAllOpenOrdersAsync()}
        assert {listed[order.orderId].parentId for order in (target, stop)} == {parent.orderId}
        assert {listed[order.orderId].ocaGroup for order in (target, stop)} == {str(listed[parent.orderId].permId)}
        front.reqGlobalCancel()
        await pass_seconds(front, 2)
        assert {trade.orderStatus.status for trade in trades} == {"Cancelled"}


async def test_what_if_and_refusals(version: int) -> None:
    async with running() as gateway, ib(gateway, version) as front:
        state = await front.whatIfOrderAsync(SOXL, MarketOrder("BUY", 100))
        assert float(state.initMarginChange) > 0
        assert state.commission == 1.0
        off_grid = front.placeOrder(SOXL, LimitOrder("BUY", 1, 20.123))
        conditional = LimitOrder("BUY", 1, 20.0, conditions=[ib_async.TimeCondition(time="20250312 15:00:00")])
        unsupported = front.placeOrder(SOXL, conditional)
        unknown = front.placeOrder(ib_async.Stock("NOSUCH", "SMART", "USD"), MarketOrder("BUY", 1))
        await pass_seconds(front)
        assert [entry.errorCode for entry in off_grid.log if entry.errorCode] == [110]
        assert [entry.errorCode for entry in unsupported.log if entry.errorCode] == [321]
        assert [entry.errorCode for entry in unknown.log if entry.errorCode] == [200]


async def test_account_summary_profit_and_user(version: int) -> None:
    async with running() as gateway, ib(gateway, version) as front:
        summary = {value.tag: value.value for value in await front.accountSummaryAsync()}
        assert summary["NetLiquidation"] == "1000000.00"
        assert float(summary["BuyingPower"]) > 1_000_000
        profit = front.reqPnL(ACCOUNT)
        con_id = gateway.venue.find(symbol="SOXL").con_id
        single = front.reqPnLSingle(ACCOUNT, "", con_id)
        trade = front.placeOrder(SOXL, MarketOrder("BUY", 1000))
        await pass_seconds(front, 5)
        assert trade.orderStatus.filled > 0
        exact = gateway.venue.pnl()
        assert (profit.dailyPnL, profit.unrealizedPnL) == (exact.daily / 10_000, exact.unrealized / 10_000)
        assert single.position == trade.orderStatus.filled
        assert not await front.reqUserInfoAsync()


async def test_what_lies_outside_the_market_is_answered_as_by_tws(version: int) -> None:
    async with running() as gateway, ib(gateway, version) as front:
        front.RaiseRequestErrors = False
        con_id = gateway.venue.find(symbol="SOXL").con_id
        errors: list[int] = []
        front.errorEvent += lambda request_id, code, *_: errors.append(code)
        scan = ib_async.ScannerSubscription(instrument="STK", locationCode="STK.US.MAJOR", scanCode="TOP_PERC_GAIN")
        assert not await front.reqScannerDataAsync(scan)
        assert not await front.reqHistoricalNewsAsync(con_id, "BRFG", "", "", 5)
        assert not await front.reqNewsArticleAsync("BRFG", "BRFG$1")
        assert not await front.reqFundamentalDataAsync(SOXL, "ReportSnapshot")
        assert not await front.reqHistogramDataAsync(SOXL, True, "1 day")
        assert not await front.reqHistoricalTicksAsync(SOXL, "20250311 15:00:00", "", 10, "TRADES", True)
        assert not await front.reqContractDetailsAsync(ib_async.Option("SOXL", "20250321", 20, "C", "SMART"))
        front.reqMktDepth(SOXL)
        front.client.requestFA(1)
        await pass_seconds(front)
        assert errors == [162, 300, 10276, 10172, 10358, 162, 162, 200, 10092, 321]
        assert not await front.reqSecDefOptParamsAsync("SOXL", "", "STK", con_id)
        assert not await front.reqNewsProvidersAsync()
        assert not await front.reqMktDepthExchangesAsync()
        assert {each.exchange for each in await front.reqSmartComponentsAsync("9c0001")} >= {"ARCA", "NASDAQ"}
        assert (await front.reqScannerParametersAsync()).startswith("<")
        assert front.isConnected()


async def test_a_stop_waits_for_its_trigger(version: int) -> None:
    async with running() as gateway, ib(gateway, version) as front:
        trade = front.placeOrder(SOXL, StopOrder("SELL", 10, 0.5))
        await pass_seconds(front)
        assert (trade.orderStatus.status, trade.orderStatus.whyHeld) == ("PreSubmitted", "trigger")
