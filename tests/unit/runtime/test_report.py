"""The curve of the report: steps at each close, scaled to the picture, zero where it belongs."""

from dataclasses import replace
from decimal import Decimal

from core.records import Trade
from core.vocabulary import ExitReason, Side
from runtime.report import HEIGHT, MARGIN, pnl_curve

TRADE = Trade(
    session="S",
    number=1,
    ticker="SOXL",
    side=Side.LONG,
    shares=100,
    opened_ms=1_000,
    closed_ms=2_000,
    entry_price=Decimal(10),
    exit_price=Decimal(11),
    gross_pnl=Decimal(102),
    commissions=Decimal(2),
    exit_reason=ExitReason.TARGET,
    atr=None,
    capital_efficiency=None,
    unprotected_ms=0,
)


def test_a_day_without_trades_is_a_level_line() -> None:
    curve = pnl_curve([], 0, 10_000)
    heights = {point.split(",")[1] for point in curve.points.split()}
    assert len(heights) == 1
    assert (curve.lowest, curve.highest) == (0, 0)


def test_each_close_is_a_step_by_its_net() -> None:
    lost = replace(TRADE, number=2, closed_ms=4_000, gross_pnl=Decimal(-248))
    curve = pnl_curve([lost, TRADE], 0, 10_000)
    assert (curve.lowest, curve.highest) == (Decimal(-150), Decimal(100))
    assert len(curve.points.split()) == 6
    zero = MARGIN + (HEIGHT - 2 * MARGIN) * 100 / 250
    assert curve.zero_y == round(zero, 1)


def test_a_pending_commission_leaves_the_gross() -> None:
    assert pnl_curve([replace(TRADE, commissions=None)], 0, 10_000).highest == Decimal(102)
