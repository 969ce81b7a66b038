"""`python -m tests.chaos --count 200 --seed 1`: so many faulty days, resumable, with their figures."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import ExitStack
from multiprocessing.util import Finalize
from pathlib import Path
from typing import Any

from tests.chaos.day import Place, place_for_days, play_seed
from tests.chaos.figures import figures
from tests.chaos.nursery import ROOT
from tests.chaos.plan import LENGTHS, PLAN_VERSION

WORKERS = 2 * (os.cpu_count() or 1)
"""A day waits, for Postgres and for links that fall silent, about as long as it works."""

_place: Place | None = None


def _begin_worker() -> None:
    """A Postgres for each worker, for one of them may be stopping his, and a nursery."""
    global _place
    stack = ExitStack()
    Finalize(None, stack.close, exitpriority=10)  # a worker's own end runs no atexit
    _place = stack.enter_context(place_for_days())


def _play(seed: int, days: str, folder: Path) -> dict[str, Any]:
    assert _place is not None
    done: dict[str, Any] = json.loads(play_seed(seed, _place, folder / f"{days}-{seed}", LENGTHS[days]).line())
    return done


def _known(results: Path, seeds: range) -> Iterator[dict[str, Any]]:
    """Days that an earlier, interrupted run has played."""
    if results.exists():
        found = (json.loads(line) for line in results.read_text().splitlines())
        yield from (day for day in found if day["seed"] in seeds and day.get("plan") == PLAN_VERSION)


def main() -> int:
    """Play what is missing; 0 when no law was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--count", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1, help="the first of them")
    parser.add_argument("--workers", type=int, default=WORKERS)
    parser.add_argument("--days", choices=LENGTHS, default="short", help="20 minutes, or from the bell")
    parser.add_argument("--folder", type=Path, default=ROOT / "var" / "chaos")
    given = parser.parse_args()
    seeds = range(given.seed, given.seed + given.count)
    given.folder.mkdir(parents=True, exist_ok=True)
    results = given.folder / f"results-{given.days}.jsonl"
    days = list(_known(results, seeds))
    missing = sorted(set(seeds) - {day["seed"] for day in days})
    if days:
        print(f"{len(days)} of {given.count} days are in {results} already")
    began = time.monotonic()
    with ProcessPoolExecutor(given.workers, initializer=_begin_worker) as pool, results.open("a") as file:
        playing = [pool.submit(_play, seed, given.days, given.folder) for seed in missing]
        for future in as_completed(playing):
            day = future.result()
            days.append(day)
            file.write(json.dumps(day) + "\n")
            file.flush()
            done = len(days) - (given.count - len(missing))
            left_seconds = (len(missing) - done) * (time.monotonic() - began) / done
            print(f"[{len(days)}/{given.count}, {left_seconds / 60:.0f} min left] {_words(day)}", flush=True)
    print(figures(days))
    return 1 if any(day["violations"] for day in days) else 0


def _words(day: dict[str, Any]) -> str:
    deaths = ", ".join(day["killed_at"]) or "no kill"
    words = f"seed {day['seed']}: {day['trades']} trades, {deaths}, "
    words += f"{len(day['faults'])} faults, {day['real_seconds']} s"
    return "\n    ".join([words, *day["violations"]])


if __name__ == "__main__":
    sys.exit(main())
