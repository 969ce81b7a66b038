"""What ib_async's client and decoder call, by their names: each goes to the part that understands it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC
from typing import Final

from broker.account import Account
from broker.contracts import Contracts
from broker.entitlement import Entitlements
from broker.executions import Executions
from broker.history import History
from broker.market_data import MarketData
from broker.orders import Orders
from broker.read_back import ReadBack


class Wrapper:
    """The other side of the decoder; holds no state and decides nothing."""

    defaultTimezone: Final = UTC  # noqa: N815 - ib_async's name

    def __init__(
        self,
        *,
        account: Account,
        contracts: Contracts,
        entitlements: Entitlements,
        executions: Executions,
        history: History,
        market_data: MarketData,
        orders: Orders,
        read_back: ReadBack,
        on_error: Callable[[int, int, str, str], None],
        on_time: Callable[[int], None],
        on_chunk: Callable[[], None],
        on_closed: Callable[[], None],
    ) -> None:
        self.orderStatus = orders.on_status
        self.openOrder = orders.on_open_order
        self.openOrderEnd = read_back.on_open_orders_end
        self.nextValidId = orders.on_next_id
        self.execDetails = executions.on_execution
        self.execDetailsEnd = read_back.on_executions_end
        self.commissionReport = executions.on_commission
        self.position = account.on_position
        self.positionEnd = read_back.on_positions_end
        self.accountSummary = account.on_summary
        self.accountSummaryEnd = account.on_summary_end
        self.contractDetails = contracts.on_details
        self.contractDetailsEnd = contracts.on_details_end
        self.marketRule = contracts.on_market_rule
        self.historicalData = history.on_bar
        self.historicalDataEnd = history.on_end
        self.tickPrice = market_data.on_price
        self.tickOther = market_data.on_other
        self.tickGeneric = market_data.on_generic
        self.realtimeBar = market_data.on_bar
        self.tickSnapshotEnd = entitlements.on_snapshot_end
        self.marketDataType = market_data.on_data_type
        self.error = on_error
        self.currentTime = on_time
        self.tcpDataProcessed = on_chunk
        self.setEventsDone = on_closed

    def connectAck(self) -> None:
        """The version is agreed; the client itself goes on."""

    def connectionClosed(self) -> None:
        """Follows setEventsDone, which told it already."""
