"""One faulty short day: a gateway, a database, a session that is killed and started again, and the audit."""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from config import Settings, load_settings
from db.engine import drop_database, ensure_database
from db.migrate import upgrade
from runtime.stack.postgres import EmbeddedPostgres
from tests.chaos.audit import audit
from tests.chaos.life import Life, SessionChild, cut_off_sessions
from tests.chaos.nursery import ROOT, Child, bear, running_nursery
from tests.chaos.plan import PLAN_VERSION, SHORT, TICKERS, DayPlan, Length, draw
from tests.chaos.session_process import PHASES
from tests.support.postgres import make_reachable_folder

TEMPLATE = "chaos_template"
LIVES_MAX = 15
SLEEPER_SECONDS = 60.0
ASLEEP, HUNG = 1_001, 1_002  # beside the exit codes of processes
DOWN, UP = "database down", "database up"
READY_SECONDS = 60.0
EVENING_SECONDS = 180
"""Between the closure and the reconciliation: the broker's last commissions come up to two minutes late."""

PASSING = ("BrokerUnavailable", "RequestTimedOut", "RequestRefused", "HistoryBudgetSpent")
"""Ends of a process that its supervisor answers by starting it again: the broker could not be had."""


@dataclass(frozen=True, slots=True)
class Place:
    """What the days of a worker share: a Postgres server, which a day may stop, and the socket of a nursery."""

    server: EmbeddedPostgres
    nursery: str


@contextmanager
def place_for_days() -> Iterator[Place]:
    """A place, while inside."""
    with ExitStack() as stack:
        server = EmbeddedPostgres(make_reachable_folder(), {"fsync": "off"})
        stack.callback(server.remove)
        server.start()
        upgrade(server.ensure_database(TEMPLATE))
        folder = stack.enter_context(TemporaryDirectory())
        yield Place(server, stack.enter_context(running_nursery(Path(folder))))


@dataclass(slots=True)
class DayResult:
    """What came of a seed. Seconds of the market unless named otherwise."""

    seed: int
    plan: int = 0
    violations: list[str] = field(default_factory=list)
    lives: int = 0
    killed_at: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    trades: int = 0
    executions: int = 0
    recoveries_market_seconds: list[float] = field(default_factory=list)
    recoveries_real_seconds: list[float] = field(default_factory=list)
    outages_seconds: list[float] = field(default_factory=list)
    bars: int = 0
    unprotected_connected_seconds: list[int] = field(default_factory=list)
    unprotected_cut_off_seconds: list[int] = field(default_factory=list)
    real_seconds: float = 0.0

    def line(self) -> str:
        """One line of JSON."""
        return json.dumps(asdict(self))


@dataclass(frozen=True, slots=True)
class GatewayHandle:
    """A running gateway and where it listens."""

    port: int
    predictions_port: int
    control_port: int
    date: str

    def control(self, **order: Any) -> dict[str, Any]:
        """One order at the control port; its answer."""
        with socket.create_connection(("127.0.0.1", self.control_port), timeout=60) as link:
            link.sendall(json.dumps(order).encode() + b"\n")
            answer: dict[str, Any] = json.loads(link.makefile().readline())
        return answer


@contextmanager
def running_gateway(
    folder: Path, plan: DayPlan, nursery: str, pace: Sequence[str] = ("--deterministic",)
) -> Iterator[GatewayHandle]:
    """A gateway with the plan's faults; gone at the end. `pace`: how its time moves."""
    ready, script = folder / "ready.json", folder / "faults.yaml"
    script.write_text(yaml.safe_dump({"name": f"chaos {plan.seed}", "faults": list(plan.faults)}))
    command = ["gateway", str(folder / "witness.jsonl")]
    command += ["--port", "0", "--predictions-port", "0", "--control-port", "0", *pace]
    command += ["--start", plan.length.start, "--seed", str(plan.seed), "--observers", "90,91", "--outage-seconds", "0"]
    command += ["--faults", str(script), "--fault-log", str(folder / "faults.jsonl"), "--ready-file", str(ready)]
    for doubt in plan.doubts:
        command += ["--doubt", doubt]
    with (folder / "gateway.log").open("wb") as log, Path(os.devnull).open("rb") as nothing:
        process = bear(nursery, command, {}, (nothing.fileno(), log.fileno(), log.fileno()))
    try:
        _wait_for(ready, process)
        said = json.loads(ready.read_text())
        yield GatewayHandle(said["port"], said["predictions_port"], said["control_port"], said["date"])
    finally:
        process.kill(signal.SIGTERM)
        try:
            process.wait(20)
        except TimeoutError:
            process.kill()
            process.wait()


def _wait_for(ready: Path, process: Child) -> None:
    until = time.monotonic() + READY_SECONDS
    while not ready.exists():
        if process.poll() is not None or time.monotonic() > until:
            raise RuntimeError(f"the gateway did not start: see {ready.parent / 'gateway.log'}")
        select.select([], [], [], 0.02)


def settings_for(gateway: GatewayHandle, folder: Path, url: str) -> Settings:
    """What the session of that day reads."""
    return load_settings(
        {
            "tickers": TICKERS,
            "ib_port": gateway.port,
            "clock": "deterministic",
            "prediction_url": f"http://127.0.0.1:{gateway.predictions_port}",
            "prediction_api_key": "demo-key",
            "database_url": url,
            "state_folder": folder / "state",
            "confidence_threshold": 0.4,
            "cooldown_minutes": 1,
            "atr_stop_multiplier": 3,
            "atr_target_multiplier": 2,
        },
        environment={},
        env_file=ROOT / "no.env",
    )


class Day:
    """Plays one plan to its end."""

    def __init__(self, plan: DayPlan, place: Place, folder: Path) -> None:
        self._plan = plan
        self._place = place
        self._folder = folder
        self._database_is_down = False
        self._sleeper: SessionChild | None = None
        self.lives: list[Life] = []
        self.result = DayResult(plan.seed, plan=PLAN_VERSION, faults=[_words(fault) for fault in plan.faults])

    def play(self) -> DayResult:
        """Everything, and the audit."""
        began = time.monotonic()
        name = f"chaos_{self._plan.seed}"
        url = ensure_database(self._place.server.start(), name, template=TEMPLATE)
        with running_gateway(self._folder, self._plan, self._place.nursery) as gateway:
            settings = settings_for(gateway, self._folder, url)
            try:
                finished = self._play_lives(gateway, settings)
            finally:
                self._end_sleeper()
            self._place.server.start()
            if finished:
                audit(self._plan, settings, gateway.date, self._folder, self.lives, self.result)
        drop_database(self._place.server.start(), name)
        self.result.lives = len(self.lives)
        self.result.real_seconds = round(time.monotonic() - began, 1)
        return self.result

    def _play_lives(self, gateway: GatewayHandle, settings: Settings) -> bool:
        """Start the session, and again after each death, as a supervisor would; whether the day came to its end."""
        kills = [*self._plan.kills, *[None] * LIVES_MAX]
        for number, kill in enumerate(kills[:LIVES_MAX], 1):
            life = Life(PHASES if number == 1 else PHASES[2:], kill, self._moments(number))
            self.lives.append(life)
            code, errors = self._live(gateway, settings, life)
            life.ended_ms = gateway.control(ask="state")["now_ms"]
            if code == 0:
                return True
            if code == HUNG:
                self.result.violations.append(f"life {number} hung and was killed")
                return False
            if code in (-signal.SIGKILL, ASLEEP) and kill is not None:
                life.was_killed = True
                self.result.killed_at.append(f"{kill.point} {kill.nth}{' asleep' if code == ASLEEP else ''}")
            elif not any(name in errors[-1] for name in PASSING):
                self.result.violations.append(f"life {number} ended with {code}: {' | '.join(errors[-3:])}")
            gateway.control(advance=self._plan.outages[number % len(self._plan.outages)])
            if self._plan.lost_journal == number:
                self._lose_journal(settings)
        self.result.violations.append(f"not finished after {LIVES_MAX} lives")
        return False

    def _moments(self, number: int) -> dict[int, str]:
        """At which ticks of this life Postgres is stopped and started."""
        if number > 1:
            return {60: UP} if self._database_is_down else {}
        return {
            tick: word for pair in self._plan.database_down_ticks for tick, word in zip(pair, (DOWN, UP), strict=True)
        }

    def _lose_journal(self, settings: Settings) -> None:
        """The disk is a new one, and what was not shipped is lost: not while Postgres is away, when that may be all."""
        if self._sleeper is None and not self._database_is_down:
            shutil.rmtree(settings.state_folder, ignore_errors=True)

    # --- one life ----------------------------------------------------------------------------------------------------

    def _live(self, gateway: GatewayHandle, settings: Settings, life: Life) -> tuple[int, list[str]]:
        """The exit code, ASLEEP or HUNG, and the last lines of standard error."""
        log_path = self._folder / f"session-{len(self.lives)}.log"
        process = SessionChild(self._place.nursery, gateway.date, life, settings, log_path)
        code = HUNG
        until = time.monotonic() + self._plan.length.life_seconds
        try:
            for said in process.listen(until):
                if said["what"] == "asleep":
                    self._replace(process, gateway, settings)
                    return ASLEEP, []
                self._hear(process, gateway, life, said)
        finally:
            if process is not self._sleeper:
                process.end()
        if time.monotonic() < until:
            code = process.code()
        return code, log_path.read_text(errors="replace").strip().splitlines()[-5:] or [""]

    def _hear(self, process: SessionChild, gateway: GatewayHandle, life: Life, said: dict[str, Any]) -> None:
        if said["what"] == "reconciled":
            if len(self.lives) > 1 and not life.reconciled_ms:
                self.result.recoveries_real_seconds.append(said["real_seconds"])
            life.reconciled_ms.append(said["at_ms"])
            if self._sleeper is not None:
                self._end_sleeper()
        elif said["what"] == "moment":
            self._database_is_down = said["word"] == DOWN
            if self._database_is_down:
                self._place.server.stop()
            else:
                self._place.server.start()
            process.tell("go on")
        elif said["what"] == "day over":
            if self._plan.has_late_commissions:
                gateway.control(advance=EVENING_SECONDS)
            process.tell("go on")
        elif said["what"] == "report" and said["phase"] == "intraday" and self._database_is_down:
            self._place.server.start()  # outages may have passed over the tick: the reconciliation needs a database
            self._database_is_down = False
        elif (
            said["what"] == "report" and not said["ok"] and said["phase"] != "reconcile"
        ):  # whose breaks the audit sees
            self.result.violations.append(f"{said['phase']} was not well: {said['summary']}")

    # --- who sleeps --------------------------------------------------------------------------------------------------

    def _replace(self, process: SessionChild, gateway: GatewayHandle, settings: Settings) -> None:
        """Take everything from a stopped process that would keep a second one out, as a careless person would."""
        self._sleeper = process
        gateway.control(drop={"how": "rst", "seconds": 0})
        for lock in settings.state_folder.rglob("*.lock"):
            lock.unlink()
        if not self._database_is_down:
            cut_off_sessions(self._place.server.start())

    def _end_sleeper(self) -> None:
        """Wake it: it must see by itself that it has been replaced, and say so."""
        sleeper, self._sleeper = self._sleeper, None
        if sleeper is None:
            return
        sleeper.wake()
        said = [*sleeper.listen(time.monotonic() + SLEEPER_SECONDS)]
        sleeper.end()
        log = sleeper.log_path.read_text(errors="replace")
        if "The session was taken over by another process" not in log or "SessionAlreadyRunning" not in log:
            self.result.violations.append(f"woken after it was replaced, a process ended with {sleeper.code()}: {said}")


def _words(fault: dict[str, Any]) -> str:
    return " ".join([fault["at"], *(f"{name} {value}" for name, value in fault.items() if name != "at")])


def play_seed(seed: int, place: Place, folder: Path, length: Length = SHORT) -> DayResult:
    """Play the day of a seed in `folder`, which stays when a law was broken."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    result = Day(draw(seed, length), place, folder).play()
    if not result.violations:
        shutil.rmtree(folder)
    return result
