"""Orders and executions that no order of ours would look like: of other programs, accounts and people."""

from __future__ import annotations

import pytest

from core.events import ExecutionReported
from tests.broker.desk import Desk, desk
from tests.broker.test_link import hear


def execution(trader: Desk, shares: str, ref: str) -> tuple[object, ...]:
    """A live fill of another client, 3."""
    con_id = trader.broker._contracts.listing("SOXL").contract.conId
    contract = (con_id, "SOXL", "STK", "", 0, "", "", "ARCA", "USD", "SOXL", "SOXL")
    fill = ("0000e0d5.1.01.01", "20250312-13:35:10", "DU1234567", "ARCA", "BOT", shares, "20.1", 77, 3, 0)
    return (11, -1, 5, *contract, *fill, shares, "20.1", ref, "", "", "", 1, 0)


@pytest.mark.parametrize("ref", ["", "robo-7", "a/b/c/d"])
async def test_a_fraction_of_a_share_that_another_program_trades_ends_nothing(ref: str) -> None:
    async with desk("SOXL") as trader:
        hear(trader, execution(trader, "0.5", ref))
        (fill,) = trader.of(ExecutionReported)
        assert (fill.execution.order_ref, fill.execution.shares) == (ref, 1)


async def test_a_fraction_of_a_share_of_ours_is_never_rounded() -> None:
    async with desk("SOXL") as trader:
        hear(trader, execution(trader, "0.5", "S/SOXL/1/entry"))
        assert "execution shares = 0.5" in str(trader.failures.pop())
        assert trader.of(ExecutionReported) == []
