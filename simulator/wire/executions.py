"""execDetails (11) and commissionReport (59)."""

from __future__ import annotations

from simulator.model import CommissionReport, Execution, dollars
from simulator.wire import answers, contracts, fields, versions
from simulator.wire.framing import payload_of
from simulator.wire.times import moment_text


def exec_details(version: int, request_id: int, execution: Execution) -> bytes:
    """11: -1 as request id when it happens; pendingPriceRevision from 178 on."""
    body = ["11", str(request_id), str(execution.order_id)]
    body += contracts.echo(execution.instrument, right="", strike="0.0", exchange=execution.exchange)
    body += [execution.exec_id, moment_text(execution.time_ms, version), execution.account, execution.exchange]
    body += [execution.side, fields.size(execution.shares), _dollars(execution.price), str(execution.perm_id)]
    body += [str(execution.client_id), "0", fields.size(execution.cumulative_shares)]
    body += [fields.price(execution.average_price), fields.text(execution.order_ref), "", "", ""]
    body.append(str(execution.last_liquidity))
    if version >= versions.PENDING_PRICE_REVISION:
        body.append("0")
    return payload_of(body)


def commission_report(report: CommissionReport) -> bytes:
    """59."""
    realized = None if report.realized_pnl is None else dollars(report.realized_pnl)
    return answers.commission_report(report.exec_id, dollars(report.commission), report.currency, realized)


def _dollars(price: int) -> str:
    return fields.price(dollars(price))
