"""A random schedule of faults from a seed: the same seed, the same day of misery."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from random import Random
from typing import Any, Final

from simulator.clock import eastern_ms
from simulator.faults.script import Fault, parse
from simulator.market.calendar import session

FAULTS_MIN, FAULTS_MAX = 8, 16
Draw = Callable[[Random], Mapping[str, Any]]

_DRAWS: Final[tuple[tuple[int, str, Draw], ...]] = (
    (5, "drop", lambda r: {"how": r.choice(("fin", "fin", "rst")), "seconds": r.randint(0, 90)}),
    (1, "half_open", lambda r: {"seconds": r.randint(10, 60)}),
    (2, "restart", lambda r: {"seconds": r.randint(20, 180), "memory": r.random() < 0.5}),
    (3, "connectivity", lambda r: {"seconds": r.randint(5, 120), "restored": r.choice((1101, 1102))}),
    (2, "farm", lambda r: {"farm": r.choice(("market", "history")), "seconds": r.randint(10, 120)}),
    (2, "freeze", lambda r: {"seconds": r.randint(5, 60)}),
    (2, "competing", lambda r: {"seconds": r.randint(10, 90)}),
    (1, "updates_lost", lambda r: {}),
    (2, "lock_out", lambda r: {"connections": r.randint(1, 3)}),
    (1, "refuse", lambda r: {"connections": r.randint(1, 3)}),
    (4, "reject", lambda r: {"code": r.choice((201, 110, 10289)), "kind": r.choice(("", "parent", "child", "modify"))}),
    (3, "lose", lambda r: {"messages": [r.choice(("orderStatus", "openOrder"))], "count": r.randint(1, 3)}),
    (2, "lose", lambda r: {"messages": ["realTimeBar"], "count": r.randint(1, 4)}),
    (3, "duplicate", lambda r: {"messages": ["orders"], "count": r.randint(1, 6)}),
    (3, "reorder", lambda r: {"messages": ["orders"], "count": r.randint(1, 3)}),
    (3, "delay", lambda r: {"messages": ["orders"], "count": r.randint(1, 3), "by_seconds": r.randint(1, 8)}),
    (1, "lose_request", lambda r: {"messages": ["placeOrder"], "count": 1}),
    (2, "commissions", lambda r: {"late_seconds": r.randint(1, 120), "count": r.randint(1, 4)}),
    (1, "commissions", lambda r: {"amount": r.choice((-1.0, -0.25, 0.0)), "count": r.randint(1, 2)}),
    (1, "correct_execution", lambda r: {"by_cents": r.choice((-2, -1, 1, 2))}),
    (1, "overfill", lambda r: {"count": 1}),
    (2, "thin", lambda r: {"shares": r.randint(1, 40), "seconds": r.randint(10, 120)}),
    (2, "shock", lambda r: {"percent": r.choice((-4.0, -2.0, 2.0, 4.0))}),
    (1, "halt", lambda r: {"seconds": r.choice((60, 300))}),
    (1, "skew", lambda r: {"seconds": r.choice((-3, 3)), "lasting_seconds": r.randint(10, 60)}),
    (1, "doubt", lambda r: {"set": {"children_arm": r.choice(("whole", "part"))}}),
    (1, "doubt", lambda r: {"set": {"cancel_delay_seconds": r.randint(1, 3)}}),
)
_PICKED_SYMBOL: Final = {"thin": "symbols", "shock": "symbols", "halt": "symbol"}


def schedule(seed: int, day: date, start_ms: int, symbols: tuple[str, ...]) -> list[Fault]:
    """Faults between ten minutes after the opening bell (or the start) and ten minutes before the closing one."""
    opened = session(day)
    if opened is None:
        raise ValueError(f"day {day}: the exchange is closed")
    chance = Random(f"chaos {seed}")
    started = (start_ms - eastern_ms(day)) // 1000
    first, last = max(opened.regular_open, started) + 600, opened.regular_close - 600
    count = chance.randint(FAULTS_MIN, FAULTS_MAX) if first < last else 0
    return parse(entries(chance, count, first, last, symbols), day, start_ms)


def entries(chance: Random, count: int, first: int, last: int, symbols: tuple[str, ...]) -> list[dict[str, Any]]:
    """So many entries of a script, in the order of their times, between two seconds of the day."""
    seconds = sorted(chance.randint(first, last) for _ in range(count))
    return [_entry(chance, second, symbols) for second in seconds]


def _entry(chance: Random, second: int, symbols: tuple[str, ...]) -> dict[str, Any]:
    (_, name, draw) = chance.choices(_DRAWS, weights=[weight for weight, _, _ in _DRAWS])[0]
    settings = dict(draw(chance))
    if name in _PICKED_SYMBOL:
        settings[_PICKED_SYMBOL[name]] = chance.choice(symbols)
    at = f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"
    return {"at": at, name: settings}
