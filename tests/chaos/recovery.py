"""`python -m tests.chaos.recovery --count 20`: how long an operator waits for a session after kill -9 and a lost link.

In running time, with cold processes: Python starts anew each time, as under a supervisor that restarts at once. Two
moments are taken, in real seconds: the broker is read back (whatever lacked protection has it), and fresh quotes have
been taken in (entries are allowed again).
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from config import Settings
from db.engine import ensure_database
from tests.chaos.day import TEMPLATE, GatewayHandle, place_for_days, running_gateway, settings_for
from tests.chaos.figures import spread
from tests.chaos.nursery import ROOT
from tests.chaos.plan import SHORT, DayPlan

CALM_DAY = DayPlan(
    seed=1, length=SHORT, kills=(), outages=(), faults=(), doubts=(), database_down_ticks=(), lost_journal=0
)
LIFE: dict[str, object] = {"phases": ["intraday"], "kill": None, "moments": {}}


@contextmanager
def running_session(settings: Settings, date: str, log: int) -> Iterator[subprocess.Popen[bytes]]:
    """A session in a process that Python starts from nothing."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.chaos.session_process", date, json.dumps(LIFE)],
        cwd=ROOT,
        env=os.environ | settings.to_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
    )
    with process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGKILL)


def heard(process: subprocess.Popen[bytes], what: str, since: float) -> float:
    """Real seconds from `since` until the session says the word."""
    assert process.stdout is not None
    for line in process.stdout:
        if json.loads(line)["what"] == what:
            return time.monotonic() - since
    raise RuntimeError(f"the session ended before it said {what}")


def measure(gateway: GatewayHandle, settings: Settings, count: int, log: int) -> dict[str, list[float]]:
    """So many deaths and lost links, one after the other."""
    found: dict[str, list[float]] = {name: [] for name in NAMES}
    killed_at = time.monotonic()
    for number in range(count + 1):
        with running_session(settings, gateway.date, log) as process:
            read_back, trading = heard(process, "reconciled", killed_at), heard(process, "trading", killed_at)
            if number:  # the first start follows no death
                found["kill -9 to the broker read back"].append(read_back)
                found["kill -9 to trading again"].append(trading)
            dropped_at = time.monotonic()
            gateway.control(drop={"how": "rst", "seconds": 0})
            found["link dropped to the broker read back"].append(heard(process, "reconciled", dropped_at))
            found["link dropped to trading again"].append(heard(process, "trading", dropped_at))
            killed_at = time.monotonic()
    return found


NAMES = (
    "kill -9 to the broker read back",
    "kill -9 to trading again",
    "link dropped to the broker read back",
    "link dropped to trading again",
)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.recovery", description=__doc__)
    parser.add_argument("--count", type=int, default=20)
    count = parser.parse_args().count
    with TemporaryDirectory() as name, place_for_days() as place:
        folder = Path(name)
        url = ensure_database(place.server.start(), "recovery", template=TEMPLATE)
        with (
            running_gateway(folder, CALM_DAY, place.nursery, pace=("--speed", "1")) as gateway,
            (folder / "session.log").open("wb") as log,
        ):
            settings = settings_for(gateway, folder, url).model_copy(update={"clock": "broker", "speed": 1.0})
            for what, seconds in measure(gateway, settings, count, log.fileno()).items():
                print(spread(f"{what}, real seconds", [round(value, 2) for value in seconds]))


if __name__ == "__main__":
    main()
