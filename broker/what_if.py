"""Asking the broker what it would make of an order, without sending it: margin, commission, the fields it keeps."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from ib_async.contract import Contract
from ib_async.order import Order, OrderState
from ib_async.util import UNSET_DOUBLE

from broker.requests import Requests
from broker.translate import money_or_none


@dataclass(frozen=True, slots=True)
class WhatIf:
    """The broker's answer. Money in dollars, None where it does not say; type and time in force as it keeps them."""

    order_type: str
    time_in_force: str
    initial_margin_change: Decimal | None
    commission_max: Decimal | None
    warning: str


class WhatIfs:
    """Open questions of this kind, by the order id that they use up."""

    def __init__(self, requests: Requests) -> None:
        self._requests = requests

    async def ask(self, client: Any, order_id: int, contract: Contract, account: str) -> WhatIf:
        """Ask about one share at the market. Raises RequestRefused with the broker's reason, RequestTimedOut."""
        order = Order(action="BUY", totalQuantity=1, orderType="MKT", tif="DAY", account=account, whatIf=True)
        words = f"what one share of {contract.symbol} would come to"
        answers: list[WhatIf] = await self._requests.ask(
            _key(order_id), words, lambda: client.placeOrder(order_id, contract, order)
        )
        return answers[0]

    def on_answer(self, order_id: int, order: Order, state: OrderState) -> None:
        """An openOrder that answers a question."""
        answer = WhatIf(
            order.orderType,
            order.tif,
            money_or_none(float(state.initMarginChange or UNSET_DOUBLE)),
            money_or_none(float(state.maxCommission)) or money_or_none(float(state.commission)),
            state.warningText,
        )
        self._requests.add(_key(order_id), answer)
        self._requests.finish(_key(order_id))

    def refuse(self, order_id: int, code: int, text: str) -> bool:
        """An error for a question's order id; True when it was one."""
        return self._requests.refuse(_key(order_id), code, text)


def _key(order_id: int) -> tuple[str, int]:
    return "what if", order_id
