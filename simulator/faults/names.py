"""Messages by name, so that a script can say `execDetails` in the place of 11."""

from __future__ import annotations

from collections.abc import Iterable
from types import MappingProxyType

TO_CLIENT = MappingProxyType(
    {
        "tickPrice": 1,
        "tickSize": 2,
        "orderStatus": 3,
        "error": 4,
        "openOrder": 5,
        "accountValue": 6,
        "portfolioValue": 7,
        "accountTime": 8,
        "nextValidId": 9,
        "contractDetails": 10,
        "execDetails": 11,
        "managedAccounts": 15,
        "historicalData": 17,
        "tickGeneric": 45,
        "tickString": 46,
        "currentTime": 49,
        "realTimeBar": 50,
        "contractDetailsEnd": 52,
        "openOrderEnd": 53,
        "accountDownloadEnd": 54,
        "execDetailsEnd": 55,
        "commissionReport": 59,
        "position": 61,
        "positionEnd": 62,
        "accountSummary": 63,
        "accountSummaryEnd": 64,
        "accountUpdateMulti": 73,
        "accountUpdateMultiEnd": 74,
        "headTimestamp": 88,
        "historicalDataUpdate": 90,
        "marketRule": 93,
        "pnl": 94,
        "pnlSingle": 95,
        "tickByTick": 99,
        "completedOrder": 101,
        "completedOrdersEnd": 102,
    }
)
FROM_CLIENT = MappingProxyType(
    {
        "reqMktData": 1,
        "cancelMktData": 2,
        "placeOrder": 3,
        "cancelOrder": 4,
        "reqOpenOrders": 5,
        "reqAccountUpdates": 6,
        "reqExecutions": 7,
        "reqIds": 8,
        "reqContractDetails": 9,
        "reqAllOpenOrders": 16,
        "reqHistoricalData": 20,
        "cancelHistoricalData": 25,
        "reqCurrentTime": 49,
        "reqRealTimeBars": 50,
        "cancelRealTimeBars": 51,
        "reqGlobalCancel": 58,
        "reqPositions": 61,
        "reqAccountSummary": 62,
        "startApi": 71,
        "reqHeadTimeStamp": 87,
        "reqMarketRule": 91,
        "reqPnL": 92,
        "reqPnLSingle": 94,
        "reqTickByTickData": 97,
        "reqCompletedOrders": 99,
    }
)
DATA = ("tickPrice", "tickSize", "tickGeneric", "tickString", "realTimeBar", "historicalDataUpdate", "tickByTick")
ORDERS = ("openOrder", "orderStatus", "execDetails", "commissionReport")
GROUPS = MappingProxyType({"data": DATA, "orders": ORDERS, "all": (*DATA, *ORDERS, "error", "position")})


def numbers(names: Iterable[str], *, inbound: bool) -> frozenset[int]:
    """The message ids of names (`data`, `orders` and `all` are groups). ValueError names an unknown one."""
    table = FROM_CLIENT if inbound else TO_CLIENT
    found: set[int] = set()
    for name in names:
        for each in (name,) if inbound else GROUPS.get(name, (name,)):
            if each not in table:
                raise ValueError(f"message {each!r}: allowed are {', '.join(table)}")
            found.add(table[each])
    return frozenset(found)
