"""IB's commissions for US stocks: the fixed and the tiered plan, and the fees of the regulators.

Source: IB's published price list. Amounts in Money (1/10,000 dollar), rounded to the nearest unit.
A minimum holds per order: its executions share it, so a plan answers with an order's total so far.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

from simulator.model import Money, Price

PLANS = ("fixed", "tiered")

_MAX_SHARE_OF_VALUE = Decimal("0.01")
_SEC_FEE = Decimal("0.0000278")  # of the value of a sale
_TRADING_ACTIVITY_FEE = Decimal("1.66")  # 1/10,000 dollar per share sold
_TRADING_ACTIVITY_MAX = Decimal(83_000)
_CLEARING = Decimal("2.0")  # per share, tiered plan
_TAKEN, _ADDED = Decimal("30"), Decimal("-20")  # exchange fee and rebate per share, tiered plan


@dataclass(frozen=True, slots=True)
class CommissionPlan:
    """`plan` is `fixed` ($0.005 a share, at least $1) or `tiered` ($0.0035, at least $0.35, with exchange fees)."""

    plan: str = "fixed"
    regulatory_fees: bool = False

    def __post_init__(self) -> None:
        if self.plan not in PLANS:
            raise ValueError(f"commission plan {self.plan!r}: allowed are {', '.join(PLANS)}")

    def order_total(self, shares: int, value: Money) -> Money:
        """IB's own commission for what an order has filled so far: at most 1 % of its value, even below the minimum."""
        rate, least = (Decimal(50), Decimal(10_000)) if self.plan == "fixed" else (Decimal(35), Decimal(3_500))
        return _rounded(min(max(rate * shares, least), _MAX_SHARE_OF_VALUE * value))

    def fees(self, side: int, shares: int, price: Price, added_liquidity: bool) -> Money:
        """What one execution costs besides (negative: a rebate). `side` is +1 for a buy, -1 for a sale."""
        total = Decimal(0)
        if self.plan == "tiered":
            total += shares * (_CLEARING + (_ADDED if added_liquidity else _TAKEN))
        if self.regulatory_fees and side < 0:
            total += _SEC_FEE * shares * price + min(_TRADING_ACTIVITY_FEE * shares, _TRADING_ACTIVITY_MAX)
        return _rounded(total)


def _rounded(amount: Decimal) -> Money:
    return int(amount.to_integral_value(ROUND_HALF_EVEN))
