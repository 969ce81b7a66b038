"""Everything that can be set when a gateway is started: one frozen dataclass, and its command line."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Final

from simulator.account.commissions import PLANS, CommissionPlan
from simulator.clock import seconds_of_day
from simulator.doubts import Doubts
from simulator.model import BaseCurrency

PREDICTIONS_KEY: Final = "demo-key"
"""The X-API-Key that the prediction service expects; it guards nothing."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to run a gateway. Port 0 is any free one; a port of None is not opened at all."""

    host: str = "127.0.0.1"
    port: int = 4002
    account: str = "DU1234567"
    market: str = "synthetic"
    day: date | None = None
    """None: the day of the recorded folder, or a fixed ordinary day for the synthetic market."""
    start: str = "09:29"
    seed: int = 1
    speed: float = 1.0
    deterministic: bool = False
    observers: frozenset[int] = frozenset()
    outage_seconds: int | None = None
    """How long the market goes on when the last barrier client is lost; None: drawn, 1 to 60."""
    faults: Path | None = None
    chaos: int | None = None
    fault_log: Path | None = None
    control_port: int | None = None
    predictions_port: int | None = None
    predictions_key: str = PREDICTIONS_KEY
    log_wire: Path | None = None
    ready_file: Path | None = None
    doubts: Doubts = field(default_factory=Doubts)
    read_only: bool = False
    cash: bool = False
    """A cash account: no margin, no short sales."""
    base_currency: BaseCurrency = field(default_factory=BaseCurrency)
    commissions: CommissionPlan = field(default_factory=CommissionPlan)
    master_client_id: int | None = None
    die_with_parent: bool = False


class OptionError(ValueError):
    """An option whose value makes no sense; names it and what is allowed."""


def parse(arguments: Sequence[str], program: str = "python -m simulator") -> Options:
    """The options of a command line. Exits with a message, as argparse does, when it makes no sense."""
    parser = _parser(program)
    given = parser.parse_args(arguments)
    try:
        return _options(given)
    except ValueError as error:
        parser.error(str(error))


def _options(given: argparse.Namespace) -> Options:
    if given.speed is not None and given.deterministic:
        raise OptionError("--speed and --deterministic: time moves in one way, allowed is one of them")
    if given.speed is not None and not 0 < given.speed <= 10_000:
        raise OptionError(f"--speed {given.speed}: allowed is a number above 0, up to 10,000")
    seconds_of_day(given.start)
    doubts = Doubts()
    for setting in given.doubt:
        name, equals, value = setting.partition("=")
        if not equals:
            raise OptionError(f"--doubt {setting!r}: expected name=value")
        doubts = doubts.with_setting(name, value)
    fees = CommissionPlan(given.commissions, given.regulatory_fees)
    values = {name: value for name, value in vars(given).items() if name not in ("doubt", "regulatory_fees")}
    return Options(**values | {"doubts": doubts, "commissions": fees, "speed": given.speed or 1.0})


def _client_ids(text: str) -> frozenset[int]:
    return frozenset(int(part) for part in text.split(",") if part)


def _base_currency(text: str) -> BaseCurrency:
    name, _, rate = text.partition(":")
    if not (re.fullmatch("[A-Z]{3}", name) and re.fullmatch(r"\d+(\.\d+)?", rate) and float(rate) > 0):
        raise argparse.ArgumentTypeError(f"{text!r}: expected a currency and what a dollar costs in it, as in EUR:0.92")
    return BaseCurrency(name, float(rate))


def _parser(program: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=program,
        description="A simulated TWS / IB Gateway, with a prediction service beside it; docs/simulator.md tells all.",
    )
    default = Options()
    add = parser.add_argument
    add("--host", default=default.host)
    add("--port", type=int, default=default.port, help="%(default)s by default; 0: any free one")
    add("--account", default=default.account, help="%(default)s by default")
    add("--market", default=default.market, help="synthetic (by default), lean:DIR, csv:FILE or parquet:FILE")
    add("--date", dest="day", type=date.fromisoformat, metavar="YYYY-MM-DD", help="the day to play")
    add("--start", default=default.start, metavar="HH:MM", help="New York time at which the clock starts; %(default)s")
    add("--seed", type=int, default=default.seed, help="of the market, outages and faults; %(default)s")
    add("--speed", type=float, metavar="N", help="simulated seconds in a second; 1")
    add("--deterministic", action="store_true", help="time moves when every client has asked for it")
    add("--observers", type=_client_ids, default=frozenset(), metavar="IDS", help="client ids outside the barrier")
    add("--outage-seconds", type=int, metavar="N", help="what a lost client costs; with --deterministic")
    add("--faults", type=Path, metavar="FILE", help="a fault script (YAML), or the name of a built-in one: case_08")
    add("--chaos", type=int, metavar="SEED", help="draw a schedule of faults")
    add("--fault-log", type=Path, metavar="FILE", help="what was injected, JSON lines")
    add("--control-port", type=int, metavar="P", help="take faults and questions while it runs")
    add("--predictions-port", type=int, metavar="P", help="serve predictions too; 0: on any free port")
    add("--predictions-key", default=default.predictions_key, metavar="KEY", help="what X-API-Key must say")
    add("--log-wire", type=Path, metavar="FILE", help="every message of every client")
    add("--ready-file", type=Path, metavar="FILE", help="written as JSON when all ports listen")
    switches = "; ".join(f"{name}={default!r}" for name, default in asdict(Doubts()).items())
    add("--doubt", action="append", default=[], metavar="NAME=VALUE", help=f"another variant of IB: {switches}")
    add("--read-only", action="store_true", help="refuse orders, as a read-only API does")
    add("--cash", action="store_true", help="a cash account: no margin, no short sales")
    add("--base-currency", type=_base_currency, default=default.base_currency, metavar="NAME:RATE",
        help="what the account is kept in, and what a dollar costs in it: EUR:0.92")  # fmt: skip
    add("--commissions", choices=PLANS, default=PLANS[0], help="IB's price plan")
    add("--regulatory-fees", action="store_true", help="charge what the regulators take of sales")
    add("--master-client-id", type=int, metavar="ID")
    add("--die-with-parent", action="store_true")
    return parser
