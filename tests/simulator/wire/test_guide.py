"""The guide names every option and every fault with its settings."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from simulator.account.commissions import CommissionPlan
from simulator.doubts import Doubts
from simulator.faults.script import ACTION_MODULES, Action
from simulator.options import OptionError, Options, parse
from simulator.venue_setup import build_venue

ROOT = Path(__file__).resolve().parents[3]
GUIDE = (ROOT / "docs" / "simulator.md").read_text(encoding="utf-8")
assert ACTION_MODULES  # importing them is what fills the registry
SHARED = {"messages", "count", "skip", "seconds", "probability", "clients"}


@pytest.mark.parametrize("name", sorted(set(Action.registry) - {"restored", "farm_mended"}))
def test_every_fault_is_in_the_guide_with_its_settings(name: str) -> None:
    (line,) = [line for line in GUIDE.splitlines() if line.startswith("|") and re.search(f"`{name}[:`]", line)]
    settings = {field.name for field in dataclasses.fields(Action.registry[name])}
    missing = {setting for setting in settings - SHARED if setting not in line}
    assert not missing


def test_every_option_is_in_the_guide() -> None:
    names = {field.name for field in dataclasses.fields(Options)}
    spelled = {"day": "date", "doubts": "doubt"}
    assert not [name for name in names if f"--{spelled.get(name, name).replace('_', '-')}" not in GUIDE]


@pytest.mark.parametrize("switch", [field.name for field in dataclasses.fields(Doubts)])
def test_every_switch_is_reached_from_the_command_line(switch: str) -> None:
    others = {"refuse_modify": "accept", "error_135": "accept", "whole": "part", "accept": "refuse", "reject": "locate"}
    default = getattr(Doubts(), switch)
    other = {bool: not default, str: others.get(default, "accept"), int: 7, float: 0.5}[type(default)]
    given = parse(["--doubt", f"{switch}={str(other).lower()}"])
    assert getattr(given.doubts, switch) == other != default
    assert dataclasses.replace(given.doubts, **{switch: default}) == Doubts()


def test_the_price_plan_is_an_option() -> None:
    venue = build_venue(parse(["--commissions", "tiered", "--regulatory-fees"]))
    assert venue.options.plan == CommissionPlan("tiered", regulatory_fees=True)


def test_options_are_read_from_a_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    given = parse(
        "--port 0 --speed 60 --observers 90,91 --doubt children_arm=part --date 2024-11-29 --cash --log-wire x".split()
    )
    assert (given.port, given.speed, given.observers, given.cash) == (0, 60.0, frozenset({90, 91}), True)
    assert given.doubts.children_arm == "part"
    assert str(given.day) == "2024-11-29"
    assert parse([]) == Options()
    assert issubclass(OptionError, ValueError)
    for wrong, said in (
        ("--speed 0", "--speed 0"),
        ("--speed 2 --deterministic", "one of them"),
        ("--doubt children_arm=maybe", "whole, part"),
        ("--doubt children_arm", "name=value"),
        ("--doubt moon=full", "no such switch"),
        ("--start 25:00", "25:00"),
        ("--commissions free", "tiered"),
    ):
        with pytest.raises(SystemExit):
            parse(wrong.split())
        assert said in capsys.readouterr().err
