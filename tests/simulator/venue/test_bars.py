"""Live bars and history come from one tape: they must agree to the last digit."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from simulator.clock import eastern_ms, seconds_of_day
from simulator.market.source import open_market
from simulator.model import Bar
from simulator.venue import Venue, VenueOptions
from tests.simulator.venue.stage import DAY, HALF_DAY, Ear, stage, staged

HOUR = 3600


def _venue(market: str, day: date, start: str) -> tuple[Venue, Ear]:
    venue = Venue(open_market(market, day, 5), VenueOptions(start_ms=eastern_ms(day, seconds_of_day(start)), seed=5))
    ear = Ear()
    venue.listeners.append(ear)
    return venue, ear


@pytest.mark.parametrize("recorded", [False, True])
def test_live_bars_equal_history_at_every_size(recorded: bool, request: pytest.FixtureRequest) -> None:
    if recorded:
        market, day = f"lean:{request.getfixturevalue('recorded_data') / 'lean'}", date(2013, 10, 8)
    else:
        market, day = "synthetic", DAY
    venue, ear = _venue(market, day, "09:29")
    venue.advance(eastern_ms(day, 11 * HOUR))
    for instrument in venue.instruments():
        live = [bar for symbol, bar in ear.bars if symbol == instrument.symbol]
        history = venue.history(instrument, venue.clock.now_ms, 91 * 60, 5, "TRADES", use_rth=False)
        assert live == history
        assert len(live) == 91 * 12
        assert {bar.start_ms % 5000 for bar in live} == {0}
        for size in (10, 30, 60, 300):
            bars = venue.history(instrument, venue.clock.now_ms, 90 * 60, size, "TRADES", use_rth=True)
            assert [bar[:7] for bar in bars] == [bar[:7] for bar in _merged(live[12:], size // 5)]


def _merged(bars: list[Bar], width: int) -> list[Bar]:
    groups = [bars[index : index + width] for index in range(0, len(bars), width)]
    return [_one(group) for group in groups]


def _one(group: list[Bar]) -> Bar:
    traded = [bar for bar in group if bar.volume] or group[-1:]
    return Bar(
        group[0].start_ms,
        group[-1].end_ms,
        traded[0].open,
        max(bar.high for bar in traded),
        min(bar.low for bar in traded),
        group[-1].close,
        sum(bar.volume for bar in group),
        0,
        0,
    )


def test_without_trades_bars_are_flat_at_the_last_price(tmp_path: Path) -> None:
    play = stage(tmp_path, {"09:59:00": (10.00, 10.02, 500, 400, 10.01), "10:00:12": (10.03, 10.05, 1, 1, 10.04)})
    play.until("10:00:20")
    bars = [bar for _, bar in play.ear.bars]
    assert [bar.volume for bar in bars] == [0, 0, 100, 0]
    assert [bar.close for bar in bars] == [100_100, 100_100, 100_400, 100_400]
    assert bars[0][2:6] == (100_100, 100_100, 100_100, 100_100)
    assert bars[2].open == 100_400
    assert [bar.trade_count for bar in bars] == [0, 0, 1, 0]


def test_history_never_looks_ahead_and_ends_with_the_running_bar(tmp_path: Path) -> None:
    script = {
        "09:59:00": (10.0, 10.02, 5, 5, 10.0),
        "10:00:03": (10.0, 10.02, 5, 5, 10.5),
        "10:00:07": (10.0, 10.02, 5, 5, 11),
    }
    play = stage(tmp_path, script)
    play.until("10:00:05")
    instrument = play.venue.instruments()[0]
    bars = play.venue.history(instrument, play.venue.clock.now_ms + 60_000, 60, 10, "TRADES", use_rth=True)
    assert bars[-1].close == 105_000
    assert bars[-1].start_ms == eastern_ms(DAY, 10 * HOUR)
    assert bars[-1].end_ms == play.venue.clock.now_ms


def test_quote_bars_and_unknown_kinds(tmp_path: Path) -> None:
    script = {"09:59:00": (10.0, 10.02, 5, 5, None), "10:00:02": (10.1, 10.14, 5, 5, None)}
    play = stage(tmp_path, script)
    play.until("10:00:05")
    instrument = play.venue.instruments()[0]
    for kind, expected in (("BID", 101_000), ("ASK", 101_400), ("MIDPOINT", 101_200)):
        bar = play.venue.bar5(instrument, kind)
        assert bar is not None
        assert (bar.close, bar.volume) == (expected, -1)
        assert [bar] == play.venue.history(instrument, play.venue.clock.now_ms, 5, 5, kind, use_rth=True)
    with pytest.raises(ValueError, match="HISTORICAL"):
        play.venue.history(instrument, play.venue.clock.now_ms, 60, 5, "HISTORICAL", use_rth=True)


def test_days_weeks_and_months_count_trading_days() -> None:
    venue, _ = _venue("synthetic", HALF_DAY, "14:00")
    instrument = venue.instruments()[0]
    now_ms = venue.clock.now_ms
    days = venue.history(instrument, now_ms, 0, 86_400, "TRADES", True, duration_days=10)
    assert len(days) == 10
    assert days[-1].end_ms == eastern_ms(HALF_DAY, 13 * HOUR)
    assert days[-2].start_ms == eastern_ms(DAY, 34_200)
    tens = venue.history(instrument, now_ms, 0, 10, "TRADES", True, duration_days=2)
    assert len(tens) == 2340 + 1260
    assert tens[-1].close == days[-1].close
    assert max(bar.high for bar in tens[:2340]) == days[-2].high
    weeks = venue.history(instrument, now_ms, 0, 604_800, "TRADES", True, duration_days=10)
    assert sum(bar.volume for bar in weeks) == sum(bar.volume for bar in days)
    assert weeks[-1].open == days[-4].open  # Monday to Friday without Thanksgiving: four days
    assert venue.day_figures(instrument).previous_close == days[-2].close


def test_the_first_regular_hour_is_cut_at_the_bell() -> None:
    venue, _ = _venue("synthetic", DAY, "16:00")
    bars = venue.history(venue.instruments()[0], venue.clock.now_ms, 0, 3600, "TRADES", True, duration_days=1)
    starts = [bar.start_ms - eastern_ms(DAY) for bar in bars]
    assert starts == [34_200_000, *(hour * 3_600_000 for hour in range(10, 16))]


def test_days_that_were_recorded_follow_one_another(tmp_path: Path) -> None:
    script = {(DAY, "15:59:59"): (9.0, 9.02, 5, 5, 9.01), (HALF_DAY, "09:30:10"): (9.5, 9.52, 5, 5, 9.51)}
    play = staged(tmp_path, script, day=HALF_DAY, start="09:30:00")
    instrument = play.venue.instruments()[0]
    play.until("09:30:30")
    assert [bar.close for _, bar in play.ear.bars] == [90_100, 90_100, 95_100, 95_100, 95_100, 95_100]
    assert play.venue.day_figures(instrument).previous_close == 90_100
    assert play.venue.day_figures(instrument).open == 95_100
