"""Messages against frames that real servers sent: the same fields in the same places."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulator.model import Bar, CommissionReport, Execution, Order, PositionRow
from simulator.wire import answers, bars, contracts, executions, orders, ticks
from simulator.wire.framing import fields_of
from tests.simulator.wire.recorded import apple, frames, order


def differing(recorded: list[str], written: bytes) -> dict[int, tuple[str, str]]:
    fields = fields_of(written)
    assert len(fields) == len(recorded)
    return {place: pair for place, pair in enumerate(zip(recorded, fields, strict=True)) if pair[0] != pair[1]}


def test_open_order_of_a_market_order(recorded_data: Path) -> None:
    first, filled = frames(recorded_data, 5, 173)[:2]
    peg_defaults = {132: ("100", ""), 133: ("0.02", "")}
    assert differing(first, orders.open_order(173, order(apple(), status="PreSubmitted"), "DU1234567")) == peg_defaults
    assert differing(filled, orders.open_order(173, order(apple(), status="Filled"), "DU1234567")) == peg_defaults


def test_open_order_with_its_commission(recorded_data: Path) -> None:
    tesla = apple()
    recorded = frames(recorded_data, 5, 169)[2]
    held = order(tesla, order_id=13, perm_id=1376327563, status="Filled", commission=10_000, request_order_id=13)
    assert set(differing(recorded, orders.open_order(169, held, "DU1234567"))) == {2, 3, 11}  # another stock


def test_open_order_of_a_limit_order(recorded_data: Path) -> None:
    recorded = frames(recorded_data, 5, 176)[0]
    held = order(
        apple(), order_id=5, client_id=1, perm_id=2138440174, quantity=1, status="Submitted",
        request_order_type="LMT", request_limit_price=967_900,
    )  # fmt: skip
    other = set(differing(recorded, orders.open_order(176, held, "DU1234567")))
    assert other == {2, 3, 5, 8, 9, 10, 11, 12, 15, 18, 23} | {4}  # a future, MKT, GTC, origin 5


def test_open_order_of_a_bracket_child(recorded_data: Path) -> None:
    recorded = frames(recorded_data, 5, 200)[0][:150]
    held = order(
        apple(), order_id=211, client_id=1, perm_id=900211, quantity=1, status="PreSubmitted", oca_group="1571710075",
        request_order_type="LMT", request_limit_price=20_000_000, request_parent_id=210, request_order_ref="ref-1",
        request_action="SELL",
    )  # fmt: skip
    written = fields_of(orders.open_order(178, held, "DU9000001"))
    assert written[:90] == recorded[:90]


@pytest.mark.parametrize(("version", "open_fields", "completed_fields"), [(157, 128, 96), (178, 135, 100)])
def test_lengths_of_the_long_messages(version: int, open_fields: int, completed_fields: int) -> None:
    held = order(apple(), status="Submitted")
    assert len(fields_of(orders.open_order(version, held, "DU1"))) == open_fields
    assert len(fields_of(orders.completed_order(version, held, "DU1"))) == completed_fields


def test_completed_order(recorded_data: Path) -> None:
    held: Order = order(
        apple(), perm_id=1824933227, status="Filled", filled=100, completed_ms=1_678_127_310_000,
        completed_status="Filled Size: 100",
    )  # fmt: skip
    recorded = frames(recorded_data, 101, 169)[0]
    other = differing(recorded, orders.completed_order(169, held, "DU1234567"))
    assert other == {94: ("20230306 12:28:30 America/Los_Angeles", "20230306 13:28:30 US/Eastern")}


def test_order_status(recorded_data: Path) -> None:
    filled = answers.order_status(5, "Filled", 100, 0, 201.94, 600745656, 0, 201.94, 100, "")
    resting = answers.order_status(5, "PreSubmitted", 0, 100, 0.0, 600745656, 0, 0, 100, "")
    assert [fields_of(resting), fields_of(filled)] == frames(recorded_data, 3, 173)


@pytest.mark.parametrize(("version", "time_ms"), [(173, 1_744_760_311_000), (200, 1_776_108_424_000)])
def test_exec_details(recorded_data: Path, version: int, time_ms: int) -> None:
    recorded = frames(recorded_data, 11, version)[0]
    execution = Execution(
        exec_id=recorded[14], time_ms=time_ms, instrument=apple(), account=recorded[16], exchange="IEX", side="BOT",
        shares=int(recorded[19]), price=round(float(recorded[20]) * 10_000), perm_id=int(recorded[21]),
        client_id=int(recorded[22]), order_id=int(recorded[2]), cumulative_shares=int(recorded[24]),
        average_price=float(recorded[25]), order_ref="", last_liquidity=2,
    )  # fmt: skip
    written = executions.exec_details(min(version, 178), -1, execution)
    assert fields_of(written) == recorded[: 31 if version < 178 else 32]


def test_commission_reports(recorded_data: Path) -> None:
    opening = CommissionReport("00025b46.63f8f39c.01.01", 10_000, "USD", None)
    assert fields_of(executions.commission_report(opening)) == frames(recorded_data, 59, 169)[0]


def test_positions_and_portfolio(recorded_data: Path) -> None:
    row = PositionRow("ACCOUNT_ID", apple(), -110, 201.8829709, 0, 0, 0, 0)
    assert fields_of(contracts.position(row)) == frames(recorded_data, 61, 173)[0]
    held = PositionRow("DU9000001", apple(), -100, 291.2660812, 2_916_234, -291_623_400, -357_400, -714_400)
    other = differing(frames(recorded_data, 7, 200)[0], contracts.portfolio_value(held))
    assert other == {14: ("291.6234436", "291.6234")}


def test_account_messages(recorded_data: Path) -> None:
    summary = frames(recorded_data, 63, 173)[1]
    assert fields_of(answers.account_summary(9000, "ACCOUNT_ID", "NetLiquidation", "246447.83", "USD")) == summary
    assert fields_of(answers.ended(64, 9000)) == frames(recorded_data, 64, 173)[0]
    assert fields_of(answers.position_end()) == frames(recorded_data, 62, 173)[0]
    value = answers.account_value("AccountCode", "DU9000001", "", "DU9000001")
    assert fields_of(value) == frames(recorded_data, 6, 200)[0]
    assert fields_of(answers.account_time("14:34")) == frames(recorded_data, 8, 200)[0]
    assert fields_of(answers.account_download_end("DU9000001")) == frames(recorded_data, 54, 200)[0]
    multi = answers.account_update_multi(1001, "DU9000001", "", "Currency", "EUR", "EUR")
    assert fields_of(multi) == frames(recorded_data, 73, 200)[0]
    assert fields_of(answers.ended(74, 1001)) == frames(recorded_data, 74, 200)[0]
    profit = answers.pnl(4, 11340.427636781911, 54385.58271885987, -103.92738339177643)
    assert fields_of(profit) == frames(recorded_data, 94, 200)[0]


def test_starting_messages_and_notices(recorded_data: Path) -> None:
    assert fields_of(answers.managed_accounts(["DU1234567"])) == frames(recorded_data, 15, 173)[0]
    assert fields_of(answers.next_valid_id(5)) == frames(recorded_data, 9, 173)[0]
    notice = answers.error(173, -1, 2104, "Market data farm connection is OK:usfarm")
    assert fields_of(notice) == frames(recorded_data, 4, 173)[0]
    cancelled = answers.error(166, 41, 202, "Order Canceled - reason:")
    assert fields_of(cancelled) == frames(recorded_data, 4, 166)[0]
    assert len(fields_of(answers.error(165, -1, 2104, "x"))) == 5
    assert fields_of(answers.current_time(1752606307)) == frames(recorded_data, 49, 173)[0]


def test_ends(recorded_data: Path) -> None:
    assert fields_of(answers.open_order_end()) == frames(recorded_data, 53, 200)[0]
    assert fields_of(answers.ended(55, 3)) == frames(recorded_data, 55, 200)[0]
    assert fields_of(answers.ended(57, 1001)) == frames(recorded_data, 57, 200)[0]
    assert fields_of(answers.ended(52, 1001)) == frames(recorded_data, 52, 200)[0]
    assert fields_of(answers.completed_orders_end()) == ["102"]


def test_contract_details(recorded_data: Path) -> None:
    recorded = frames(recorded_data, 10, 200)[0]
    schedule = [("20260405", 0, 0, 0, 0), ("20260406", 1775462400000, 1775520000000, 1775482200000, 1775505600000)]
    written = fields_of(contracts.contract_details(178, 1001, apple(), "SMART", schedule))
    assert len(written) == 42
    # From 182 on one more field follows the expiry, from 186 on one more ends the message.
    compared = recorded[:5] + recorded[6:-1]
    other = {place for place, pair in enumerate(zip(compared, written, strict=True)) if pair[0] != pair[1]}
    assert other == {15, 16, 26, 27, 36}  # order types, exchanges, hours and one rule id an exchange are our own
    assert written[26].startswith("20260405:CLOSED;20260406:0400-20260406:2000")
    assert written[27].startswith("20260405:CLOSED;20260406:0930-20260406:1600")
    assert len(fields_of(contracts.contract_details(157, 1001, apple(), "SMART", schedule))) == 41
    assert len(fields_of(contracts.contract_details(163, 1001, apple(), "SMART", schedule))) == 42


def test_history_ticks_and_the_rest(recorded_data: Path) -> None:
    recorded = frames(recorded_data, 17, 200)[0]
    first = Bar(1775136600000, 0, 2542000, 2548000, 2506500, 2525300, 2829736, 2522660, 13633)
    written = fields_of(bars.historical_data(178, 1001, [first], 3600, 1, "", ""))
    assert written[5:] == recorded[3:11]
    delayed = ticks.writer(178, delayed=True)
    head, tail = delayed._price(4, 2_554_500, 200)
    assert fields_of(head + b"1001" + tail) == frames(recorded_data, 1, 200)[0]
    head, tail = delayed._size(8, 312_894)
    assert fields_of(head + b"1001" + tail) == frames(recorded_data, 2, 200)[0]
    assert fields_of(answers.market_data_type(1001, 3)) == frames(recorded_data, 58, 200)[0]
    assert fields_of(answers.tick_request_parameters(1, 0.01, "SMART", 3)) == frames(recorded_data, 81, 200)[0]
    head, tail = ticks.generic(46, "3.0")
    assert fields_of(head + b"1001" + tail) == frames(recorded_data, 45, 200)[0]
    assert fields_of(answers.tick_string(1001, 88, "1775174157")) == frames(recorded_data, 46, 200)[0]
    assert fields_of(answers.head_timestamp(1001, "19801212-14:30:00")) == frames(recorded_data, 88, 200)[0]


def test_the_growing_bar_has_an_order_of_its_own() -> None:
    bar = Bar(1775136600000, 0, 10_000, 40_000, 20_000, 30_000, 500, 25_000, 7)
    fields = fields_of(bars.historical_data_update(178, 9, bar, 10, 2))
    assert fields == ["90", "9", "7", "1775136600", "1.00", "3.00", "4.00", "2.00", "2.50", "500"]
    assert fields_of(bars.historical_data_update(174, 9, bar, 10, 2))[-1] == "5"


def test_a_real_time_bar_is_named_by_its_start() -> None:
    bar = Bar(1775136600000, 0, 10_000, 40_000, 20_000, 30_000, 500, 25_000, 7)
    fields = fields_of(bars.real_time_bar(178, 9, bar))
    assert fields == ["50", "3", "9", "1775136600", "1.00", "4.00", "2.00", "3.00", "500", "2.50", "7"]
