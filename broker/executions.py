"""Fills, their corrections and commissions, as the broker reports them: live and in answer to a read-back."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from ib_async.contract import Contract
from ib_async.objects import CommissionReport
from ib_async.objects import Execution as IbExecution

from broker.contracts import Contracts
from broker.orders import Orders
from broker.translate import commission, execution
from core.events import Event, ExecutionReported
from core.orders import Execution

LIVE = -1
"""The request id of an execution that nobody asked for: a fill as it happens."""


class Executions:
    """Translates fills. A running read-back collects every fill, also those that happen while its answers come in."""

    def __init__(self, account: str, contracts: Contracts, orders: Orders, emit: Callable[[Event], None],
                 now_ms: Callable[[], int]) -> None:  # fmt: skip
        self._account = account
        self._contracts = contracts
        self._orders = orders
        self._emit = emit
        self._now_ms = now_ms
        self._listed: dict[str, Execution] | None = None
        self._told: dict[str, tuple[Decimal | None, Decimal | None]] = {}  # commissions by exec_id, as last emitted

    def begin_listing(self) -> None:
        """From now on every fill belongs to the read-back."""
        self._listed = {}

    def end_listing(self) -> tuple[Execution, ...]:
        """The fills named since `begin_listing`, in the order of their first mention."""
        listed, self._listed = self._listed or {}, None
        return tuple(listed.values())

    def on_execution(self, request_id: int, contract: Contract, report: IbExecution) -> None:
        """A fill of this account; those of other accounts under the same login are not ours to see."""
        if report.acctNumber != self._account:
            return
        ref = report.orderRef or self._orders.ref_of(report.clientId, report.orderId, report.permId)
        fill = execution(self._contracts.ticker_of(contract), report, ref)
        if self._listed is not None:
            self._listed[fill.exec_id] = fill
        if request_id == LIVE:
            self._emit(ExecutionReported(self._now_ms(), fill))

    def on_commission(self, report: CommissionReport) -> None:
        """The commission of a fill, which may be of before this process; each read-back repeats it, news are told."""
        said = commission(report, self._now_ms())
        if self._told.get(said.exec_id) != (said.commission, said.realized_pnl):
            self._told[said.exec_id] = (said.commission, said.realized_pnl)
            self._emit(said)
