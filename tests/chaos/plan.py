"""What will go wrong on one short day, all of it drawn from one seed."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any

from simulator.faults.chaos import entries
from tests.chaos.kill_points import POINTS, Kill

TICKERS = ("CVNA", "UVXY", "SOXL", "SOXS", "GLD", "SLV")
START = "15:10:00"
"""Twenty minutes before the closure at 15:30, which ends the day."""

FIRST_SECOND, LAST_SECOND = 15 * 3600 + 11 * 60, 15 * 3600 + 32 * 60
TICKS = 1_200
FAULTS_MAX = 7
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
    """`kills` come one per life of the process; `outages` are the seconds after each death."""

    seed: int
    kills: tuple[Kill, ...]
    outages: tuple[int, ...]
    faults: tuple[dict[str, Any], ...]
    doubts: tuple[str, ...]
    database_down_ticks: tuple[int, int] | None

    @property
    def loses_requests(self) -> bool:
        """Whether the gateway swallows or refuses something that only a timeout or an emergency can answer."""
        return any(name in fault for fault in self.faults for name in ("lose_request", "reject", "lose", "delay"))


def draw(seed: int) -> DayPlan:
    """The plan of a seed; the same every time."""
    chance = Random(f"chaos day {seed}")
    kills = tuple(_kill(chance) for _ in range(chance.choice((0, 1, 1, 2, 2, 3))))
    faults = entries(chance, chance.randint(0, FAULTS_MAX), FIRST_SECOND, LAST_SECOND, TICKERS)
    doubts = tuple(f"{name}={chance.choice(values)}" for name, values in DOUBTS if chance.random() < 0.3)
    down = chance.randint(60, TICKS - 120)
    return DayPlan(
        seed=seed,
        kills=kills,
        outages=tuple(chance.randint(*OUTAGE_SECONDS) for _ in range(12)),
        faults=tuple(faults),
        doubts=doubts,
        database_down_ticks=(down, down + chance.randint(1, 110)) if chance.random() < 0.15 else None,
    )


def _kill(chance: Random) -> Kill:
    point = chance.choice(POINTS)
    nth = 1
    if point == "row":
        nth = chance.randint(1, 4_000)
    elif point == "tick":
        nth = chance.randint(1, TICKS)
    elif point in ("before_fill", "before_read_back", "closing"):
        nth = chance.randint(1, 6)
    elif point not in ("recovered", "comparing"):
        nth = chance.randint(1, 40)
    return Kill(point, nth, round(chance.random(), 3))
