"""The clock, the timers, the passing of nights, and the switches of doubt."""

from __future__ import annotations

from dataclasses import fields
from datetime import date
from pathlib import Path

import pytest

import simulator
from simulator.clock import eastern, eastern_ms, seconds_of_day
from simulator.doubts import Doubts
from simulator.market.synthetic import SyntheticMarket
from simulator.timers import Phase, Timers
from simulator.venue import Venue, VenueOptions
from tests.simulator.venue.stage import CALM, DAY, HALF_DAY, Ear, stage


def test_times_of_day() -> None:
    assert seconds_of_day("09:30") == 34_200
    assert seconds_of_day("23:59:59") == 86_399
    for wrong in ("9:30", "24:00", "12:60", "noon", "12:00:00:00", "1200"):
        with pytest.raises(ValueError, match="allowed"):
            seconds_of_day(wrong)
    assert eastern(eastern_ms(DAY, 34_200)).isoformat() == "2024-11-27T09:30:00-05:00"


def test_timers_run_by_moment_phase_and_order() -> None:
    timers, ran = Timers(), list[str]()
    timers.at(2_000, lambda: ran.append("after"), Phase.AFTER_MATCHING)
    timers.at(2_000, lambda: ran.append("auction"), Phase.AUCTION)
    timers.at(2_000, lambda: ran.append("first"))
    timers.at(2_000, lambda: ran.append("second"))
    timers.at(1_000, lambda: ran.append("late"), Phase.AFTER_MATCHING)
    timers.at(3_000, lambda: ran.append("next"))
    timers.run(2_000, Phase.BEFORE_MATCHING)
    assert ran == ["first", "second"]
    timers.run(2_000, Phase.AFTER_MATCHING)
    assert ran == ["first", "second", "late", "auction", "after"]
    assert timers.next_ms() == 3_000


def test_nights_and_holidays_are_passed_over(tmp_path: Path) -> None:
    play = stage(tmp_path, CALM, start="19:59:58")
    moments = []
    for _ in range(4):
        play.venue.advance(play.venue.next_event_ms())
        moments.append(play.venue.clock.now_ms)
    assert moments == [
        eastern_ms(DAY, 71_999),
        eastern_ms(DAY, 72_000),
        eastern_ms(HALF_DAY, 14_400),
        eastern_ms(HALF_DAY, 14_401),
    ]


def test_the_clock_never_goes_back_and_stands_on_whole_seconds(tmp_path: Path) -> None:
    play = stage(tmp_path, CALM)
    now_ms = play.venue.clock.now_ms
    play.venue.advance(now_ms + 2_900)
    assert play.venue.clock.now_ms == now_ms + 2_000
    play.venue.advance(now_ms)
    assert play.venue.clock.now_ms == now_ms + 2_000


def test_what_happens_does_not_depend_on_the_size_of_the_steps() -> None:
    heard = []
    for step in (1_000, 600_000):
        venue = Venue(SyntheticMarket(DAY, 9), VenueOptions(eastern_ms(DAY, 34_140), seed=9))
        ear = Ear()
        venue.listeners.append(ear)
        while venue.clock.now_ms < eastern_ms(DAY, 35_400):
            venue.advance(min(venue.clock.now_ms + step, eastern_ms(DAY, 35_400)))
        heard.append((ear.quotes, ear.trades, ear.bars))
    assert heard[0] == heard[1]


def test_the_schedule_of_a_week_with_a_holiday() -> None:
    venue = Venue(SyntheticMarket(DAY, 1), VenueOptions(eastern_ms(DAY, 34_140)))
    rows = venue.schedule(6)
    assert [row[0] for row in rows] == ["20241127", "20241128", "20241129", "20241130", "20241201", "20241202"]
    assert rows[1][1:] == (0, 0, 0, 0)
    assert rows[2][3:] == (eastern_ms(HALF_DAY, 34_200), eastern_ms(HALF_DAY, 13 * 3600))
    assert rows[2][2] == eastern_ms(HALF_DAY, 17 * 3600)
    assert rows[5][3] == eastern_ms(date(2024, 12, 2), 34_200)


def test_switches_are_set_by_name() -> None:
    doubts = Doubts().with_setting("children_arm", "part").with_setting("foreign_cancel", "on")
    doubts = doubts.with_setting("oca3_overfill_probability", "0.25").with_setting("cancel_delay_seconds", "2")
    assert (doubts.children_arm, doubts.foreign_cancel) == ("part", True)
    assert (doubts.oca3_overfill_probability, doubts.cancel_delay_seconds) == (0.25, 2)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("no_such", "1"),
        ("children_arm", "perhaps"),
        ("foreign_cancel", "perhaps"),
        ("cancel_delay_seconds", "-1"),
        ("cancel_delay_seconds", "soon"),
        ("oca3_overfill_probability", "1.5"),
        ("oca3_overfill_probability", "nan"),
    ],
)
def test_a_wrong_switch_is_named_with_what_is_allowed(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=f"{name}.*allowed"):
        Doubts().with_setting(name, value)


@pytest.mark.parametrize("name", [item.name for item in fields(Doubts)])
def test_every_switch_is_wired(name: str) -> None:
    folder = Path(simulator.__file__).parent
    readers = [path for path in folder.rglob("*.py") if f"doubts.{name}" in path.read_text(encoding="utf-8")]
    assert readers
