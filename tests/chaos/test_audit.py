"""The laws can be broken: what they say of days that are wrong."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

from core.market import Bar
from tests.chaos.audit import recoveries
from tests.chaos.audit_bars import BAR_MS, compare
from tests.chaos.audit_outages import BEGUN, OVER, untold_deaths, untold_outages
from tests.chaos.kill_points import Kill
from tests.chaos.life import Life
from tests.chaos.witness import Exposure

OUTAGE = [
    {"what": "connected", "at_ms": 0},
    {"what": "cut_off", "at_ms": 60_000},
    {"what": "connected", "at_ms": 90_000},
]


class Told:
    """The alerts of a day, in place of the database."""

    def __init__(self, *rows: tuple[int, int | None]) -> None:
        self._rows = [tuple(None if ms is None else moment(ms) for ms in row) for row in rows]

    def query(self, sql: str) -> list[Any]:
        """All of them, whatever is asked."""
        return self._rows


def moment(at_ms: int) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(at_ms / 1000, datetime.UTC)


def life(reconciled_ms: int = 1_000, ended_ms: int = 200_000, kill: Kill | None = None) -> Life:
    return Life((), kill, {}, [reconciled_ms], ended_ms, was_killed=kill is not None)


def bars(*starts: int, close: float = 10.0) -> dict[str, dict[int, Bar]]:
    return {"GLD": {n * BAR_MS: Bar("GLD", n * BAR_MS, 10.0, 11.0, 9.0, close, 100) for n in starts}}


def test_an_outage_must_be_told_and_so_must_its_end() -> None:
    assert list(untold_outages(OUTAGE, [life()], Told((70_000, 91_000)))) == []
    for told in (Told(), Told((20_000, 21_000))):
        assert list(untold_outages(OUTAGE, [life()], told)) == ["the outage from 60000 to 90000 was never told"]
    (never_over,) = untold_outages(OUTAGE, [life()], Told((70_000, None)))
    assert "never told to be over" in never_over


def test_only_a_session_that_lived_through_an_outage_can_tell_of_it() -> None:
    dead_meanwhile = [life(ended_ms=61_000), life(reconciled_ms=91_000)]
    assert list(untold_outages(OUTAGE, dead_meanwhile, Told())) == []


def test_what_was_told_is_not_asked_for_where_it_was_lost_with_the_journal() -> None:
    dead_later = [life(ended_ms=200_000), life(reconciled_ms=201_000)]
    for shipped_ms, broken in ((0, 0), (61_000, 0), (94_000, 0), (96_000, 1)):
        assert len(list(untold_outages(OUTAGE, dead_later, Told(), range(shipped_ms, 200_001)))) == broken
    assert len(list(untold_outages(OUTAGE, [life(ended_ms=50_000), life(51_000)], Told(), range(50_001)))) == 1


def test_a_death_must_be_told_by_the_successor_and_so_must_its_end(tmp_path: Path) -> None:
    lives = [life(kill=Kill("tick")), life()]
    (tmp_path / "session-1.log").write_text("")
    for log, broken in ((f"{BEGUN}\n{OVER}", 0), (BEGUN, 1), ("", 2)):
        (tmp_path / "session-2.log").write_text(log)
        assert len(list(untold_deaths(lives, tmp_path))) == broken


def test_the_times_without_cover_begin_anew_only_when_the_gateway_lost_or_refused_an_order() -> None:
    for thwarted, waited in ((False, 3), (True, 2)):
        one = Exposure("GLD", 1_000)
        for second in (1, 2, 3, 4):
            one.look(second * 1000, 0, 100, connected=True, thwarted=thwarted and second == 2)
        assert (one.waited_seconds_max, one.cut_off_seconds) == (waited, 0)
    one.look(5_000, 0, 100, connected=False)
    assert (one.waited_seconds_max, one.cut_off_seconds) == (2, 1)


def test_a_read_back_within_the_second_of_the_connection_took_no_time() -> None:
    assert list(recoveries(OUTAGE, [0, 89_500, 120_000])) == [0.0, 0.0]
    assert list(recoveries(OUTAGE, [0, 59_900, 93_000])) == [0.0, 3.0]


def test_a_missing_bar_and_a_wrong_one_are_found() -> None:
    whole = bars(1, 2, 3, 4)
    assert list(compare(whole, whole, BAR_MS, {})) == []
    (missing,) = compare(bars(1, 4), whole, BAR_MS, {})
    assert missing == "GLD: 2 bars are missing, from 20000 to 30000"
    assert list(compare(bars(1, 4), whole, BAR_MS, {"GLD": [(4 * BAR_MS, 5 * BAR_MS)]})) == []
    assert len(list(compare(bars(1, 2, 3, 4, close=10.01), whole, BAR_MS, {}))) == 4
