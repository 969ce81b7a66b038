"""One faulty short day: a gateway, a database, a session that is killed and started again, and the audit."""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from io import FileIO
from pathlib import Path
from typing import Any

import yaml

from config import Settings, load_settings
from db.engine import drop_database, ensure_database
from runtime.stack.postgres import EmbeddedPostgres
from tests.chaos.audit import audit
from tests.chaos.nursery import ROOT, SOCKET_NAME, Child, bear
from tests.chaos.plan import START, TICKERS, DayPlan, draw
from tests.chaos.session_process import PHASES

TEMPLATE = "chaos_template"
LIVES_MAX = 15
LIFE_SECONDS = 240.0
READY_SECONDS = 60.0
PASSING = ("BrokerUnavailable", "RequestTimedOut", "RequestRefused", "HistoryBudgetSpent")
"""Ends of a process that its supervisor answers by starting it again: the broker could not be had."""


@dataclass(slots=True)
class DayResult:
    """What came of a seed. Seconds of the market unless named otherwise."""

    seed: int
    violations: list[str] = field(default_factory=list)
    lives: int = 0
    killed_at: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    trades: int = 0
    executions: int = 0
    recoveries_market_seconds: list[float] = field(default_factory=list)
    recoveries_real_seconds: list[float] = field(default_factory=list)
    unprotected_connected_seconds: list[int] = field(default_factory=list)
    unprotected_cut_off_seconds: list[int] = field(default_factory=list)
    real_seconds: float = 0.0

    def line(self) -> str:
        """One line of JSON."""
        return json.dumps(asdict(self))


@dataclass(slots=True)
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
def running_gateway(folder: Path, plan: DayPlan, nursery: str) -> Iterator[GatewayHandle]:
    """A gateway with the plan's faults; gone at the end."""
    ready, script = folder / "ready.json", folder / "faults.yaml"
    script.write_text(yaml.safe_dump({"name": f"chaos {plan.seed}", "faults": list(plan.faults)}))
    command = ["gateway", str(folder / "witness.jsonl")]
    command += ["--port", "0", "--predictions-port", "0", "--control-port", "0", "--deterministic"]
    command += ["--start", START, "--seed", str(plan.seed), "--observers", "90,91", "--outage-seconds", "0"]
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

    def __init__(self, plan: DayPlan, server: EmbeddedPostgres, nursery: str, folder: Path) -> None:
        self._plan = plan
        self._nursery = nursery
        self._server = server
        self._folder = folder
        self._reconciled_lives: set[int] = set()
        self._reconciled_ms: list[int] = []
        self.result = DayResult(plan.seed, faults=[_words(fault) for fault in plan.faults])

    def play(self) -> DayResult:
        """Everything, and the audit."""
        began = time.monotonic()
        name = f"chaos_{self._plan.seed}"
        url = ensure_database(self._server.start(), name, template=TEMPLATE)
        with running_gateway(self._folder, self._plan, self._nursery) as gateway:
            settings = settings_for(gateway, self._folder, url)
            finished = self._lives(gateway, settings)
            self._server.start()
            if finished:
                audit(self._plan, settings, gateway.date, self._folder, self._reconciled_ms, self.result)
        drop_database(self._server.start(), name)
        self.result.real_seconds = round(time.monotonic() - began, 1)
        return self.result

    def _lives(self, gateway: GatewayHandle, settings: Settings) -> bool:
        """Start the session, and again after each death, as a supervisor would; whether the day came to its end."""
        kills = [*self._plan.kills, *[None] * LIVES_MAX]
        for number, kill in enumerate(kills[:LIVES_MAX]):
            phases = PHASES if number == 0 else PHASES[2:]
            life: dict[str, Any] = {"phases": phases, "kill": asdict(kill) if kill else None}
            if number == 0 and self._plan.database_down_ticks:
                down, up = self._plan.database_down_ticks
                life["moments"] = {down: "database down", up: "database up"}
            self.result.lives += 1
            code, errors = self._one_life(gateway, settings, life)
            if code == 0:
                return True
            if code == -9 and kill is not None:
                self.result.killed_at.append(f"{kill.point} {kill.nth}")
            elif code == -9:
                self.result.violations.append(f"life {number + 1} hung for {LIFE_SECONDS:.0f} s and was killed")
                return False
            elif not any(name in errors[-1] for name in PASSING):
                self.result.violations.append(f"life {number + 1} ended with {code}: {' | '.join(errors[-3:])}")
            gateway.control(advance=self._plan.outages[number % len(self._plan.outages)])
        self.result.violations.append(f"not finished after {LIVES_MAX} lives")
        return False

    def _one_life(self, gateway: GatewayHandle, settings: Settings, life: dict[str, Any]) -> tuple[int, list[str]]:
        """The exit code and the last lines of standard error."""
        log_path = self._folder / f"session-{self.result.lives}.log"
        (their_stdin, to_session), (from_session, their_stdout) = os.pipe(), os.pipe()
        environment = settings.to_environment() | {SOCKET_NAME: self._nursery}
        with log_path.open("wb") as log, FileIO(to_session, "w") as answers, FileIO(from_session) as telling:
            arguments = ["session", gateway.date, json.dumps(life)]
            process = bear(self._nursery, arguments, environment, (their_stdin, their_stdout, log.fileno()))
            os.close(their_stdin)
            os.close(their_stdout)
            try:
                self._listen(telling, answers, time.monotonic() + LIFE_SECONDS)
            finally:
                process.kill()
                code = process.wait()
        return code, log_path.read_text(errors="replace").strip().splitlines()[-5:] or [""]

    def _listen(self, telling: FileIO, answers: FileIO, until: float) -> None:
        """Take in what the session tells until it ends, or until it has been silent for too long."""
        pending = b""
        while time.monotonic() < until:
            if not select.select([telling], [], [], 1.0)[0]:
                continue
            if not (chunk := telling.read(65_536)):
                return
            *lines, pending = (pending + chunk).split(b"\n")
            for line in lines:
                self._hear(answers, json.loads(line))

    def _hear(self, answers: FileIO, said: dict[str, Any]) -> None:
        if said["what"] == "reconciled":
            if self.result.lives > 1 and self.result.lives not in self._reconciled_lives:
                self.result.recoveries_real_seconds.append(said["real_seconds"])
            self._reconciled_lives.add(self.result.lives)
            self._reconciled_ms.append(said["at_ms"])
        elif said["what"] == "moment":
            if said["word"] == "database down":
                self._server.stop()
            else:
                self._server.start()
            answers.write(b"go on\n")
        elif (
            said["what"] == "report" and not said["ok"] and said["phase"] != "reconcile"
        ):  # its breaks are judged below
            self.result.violations.append(f"{said['phase']} was not well: {said['summary']}")


def _words(fault: dict[str, Any]) -> str:
    return " ".join([fault["at"], *(f"{name} {value}" for name, value in fault.items() if name != "at")])


def play_seed(seed: int, server: EmbeddedPostgres, nursery: str, folder: Path) -> DayResult:
    """Play the day of a seed in `folder`, which stays when a law was broken."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    result = Day(draw(seed), server, nursery, folder).play()
    if not result.violations:
        shutil.rmtree(folder)
    return result
