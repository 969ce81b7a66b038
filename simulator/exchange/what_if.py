"""The answer to a whatIf: one openOrder with margins and a commission; nothing becomes live."""

from __future__ import annotations

from simulator.exchange.checks import check_means, pending_shares
from simulator.exchange.floor import Floor
from simulator.model import Margins, Order


def answer_what_if(floor: Floor, order: Order) -> None:
    """Compute and report."""
    account = floor.account
    price = order.request.limit_price or floor.touch(order.instrument).mark()
    plan = account.plan
    commission = plan.order_total(order.quantity, order.quantity * price)
    commission += plan.fees(order.side, order.quantity, price, added_liquidity=False)
    before, after = account.margin(), account.margin(pending_shares(floor, order), cost=commission)
    refusal = check_means(floor, order)
    order.status = "PreSubmitted"
    order.margins = Margins(
        initial_before=before.initial,
        maintenance_before=before.maintenance,
        equity_before=before.equity,
        initial_after=after.initial,
        maintenance_after=after.maintenance,
        equity_after=after.equity,
        commission=commission,
        warning=refusal.text if refusal is not None else "",
    )
    floor.reports.order(order)
