"""The figures of many days, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

Days = Sequence[dict[str, Any]]


def figures(days: Days) -> str:
    """Counts, and the distributions of recovery times and of unprotected time."""
    broken = sorted(day["seed"] for day in days if day["violations"])
    kills = Counter(where.split()[0] for day in days for where in day["killed_at"])
    lines = [
        f"{len(days)} days, {sum(day['trades'] for day in days)} trades, "
        f"{sum(day['executions'] for day in days)} executions, {sum(len(day['faults']) for day in days)} faults, "
        f"{kills.total()} kills",
        "kills: " + ", ".join(f"{point} {count}" for point, count in sorted(kills.items())),
        f"broken laws on {len(broken)} days: {broken}" if broken else "no law was broken",
        spread("recovery, real seconds from a process to the broker read back", _all(days, "recoveries_real_seconds")),
        spread("recovery, market seconds from a connection to that", _all(days, "recoveries_market_seconds")),
        spread("unprotected while connected, market seconds", _all(days, "unprotected_connected_seconds")),
        spread("unprotected while cut off, market seconds", _all(days, "unprotected_cut_off_seconds")),
        spread("real seconds a day", [day["real_seconds"] for day in days]),
    ]
    return "\n".join(lines)


def _all(days: Days, name: str) -> list[float]:
    return [value for day in days for value in day[name]]


def spread(name: str, values: Iterable[float]) -> str:
    """Count, median, 95 % and worst in words."""
    ordered = sorted(values)
    if not ordered:
        return f"{name}: none"
    middle, most = ordered[len(ordered) // 2], ordered[min(len(ordered) - 1, len(ordered) * 95 // 100)]
    return f"{name}: {len(ordered)}, median {middle:g}, 95 % {most:g}, worst {ordered[-1]:g}"
