"""`python -m tests.chaos --count 200 --seed 1`: so many faulty short days, resumable, with their figures."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import ExitStack
from multiprocessing.util import Finalize
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from db.migrate import upgrade
from runtime.stack.postgres import EmbeddedPostgres
from tests.chaos.day import TEMPLATE, play_seed
from tests.chaos.figures import figures
from tests.chaos.nursery import ROOT, running_nursery
from tests.support.postgres import make_reachable_folder

_place: tuple[EmbeddedPostgres, str] | None = None


def _begin_worker() -> None:
    """A Postgres for each worker, for one of them may be stopping his, and a nursery."""
    global _place
    stack = ExitStack()
    Finalize(None, stack.close, exitpriority=10)  # a worker's own end runs no atexit
    server = EmbeddedPostgres(make_reachable_folder(), {"fsync": "off"})
    stack.callback(server.remove)
    server.start()
    upgrade(server.ensure_database(TEMPLATE))
    folder = stack.enter_context(TemporaryDirectory())
    _place = server, stack.enter_context(running_nursery(Path(folder)))


def _play(seed: int, folder: Path) -> dict[str, Any]:
    assert _place is not None
    done: dict[str, Any] = json.loads(play_seed(seed, *_place, folder / f"seed-{seed}").line())
    return done


def _known(results: Path, seeds: range) -> Iterator[dict[str, Any]]:
    """Days that an earlier, interrupted run has played."""
    if results.exists():
        found = (json.loads(line) for line in results.read_text().splitlines())
        yield from (day for day in found if day["seed"] in seeds)


def main() -> int:
    """Play what is missing; 0 when no law was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--count", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1, help="the first of them")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--folder", type=Path, default=ROOT / "var" / "chaos")
    given = parser.parse_args()
    seeds = range(given.seed, given.seed + given.count)
    given.folder.mkdir(parents=True, exist_ok=True)
    results = given.folder / "results.jsonl"
    days = list(_known(results, seeds))
    missing = sorted(set(seeds) - {day["seed"] for day in days})
    if days:
        print(f"{len(days)} of {given.count} days are in {results} already")
    began = time.monotonic()
    with ProcessPoolExecutor(given.workers, initializer=_begin_worker) as pool, results.open("a") as file:
        playing = [pool.submit(_play, seed, given.folder) for seed in missing]
        for future in as_completed(playing):
            day = future.result()
            days.append(day)
            file.write(json.dumps(day) + "\n")
            file.flush()
            print(_progress(day, len(days), given.count, time.monotonic() - began), flush=True)
    print(figures(days))
    return 1 if any(day["violations"] for day in days) else 0


def _progress(day: dict[str, Any], done: int, count: int, seconds: float) -> str:
    deaths = ", ".join(day["killed_at"]) or "no kill"
    words = f"[{done}/{count}, {seconds:.0f} s] seed {day['seed']}: {day['trades']} trades, {deaths}, "
    words += f"{len(day['faults'])} faults, {day['real_seconds']} s"
    return "\n    ".join([words, *day["violations"]])


if __name__ == "__main__":
    sys.exit(main())
