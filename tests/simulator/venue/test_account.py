"""Positions, P&L, account values and executions as TWS reports them."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulator.clock import eastern_ms
from simulator.model import ExecutionFilter, PnL
from tests.simulator.venue.stage import CALM, DAY, HALF_DAY, Stage, stage, staged

DOLLAR = 10_000


def _values(play: Stage) -> dict[str, str]:
    return {value.key: value.value for value in play.venue.account_values()}


def test_a_round_trip_and_a_flip(tmp_path: Path) -> None:
    play = stage(tmp_path, {**CALM, "10:00:05": (11.00, 11.02, 900, 900, 11.01)})
    play.place(1, "BUY", 100)
    row = play.venue.positions()[0]
    assert row.average_cost == pytest.approx(10.03)  # 10.02 and a cent of commission per share
    play.until("10:00:06")
    assert play.venue.pnl() == PnL(daily=98 * DOLLAR, unrealized=98 * DOLLAR, realized=0)
    play.place(2, "SELL", 300)
    row = play.venue.positions()[0]
    assert row.quantity == -200
    # Sold 100 at 11.00; a third of the 1.50 commission belongs to the part that closed.
    assert play.ear.commissions[1].realized_pnl == 97 * DOLLAR - 5_000
    assert row.realized_pnl == 97 * DOLLAR - 5_000
    assert row.average_cost == pytest.approx(10.995)
    single = play.venue.pnl_single(row.instrument.con_id)
    assert (single.position, single.value) == (-200, -200 * 110_100)
    assert single.daily == single.realized + single.unrealized
    assert _values(play)["TotalCashValue"] == "1002295.50"


def test_an_opening_fill_has_no_realized_profit(tmp_path: Path) -> None:
    play = stage(tmp_path, CALM)
    play.place(1, "BUY", 100)
    assert play.ear.commissions[0].realized_pnl is None


def test_margin_and_buying_power(tmp_path: Path) -> None:
    play = stage(tmp_path, {"09:59:00": (10.00, 10.00, 5000, 5000, 10.00)})
    assert _values(play)["BuyingPower"] == "4000000.00"
    play.place(1, "BUY", 4000)
    values = _values(play)
    assert values["GrossPositionValue"] == "40000.00"
    assert values["InitMarginReq"] == "10000.00"
    assert values["NetLiquidation"] == "999980.00"
    assert values["AvailableFunds"] == "989980.00"
    assert values["BuyingPower"] == "3959920.00"
    assert {value.currency for value in play.venue.account_values() if value.key.endswith("Value")} == {"USD"}


def test_executions_are_those_since_midnight_and_can_be_filtered(tmp_path: Path) -> None:
    script = {(DAY, "15:00:00"): (10.0, 10.02, 900, 900, 10.01), (HALF_DAY, "09:30:00"): (10.0, 10.02, 900, 900, 10.01)}
    play = staged(tmp_path, script, start="15:30:00")
    play.place(1, "BUY", 100)
    play.place(2, "SELL", 30)
    play.place(1, "SELL", 10, client=2)
    assert len(play.venue.executions()) == 3
    assert len(play.venue.executions(ExecutionFilter(client_id=2))) == 1
    assert len(play.venue.executions(ExecutionFilter(side="SELL"))) == 2
    assert len(play.venue.executions(ExecutionFilter(symbol="BBB"))) == 0
    assert len(play.venue.executions(ExecutionFilter(since_ms=eastern_ms(DAY, 15 * 3600 + 1801)))) == 0
    assert [order.order_id for order in play.venue.completed_orders()] == [1, 2, 1]
    assert {report is not None for _, report in play.venue.executions()} == {True}
    play.until("09:30:05", HALF_DAY)
    assert play.venue.executions() == []
    assert play.venue.completed_orders() == []
    assert play.position() == 60


def test_profit_of_the_day_starts_anew(tmp_path: Path) -> None:
    script = {(DAY, "15:00:00"): (10.0, 10.0, 900, 900, 10.0), (HALF_DAY, "09:30:00"): (12.0, 12.0, 900, 900, 12.0)}
    play = staged(tmp_path, script, start="15:30:00")
    play.place(1, "BUY", 100)
    play.until("09:30:05", HALF_DAY)
    assert play.venue.pnl() == PnL(daily=200 * DOLLAR, unrealized=199 * DOLLAR, realized=0)
    play.place(2, "SELL", 100)
    assert play.venue.pnl() == PnL(daily=199 * DOLLAR, unrealized=0, realized=198 * DOLLAR)


def test_a_position_is_pushed_when_it_changes(tmp_path: Path) -> None:
    play = stage(tmp_path, CALM)
    play.place(1, "BUY", 100)
    play.place(2, "SELL", 100)
    assert play.ear.positions == [("AAA", 100), ("AAA", 0)]
