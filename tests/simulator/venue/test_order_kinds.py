"""Each order type and time in force, in IB's sequences."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulator.clock import eastern_ms
from simulator.doubts import Doubts
from tests.simulator.venue.stage import CALM, DAY, HALF_DAY, stage, staged


def test_a_market_order_takes_the_touch_in_the_recorded_sequence(tmp_path: Path) -> None:
    play = stage(tmp_path, CALM)
    assert play.place(1, "BUY", 100) == [
        "open 1 PreSubmitted",
        "status 1 PreSubmitted 0/100",
        "exec 1 BOT 100 @ 10.02",
        "open 1 Filled",
        "status 1 Filled 100/0",
        "open 1 Filled",
        "status 1 Filled 100/0",
        "commission 1.0",
    ]
    assert play.position() == 100


def test_statuses_are_not_repeated_when_the_doubt_is_off_and_may_come_first(tmp_path: Path) -> None:
    play = stage(tmp_path, CALM, doubts=Doubts(duplicate_statuses=False, filled_before_execution=True))
    assert play.place(1, "BUY", 100)[2:] == [
        "open 1 Filled",
        "status 1 Filled 100/0",
        "exec 1 BOT 100 @ 10.02",
        "open 1 Filled",
        "commission 1.0",
    ]


def test_a_large_market_order_waits_for_later_quotes(tmp_path: Path) -> None:
    script = {**CALM, "10:00:04": (10.00, 10.03, 500, 100, None), "10:00:06": (10.00, 10.05, 500, 900, None)}
    play = stage(tmp_path, script)
    heard = play.place(1, "BUY", 700)
    assert "exec 1 BOT 400 @ 10.02" in heard
    assert "status 1 Submitted 400/300" in heard
    heard = play.until("10:00:10")
    assert [word for word in heard if word.startswith("exec")] == ["exec 1 BOT 100 @ 10.03", "exec 1 BOT 200 @ 10.05"]
    assert [execution.cumulative_shares for execution in play.ear.executions] == [400, 500, 700]
    assert play.ear.executions[-1].average_price == pytest.approx((400 * 10.02 + 100 * 10.03 + 200 * 10.05) / 700)


def test_two_orders_share_one_touch(tmp_path: Path) -> None:
    play = stage(tmp_path, CALM)
    play.place(1, "BUY", 300)
    assert "exec 2 BOT 100 @ 10.02" in play.place(2, "BUY", 300)
    assert play.position() == 400


def test_a_resting_limit_fills_at_its_own_price(tmp_path: Path) -> None:
    play = stage(tmp_path, {**CALM, "10:00:05": (9.90, 9.92, 500, 60, None)})
    assert play.place(1, "BUY", 100, "LMT", limit=9.95) == [
        "open 1 PreSubmitted",
        "status 1 PreSubmitted 0/100",
        "open 1 Submitted",
        "status 1 Submitted 0/100",
        "status 1 Submitted 0/100",
    ]
    heard = play.until("10:00:06")
    assert heard[0] == "exec 1 BOT 60 @ 9.95"
    assert "status 1 Submitted 60/40" in heard
    assert play.ear.executions[0].last_liquidity == 1


def test_a_marketable_limit_pays_the_touch_not_its_limit(tmp_path: Path) -> None:
    play = stage(tmp_path, CALM)
    assert "exec 1 BOT 100 @ 10.02" in play.place(1, "BUY", 100, "LMT", limit=10.50)
    assert play.ear.executions[0].last_liquidity == 2


def test_the_rest_of_a_marketable_limit_pays_the_next_touch(tmp_path: Path) -> None:
    play = stage(tmp_path, {**CALM, "10:00:05": (10.01, 10.03, 500, 900, None)})
    play.place(1, "BUY", 700, "LMT", limit=10.50)
    assert play.until("10:00:06")[0] == "exec 1 BOT 300 @ 10.03"


def test_a_trade_through_fills_only_with_its_switch(tmp_path: Path) -> None:
    script = {**CALM, "10:00:05": (10.00, 10.02, 500, 400, 9.90)}
    for switch, expected in ((False, 0), (True, 100)):
        play = stage(tmp_path, script, doubts=Doubts(trade_through_fills=switch))
        play.place(1, "BUY", 100, "LMT", limit=9.95)
        play.until("10:00:06")
        assert play.position() == expected


def test_a_stop_waits_for_last_and_then_takes_the_touch(tmp_path: Path) -> None:
    script = {**CALM, "10:00:05": (9.80, 9.82, 500, 400, None), "10:00:07": (9.70, 9.72, 500, 400, 9.90)}
    play = stage(tmp_path, script)
    play.place(1, "BUY", 100)
    assert play.place(2, "SELL", 100, "STP", stop=9.90)[-1] == "status 2 PreSubmitted 0/100 (trigger)"
    assert play.until("10:00:07") == []  # the quote is below it, no trade yet
    heard = play.until("10:00:08")
    assert heard[:2] == ["open 2 Submitted", "status 2 Submitted 0/100"]
    assert "exec 2 SLD 100 @ 9.7" in heard


def test_a_stop_on_the_wrong_side_goes_off_at_once(tmp_path: Path) -> None:
    play = stage(tmp_path, CALM)
    assert "exec 1 SLD 100 @ 10.0" in play.place(1, "SELL", 100, "STP", stop=10.50)


@pytest.mark.parametrize(("method", "goes_off"), [(0, False), (2, False), (4, True), (7, True), (8, True), (1, False)])
def test_trigger_methods(tmp_path: Path, method: int, goes_off: bool) -> None:
    play = stage(tmp_path, {**CALM, "10:00:05": (9.80, 9.82, 500, 400, None), "10:00:06": (10.0, 10.02, 9, 9, None)})
    play.place(1, "SELL", 100, "STP", stop=9.85, trigger_method=method)
    play.until("10:00:10")
    assert bool(play.ear.executions) is goes_off


def test_a_stop_limit_keeps_its_limit(tmp_path: Path) -> None:
    script = {
        **CALM,
        "10:00:05": (9.60, 9.62, 500, 400, 9.88),
        "10:00:08": (9.86, 9.88, 500, 400, None),
    }
    play = stage(tmp_path, script)
    play.place(1, "SELL", 100, "STP LMT", stop=9.90, limit=9.85)
    assert "status 1 Submitted 0/100" in play.until("10:00:06")
    assert play.ear.executions == []
    assert "exec 1 SLD 100 @ 9.85" in play.until("10:00:09")


def test_a_trailing_stop_follows_the_best_price(tmp_path: Path) -> None:
    script = {
        **CALM,
        "10:00:05": (10.48, 10.50, 500, 400, 10.49),
        "10:00:08": (10.28, 10.30, 500, 400, 10.30),
        "10:00:09": (10.20, 10.22, 500, 400, 10.29),
    }
    play = stage(tmp_path, script)
    play.place(1, "SELL", 100, "TRAIL", stop=0.20)
    assert play.venue.open_orders()[0].stop_price == 98_100
    play.until("10:00:06")
    assert play.venue.open_orders()[0].stop_price == 102_900
    play.until("10:00:09")
    assert play.live() == [1]
    assert "exec 1 SLD 100 @ 10.2" in play.until("10:00:10")


def test_a_trailing_percentage(tmp_path: Path) -> None:
    play = stage(tmp_path, CALM)
    play.place(1, "BUY", 100, "TRAIL", trailing_percent=1.0)
    assert play.venue.open_orders()[0].stop_price == 101_200  # 10.01 + 0.1001, up to the next cent


def test_ioc_and_fok(tmp_path: Path) -> None:
    play = stage(tmp_path, CALM)
    heard = play.place(1, "BUY", 700, "LMT", limit=10.02, tif="IOC")
    assert "exec 1 BOT 400 @ 10.02" in heard
    assert heard[-3:] == ["status 1 PendingCancel 400/300", "status 1 Cancelled 400/300", "error 1 202"]
    heard = play.place(2, "SELL", 700, "LMT", limit=9.99, tif="FOK")
    assert heard[-2:] == ["open 2 Inactive", "status 2 Inactive 0/700"]
    assert "exec 3 SLD 500 @ 10.0" in play.place(3, "SELL", 500, "LMT", limit=9.99, tif="FOK")


def test_all_or_none_waits_for_size(tmp_path: Path) -> None:
    play = stage(tmp_path, {**CALM, "10:00:05": (10.0, 10.02, 500, 800, None)})
    play.place(1, "BUY", 700, "LMT", limit=10.02, all_or_none=True)
    assert play.ear.executions == []
    assert "exec 1 BOT 700 @ 10.02" in play.until("10:00:06")


def test_a_market_order_before_the_bell_waits_for_it(tmp_path: Path) -> None:
    script = {"09:20:00": (9.00, 9.02, 500, 400, 9.01), "09:30:00": (10.00, 10.02, 500, 400, 10.01)}
    play = stage(tmp_path, script, start="09:25:00")
    assert play.place(1, "BUY", 100) == ["open 1 PreSubmitted", "status 1 PreSubmitted 0/100", "error 1 399"]
    assert play.until("09:29:59") == []
    assert play.until("09:30:00") == ["open 1 Submitted", "status 1 Submitted 0/100", "status 1 Submitted 0/100"]
    assert play.until("09:30:01")[0] == "exec 1 BOT 100 @ 10.02"  # not at the quote before the bell


def test_outside_rth_works_for_limits_and_is_ignored_for_market_orders(tmp_path: Path) -> None:
    play = stage(tmp_path, {"09:20:00": (9.00, 9.02, 500, 400, 9.01)}, start="09:25:00")
    assert "exec 1 BOT 100 @ 9.02" in play.place(1, "BUY", 100, "LMT", limit=9.05, outside_rth=True)
    heard = play.place(2, "BUY", 100, outside_rth=True)
    assert heard[-2:] == ["error 2 399", "error 2 2109"]


def test_good_after_time(tmp_path: Path) -> None:
    play = stage(tmp_path, CALM)
    assert play.place(1, "BUY", 100, after="10:00:30") == ["open 1 PreSubmitted", "status 1 PreSubmitted 0/100"]
    assert play.until("10:00:29") == []
    assert "exec 1 BOT 100 @ 10.02" in play.until("10:00:30")


def test_day_orders_die_at_the_close_and_gtc_ones_do_not(tmp_path: Path) -> None:
    play = stage(tmp_path, CALM, start="15:59:00")
    play.place(1, "BUY", 100, "LMT", limit=9.00)
    play.place(2, "BUY", 100, "LMT", limit=9.00, tif="GTC")
    play.place(3, "BUY", 100, "LMT", limit=9.00, outside_rth=True)
    play.until("15:59:59")
    assert play.live() == [1, 2, 3]
    heard = play.until("16:00:00")
    assert "error 1 202" in heard
    assert "status 2 PreSubmitted 0/100" in heard  # it waits for the next session
    assert play.live() == [2, 3]
    play.until("20:00:00")
    assert play.live() == [2]
    assert "status 2 Submitted 0/100" in play.until("09:30:00", HALF_DAY)


def test_day_orders_survive_when_the_doubt_says_so(tmp_path: Path) -> None:
    play = stage(tmp_path, CALM, start="15:59:00", doubts=Doubts(day_orders_die=False))
    play.place(1, "BUY", 100, "LMT", limit=9.00)
    play.until("16:00:10")
    assert play.live() == [1]


def test_a_day_order_after_the_close_belongs_to_the_next_session(tmp_path: Path) -> None:
    script = {(DAY, "15:00:00"): (10.0, 10.02, 9, 9, 10.01), (HALF_DAY, "09:30:00"): (10.4, 10.42, 900, 900, 10.41)}
    play = staged(tmp_path, script, start="17:00:00")
    play.place(1, "BUY", 100)
    assert play.live() == [1]
    assert "exec 1 BOT 100 @ 10.42" in play.until("09:30:01", HALF_DAY)


def test_good_till_date(tmp_path: Path) -> None:
    play = stage(tmp_path, CALM)
    play.place(1, "BUY", 100, "LMT", limit=9.00, tif="GTD", till="10:00:10")
    assert play.until("10:00:09") == []
    assert play.until("10:00:10")[-1] == "error 1 202"


def test_the_closing_auction(tmp_path: Path) -> None:
    script = {**CALM, "15:59:59": (10.20, 10.22, 5, 5, 10.21)}
    play = stage(tmp_path, script, start="15:40:00")
    play.place(1, "BUY", 5000, "MOC")
    play.place(2, "SELL", 100, "LOC", limit=10.21)
    play.place(3, "SELL", 100, "LOC", limit=10.22)
    assert play.until("15:59:59") == []
    heard = play.until("16:00:00")
    assert "exec 1 BOT 5000 @ 10.21" in heard
    assert "exec 2 SLD 100 @ 10.21" in heard
    assert "error 3 202" in heard


def test_the_closing_auction_takes_no_late_orders(tmp_path: Path) -> None:
    play = stage(tmp_path, CALM, start="15:50:01")
    assert play.place(1, "BUY", 100, "MOC") == ["error 1 201"]


def test_the_opening_auction(tmp_path: Path) -> None:
    script = {
        "09:20:00": (9.00, 9.02, 500, 400, 9.01),
        "09:30:03": (10.00, 10.02, 500, 400, 10.01),
        "09:30:04": (10.00, 10.02, 500, 400, 10.02),
    }
    play = stage(tmp_path, script, start="09:25:00")
    play.place(1, "BUY", 5000, "MKT", tif="OPG")
    play.place(2, "BUY", 100, "LMT", limit=10.00, tif="OPG")
    assert [word for word in play.until("09:30:03") if "exec" in word] == []
    heard = play.until("09:30:04")
    assert "exec 1 BOT 5000 @ 10.01" in heard
    assert "error 2 202" in heard


def test_half_days_close_at_one(tmp_path: Path) -> None:
    play = stage(tmp_path, CALM, day=HALF_DAY, start="12:59:00")
    play.place(1, "BUY", 100, "LMT", limit=9.00)
    assert play.until("13:00:00")[-1] == "error 1 202"
    assert play.place(2, "BUY", 100)[-1] == "error 2 399"


def test_a_halt_stops_matching(tmp_path: Path) -> None:
    play = stage(tmp_path, {**CALM, "10:00:05": (9.0, 9.02, 9, 9, 9.01), "10:00:50": (9.5, 9.52, 900, 900, 9.5)})
    play.venue.halt(play.venue.instruments()[0], 30)
    assert play.place(1, "BUY", 100)[-3:] == [
        "open 1 Submitted",
        "status 1 Submitted 0/100",
        "status 1 Submitted 0/100",
    ]
    heard = play.until("10:00:29")
    assert heard == []
    assert play.ear.quotes == []
    heard = play.until("10:00:51")
    assert heard[0] == "halt AAA False"
    assert "exec 1 BOT 100 @ 10.02" in heard
    assert play.venue.clock.now_ms == eastern_ms(DAY, 36_051)


def test_what_if_answers_once_and_leaves_nothing(tmp_path: Path) -> None:
    play = stage(tmp_path, CALM)
    assert play.place(1, "BUY", 1000, "LMT", limit=10.00, what_if=True) == ["open 1 PreSubmitted"]
    margins = play.ear.margins[0].margins
    assert margins is not None
    assert margins.initial_before == 0
    assert margins.initial_after == 1000 * 100_100 // 4
    assert margins.commission == 50_000
    assert play.live() == []
    assert play.venue.next_order_id(1) == 1
