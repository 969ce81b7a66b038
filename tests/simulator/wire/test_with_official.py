"""Every message family through the official client, at both ends of the version range."""

from __future__ import annotations

from decimal import Decimal

import pytest
from ibapi.execution import ExecutionFilter
from ibapi.order import Order
from ibapi.order_cancel import OrderCancel
from ibapi.scanner import ScannerSubscription

from simulator.model import dollars
from tests.simulator.wire.clients import ACCOUNT, Official, official, running, stock

pytestmark = pytest.mark.parametrize("version", [157, 178])


def order(action: str, kind: str, quantity: int, **fields: object) -> Order:
    made = Order()
    made.action, made.orderType, made.totalQuantity, made.tif = action, kind, Decimal(quantity), "DAY"
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def statuses(client: Official, order_id: int) -> list[str]:
    return [arguments[1] for arguments in client.of("orderStatus") if arguments[0] == order_id]


async def test_start(version: int) -> None:
    async with running() as gateway, official(gateway, version) as client:
        assert client.serverVersion() == version
        assert client.of("managedAccounts") == [(ACCOUNT,)]
        notices = await client.until("error", 3)
        assert [notice[2] for notice in notices] == [2104, 2106, 2158]
        client.reqIds(-1)
        assert len(await client.until("nextValidId", 2)) == 2
        client.reqManagedAccts()
        assert len(await client.until("managedAccounts", 2)) == 2


async def test_contracts(version: int) -> None:
    async with running() as gateway, official(gateway, version) as client:
        client.reqContractDetails(1, stock("SOXL"))
        await client.until("contractDetailsEnd")
        ((_, details),) = client.of("contractDetails")
        assert (details.contract.symbol, details.contract.primaryExchange, details.stockType) == ("SOXL", "ARCA", "ETF")
        assert details.timeZoneId == "US/Eastern"
        client.reqMarketRule(int(details.marketRuleIds.split(",")[0]))
        ((_, increments),) = await client.until("marketRule")
        assert [(each.lowEdge, each.increment) for each in increments] == [(0.0, 0.01)]
        client.reqMatchingSymbols(2, "SOX")
        ((_, samples),) = await client.until("symbolSamples")
        assert {sample.contract.symbol for sample in samples} == {"SOXL", "SOXS"}
        client.reqHeadTimeStamp(3, stock("SOXL"), "TRADES", 1, 2)
        ((_, text),) = await client.until("headTimestamp")
        assert int(text) * 1000 == gateway.venue.head_ms(gateway.venue.find(symbol="SOXL"))


async def test_market_data(version: int) -> None:
    async with running() as gateway, official(gateway, version) as client:
        client.reqMarketDataType(1)
        client.reqMktData(1, stock("SOXL"), "236", False, False, [])
        client.reqRealTimeBars(2, stock("SOXL"), 5, "TRADES", True, [])
        client.reqTickByTickData(3, stock("SOXL"), "AllLast", 0, False)
        client.reqTickByTickData(4, stock("GLD"), "BidAsk", 0, False)
        client.reqTickByTickData(5, stock("SLV"), "MidPoint", 0, False)
        for _ in range(10):
            await client.second()
        assert {arguments[1] for arguments in client.of("tickPrice")} >= {1, 2, 4, 6, 7, 9, 14}
        assert {arguments[1] for arguments in client.of("tickSize")} >= {0, 3, 5, 8}
        assert client.of("tickReqParams")[0][:2] == (1, 0.01)
        assert client.of("marketDataType") == [(1, 1)]
        assert {arguments[1] for arguments in client.of("tickGeneric")} == {46, 49}
        assert client.of("tickString")[0][1] == 45
        bars = client.of("realtimeBar")
        assert len(bars) == 2
        exact = gateway.venue.history(
            gateway.venue.find(symbol="SOXL"), gateway.venue.clock.now_ms, 10, 5, "TRADES", True
        )
        assert [bar[1] * 1000 for bar in bars] == [bar.start_ms for bar in exact]
        assert [bar[4] for bar in bars] == [dollars(bar.low) for bar in exact]
        assert client.of("tickByTickAllLast")
        assert client.of("tickByTickBidAsk")
        assert client.of("tickByTickMidPoint")


async def test_a_snapshot_ends(version: int) -> None:
    async with running() as gateway, official(gateway, version) as client:
        client.reqMktData(1, stock("SOXL"), "", True, False, [])
        assert await client.until("tickSnapshotEnd") == [(1,)]
        before = len(client.calls)
        await client.second()
        assert [name for name, _ in client.calls[before:]] == ["currentTime"]


async def test_history(version: int) -> None:
    async with running() as gateway, official(gateway, version) as client:
        client.reqHistoricalData(1, stock("SOXL"), "", "60 S", "10 secs", "TRADES", 1, 2, False, [])
        await client.until("historicalDataEnd")
        assert len(client.of("historicalData")) == 6
        client.reqHistoricalData(2, stock("SOXL"), "", "30 S", "10 secs", "TRADES", 1, 1, True, [])
        await client.until("historicalDataEnd", 2)
        for _ in range(15):
            await client.second()
        updates = client.of("historicalDataUpdate")
        exact = gateway.venue.history(
            gateway.venue.find(symbol="SOXL"), gateway.venue.clock.now_ms, 10, 10, "TRADES", True
        )
        assert (updates[-1][1].open, updates[-1][1].close) == (dollars(exact[-1].open), dollars(exact[-1].close))
        client.cancelHistoricalData(2)
        errors = await client.until("error", 4)
        assert errors[-1][2] == 162


async def test_orders_and_executions(version: int) -> None:
    async with running() as gateway, official(gateway, version) as client:
        (first,) = client.of("nextValidId")[0]
        client.placeOrder(first, stock("SOXL"), order("BUY", "MKT", 100, orderRef="ref-1"))
        await client.until("commissionReport" if client.of("commissionReport") else "orderStatus")
        await client.second()
        reports = "commissionAndFeesReport"
        ((report,),) = await client.until(reports)
        ((_, contract, execution),) = client.of("execDetails")
        assert (report.execId, contract.symbol, execution.orderRef) == (execution.execId, "SOXL", "ref-1")
        names = [name for name, _ in client.calls]
        assert names.index("openOrder") < names.index("orderStatus") < names.index("execDetails") < names.index(reports)
        assert statuses(client, first)[-1] == "Filled"
        client.reqExecutions(9, ExecutionFilter())
        await client.until("execDetailsEnd")
        assert [arguments[0] for arguments in client.of("execDetails")] == [-1, 9]
        client.reqCompletedOrders(False)
        await client.until("completedOrdersEnd")
        ((_, completed, state),) = client.of("completedOrder")
        assert (completed.filledQuantity, state.status) == (Decimal(100), "Filled")


async def test_a_limit_order_and_a_bracket(version: int) -> None:
    async with running() as gateway, official(gateway, version) as client:
        (first,) = client.of("nextValidId")[0]
        client.placeOrder(first, stock("SOXL"), order("BUY", "LMT", 10, lmtPrice=1.0, transmit=False))
        child = order("SELL", "LMT", 10, lmtPrice=99.0, parentId=first, transmit=False)
        client.placeOrder(first + 1, stock("SOXL"), child)
        await client.second()
        assert client.of("openOrder") == []
        client.placeOrder(first + 2, stock("SOXL"), order("SELL", "STP", 10, auxPrice=0.5, parentId=first))
        await client.second()
        assert statuses(client, first)[-1] == "Submitted"
        assert statuses(client, first + 2)[-1] == "PreSubmitted"
        echoes = {arguments[0]: arguments for arguments in client.of("openOrder")}
        assert echoes[first + 2][2].parentId == first
        assert echoes[first + 2][2].ocaGroup == str(echoes[first][2].permId)
        client.reqOpenOrders()
        await client.until("openOrderEnd")
        client.cancelOrder(first, OrderCancel())
        await client.second()
        assert {statuses(client, first + place)[-1] for place in range(3)} == {"Cancelled"}
        assert (first, 202) in [(arguments[0], arguments[2]) for arguments in client.of("error")]


async def test_what_if(version: int) -> None:
    async with running() as gateway, official(gateway, version) as client:
        (first,) = client.of("nextValidId")[0]
        client.placeOrder(first, stock("SOXL"), order("BUY", "MKT", 100, whatIf=True))
        ((_, _, echoed, state),) = await client.until("openOrder")
        assert echoed.whatIf
        assert float(state.initMarginChange) > 0
        await client.second()
        assert client.of("orderStatus") == []


async def test_the_account(version: int) -> None:
    async with running() as gateway, official(gateway, version) as client:
        client.reqAccountUpdates(True, ACCOUNT)
        await client.until("accountDownloadEnd")
        assert ("NetLiquidation", "1000000.00", "USD", ACCOUNT) in client.of("updateAccountValue")
        client.reqAccountSummary(1, "All", "NetLiquidation,$LEDGER:ALL")
        await client.until("accountSummaryEnd")
        assert (1, ACCOUNT, "NetLiquidation", "1000000.00", "USD") in client.of("accountSummary")
        client.reqAccountUpdatesMulti(2, ACCOUNT, "", True)
        await client.until("accountUpdateMultiEnd")
        assert client.of("accountUpdateMulti")
        client.reqPositions()
        await client.until("positionEnd")
        client.reqPnL(3, ACCOUNT, "")
        await client.until("pnl")
        (first,) = client.of("nextValidId")[0]
        client.placeOrder(first, stock("SOXL"), order("BUY", "MKT", 50))
        await client.second()
        await client.second()
        assert client.of("position")[-1][2:3] == (Decimal(50),)
        client.reqPnLSingle(4, ACCOUNT, "", gateway.venue.find(symbol="SOXL").con_id)
        assert (await client.until("pnlSingle"))[0][1] == Decimal(50)
        assert client.of("updatePortfolio")[-1][1] == Decimal(50)
        client.reqUserInfo(5) if version >= 167 else client.reqPositionsMulti(6, ACCOUNT, "")
        await client.until("userInfo" if version >= 167 else "positionMultiEnd")


async def test_what_lies_outside_the_market_is_answered_as_by_tws(version: int) -> None:
    async with running() as gateway, official(gateway, version) as client:
        asked = stock("SOXL")
        client.reqMktDepth(1, asked, 5, False, [])
        client.cancelMktDepth(2, False)
        client.reqHistoricalNews(3, 72539725, "BRFG", "", "", 5, [])
        client.reqNewsArticle(4, "BRFG", "BRFG$1", [])
        client.reqFundamentalData(5, asked, "ReportSnapshot", [])
        client.reqScannerSubscription(6, ScannerSubscription(), [], [])
        client.cancelScannerSubscription(7)
        client.reqHistogramData(8, asked, True, "1 day")
        client.reqHistoricalTicks(9, asked, "20250311 15:00:00", "", 10, "TRADES", 1, False, [])
        client.calculateImpliedVolatility(10, asked, 1.0, 1.0, [])
        client.exerciseOptions(11, asked, 1, 1, ACCOUNT, 0, "", "", False)
        refused = {call[0]: call[2] for call in await client.until("error", 14) if call[0] > 0}
        assert refused == {
            1: 10092,
            2: 310,
            3: 10276,
            4: 10172,
            5: 10358,
            6: 162,
            7: 300,
            8: 162,
            9: 162,
            10: 200,
            11: 200,
        }
        client.reqNewsBulletins(True)
        client.cancelNewsBulletins()
        client.requestFA(1)
        assert (await client.until("error", 15))[-1][2] == 321
        client.reqSecDefOptParams(20, "SOXL", "", "STK", 72539725)
        client.reqSmartComponents(21, "9c0001")
        client.reqScannerParameters()
        client.queryDisplayGroups(22)
        for name in (
            "securityDefinitionOptionParameterEnd",
            "smartComponents",
            "scannerParameters",
            "displayGroupList",
        ):
            await client.until(name)
        for ask, heard in (
            (client.reqNewsProviders, "newsProviders"),
            (client.reqMktDepthExchanges, "mktDepthExchanges"),
            (client.reqFamilyCodes, "familyCodes"),
        ):
            ask()
            await client.until(heard)
        client.reqSoftDollarTiers(23)
        assert (await client.until("softDollarTiers"))[0][0] == 23
        assert client.isConnected()
