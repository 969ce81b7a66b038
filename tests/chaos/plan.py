"""What will go wrong on one day, short or whole, all of it drawn from one seed."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any

from simulator.faults.chaos import entries
from tests.chaos.kill_points import POINTS, SLEEPING_POINTS, Kill

PLAN_VERSION = 4
"""Changes whenever a seed no longer gives the same plan: results of other versions are of other days."""

SESSION_CLIENT_ID = 10

MESSAGE_FAULTS = frozenset({"lose", "lose_request", "duplicate", "reorder", "delay"})
"""They strike the session, not who reads the day back after it: no row of a list comes after the list's end."""

COMMISSION_UNKNOWN = -1.0
"""What IB tells first of a commission that it does not know yet; here the amount follows half a minute later."""

TICKERS = ("CVNA", "UVXY", "SOXL", "SOXS", "GLD", "SLV")


@dataclass(frozen=True, slots=True)
class Length:
    """How long a day is, and how much goes wrong on it. It ends with the closure at 15:30."""

    start: str  # HH:MM:SS, Eastern
    first_second: int  # of the day, for faults
    kills: tuple[int, ...]  # how many, equally likely each
    orders_within: int  # passings of a point within which a life ends, where it ends at orders
    ticks_within: int  # and where it ends at any second
    faults_max: int
    database_down: tuple[int, ...]
    life_seconds: float  # real ones, after which a life hangs

    @property
    def ticks(self) -> int:
        """Seconds of the market until the closure."""
        hours, minutes, seconds = map(int, self.start.split(":"))
        return CLOSURE_SECOND - (hours * 60 + minutes) * 60 - seconds


CLOSURE_SECOND, LAST_SECOND = 15 * 3600 + 30 * 60, 15 * 3600 + 32 * 60
SHORT = Length("15:10:00", 15 * 3600 + 11 * 60, (0, 1, 1, 1, 2, 2, 2, 3), 40, 1_200, 7, (0, 0, 0, 1, 1, 2), 240.0)
WHOLE = Length("09:30:00", 9 * 3600 + 40 * 60, (3, 4, 5, 6), 100, 6_000, 40, (0, 1, 2, 3), 1_800.0)
END_POINTS = ("closing", "comparing")
LENGTHS = {"short": SHORT, "whole": WHOLE}
SLEEPERS = 0.08
"""The part of the kills in which the process is only stopped, replaced, and woken afterwards."""

LOST_JOURNALS = 0.1
"""The part of the days on which the local journal is gone after a death."""

SILENCES = (0, 0, 0, 0, 0, 0, 0, 1)
"""Links that fall silent without being closed, on top of those among the other faults; each costs real seconds."""

OUTAGE_SECONDS = (1, 45)
"""How long the market goes on while a killed session is being started again."""

DOUBTS = (
    ("children_arm", ("whole", "part")),
    ("cancelled_parent_takes_children", ("true", "false")),
    ("cancel_takes_siblings", ("true", "false")),
    ("oca3_cancel_delay_seconds", ("0", "1", "3")),
    ("timed_child", ("accept", "accept", "refuse")),
    ("quantity_counts_filled", ("true",)),
    ("filled_before_execution", ("true", "false")),
    ("legacy_cancel_codes", ("true", "false")),
    ("cancel_delay_seconds", ("0", "0", "1")),
)


@dataclass(frozen=True, slots=True)
class DayPlan:
    """`kills` come one per life of the process; `outages` are the seconds after each death.

    `lost_journal` is the number of the death, from 1, after which the local journal is gone; 0 for none.
    `database_down_ticks` are pairs: when in the first life Postgres is stopped, and when it is started again.
    """

    seed: int
    length: Length
    kills: tuple[Kill, ...]
    outages: tuple[int, ...]
    faults: tuple[dict[str, Any], ...]
    doubts: tuple[str, ...]
    database_down_ticks: tuple[tuple[int, int], ...]
    lost_journal: int

    @property
    def has_late_commissions(self) -> bool:
        """Whether some may come after the closure: the reconciliation has to wait for them."""
        told = [fault.get("commissions", {}) for fault in self.faults]
        return any("late_seconds" in one or one.get("amount") == COMMISSION_UNKNOWN for one in told)


def draw(seed: int, length: Length = SHORT) -> DayPlan:
    """The plan of a seed; the same every time."""
    chance = Random(f"chaos day {seed}")
    drawn = [_kill(chance, length) for _ in range(chance.choice(length.kills))]
    kills = tuple(sorted(drawn, key=lambda kill: kill.point in END_POINTS))  # a life that waits for its end is the last
    faults = entries(chance, chance.randint(0, length.faults_max), length.first_second, LAST_SECOND, TICKERS)
    for fault in faults:
        for name in MESSAGE_FAULTS & fault.keys():
            fault[name]["clients"] = [SESSION_CLIENT_ID]
    faults += [_silence(chance, length) for _ in range(chance.choice(SILENCES))]
    doubts = tuple(f"{name}={chance.choice(values)}" for name, values in DOUBTS if chance.random() < 0.3)
    return DayPlan(
        seed=seed,
        length=length,
        kills=kills,
        outages=tuple(chance.randint(*OUTAGE_SECONDS) for _ in range(12)),
        faults=tuple(faults),
        doubts=doubts,
        database_down_ticks=_database_down(chance, length),
        lost_journal=1 if kills and chance.random() < LOST_JOURNALS else 0,
    )


def _silence(chance: Random, length: Length) -> dict[str, Any]:
    second = chance.randint(length.first_second, LAST_SECOND)
    at = f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"
    return {"at": at, "half_open": {"seconds": chance.randint(1, 90)}}


def _database_down(chance: Random, length: Length) -> tuple[tuple[int, int], ...]:
    times = chance.choice(length.database_down)
    moments = sorted(chance.sample(range(30, length.ticks - 60), 2 * times))
    return tuple(zip(moments[::2], moments[1::2], strict=True))


def _kill(chance: Random, length: Length) -> Kill:
    point = chance.choice(POINTS)
    nth = 1
    if point == "row":
        nth = chance.randint(1, 100 * length.orders_within)
    elif point == "tick":
        nth = chance.randint(1, length.ticks_within)
    elif point in ("before_fill", "before_read_back", "closing"):
        nth = chance.randint(1, 6)
    elif point not in ("recovered", "comparing"):
        nth = chance.randint(1, length.orders_within)
    sleeps = point in SLEEPING_POINTS and chance.random() < SLEEPERS
    return Kill(point, nth, round(chance.random(), 3), sleeps)
