"""What the trades of a day come to, in words: pending is not zero, and accounts are not summed."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from runtime.summary import trades_in_words


def trade(net: str | None, account: str = "DU1") -> dict[str, Any]:
    """A row of v_trades, as far as it is read."""
    return {"account": account, "net_pnl": None if net is None else Decimal(net)}


def test_all_are_known() -> None:
    assert trades_in_words([trade("12.50"), trade("-2.25"), trade("0")]) == ["3 trades, net +10.25, won 33.3%."]


def test_a_trade_whose_commission_is_pending_is_in_no_sum() -> None:
    assert trades_in_words([trade("12.50"), trade(None)]) == [
        "2 trades, of 1 net +12.50, won 100.0%; 1 with a commission pending are not in it."
    ]
    assert trades_in_words([trade(None)]) == ["1 trades, net not known: commissions are pending."]


def test_accounts_are_told_apart() -> None:
    assert trades_in_words([trade("1", "U9"), trade("2"), trade("3")]) == [
        "DU1: 2 trades, net +5.00, won 100.0%.",
        "U9: 1 trades, net +1.00, won 100.0%.",
    ]
