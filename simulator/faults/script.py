"""Fault scripts: when, and what. Read from YAML, checked whole before anything runs.

```yaml
name: a fill arrives while the link is down
faults:
  - at: "10:30:00"            # New York time of the simulated day, or "+90": seconds after the start
    drop: {how: fin, seconds: 20}
  - when: fill                # order, modify, cancel, fill, start, request
    match: {leg: parent}      # symbol, action, order_type, leg, request, client_id
    nth: 2                    # the second such event (default the first)
    times: 3                  # and the two after it (default 1)
    after_seconds: 5          # wait so long after it (default 0: at once)
    before: true              # order, modify, cancel, request: act before the gateway takes it
    code: {code: 2110}
```
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import yaml

from simulator.clock import eastern_ms, seconds_of_day
from simulator.faults import feeds, links, trading
from simulator.faults.action import Action, build
from simulator.faults.events import KINDS, Event

ACTION_MODULES: Final = (links, feeds, trading)
"""Imported for their actions, which register themselves."""
_TRIGGER_KEYS: Final = ("at", "when", "match", "nth", "times", "after_seconds", "before")
_MATCH_KEYS: Final = ("symbol", "action", "order_type", "leg", "request", "client_id")


class ScriptError(ValueError):
    """A script that makes no sense; names the entry, the setting, its value and what is allowed."""


@dataclass(slots=True)
class Fault:
    """One entry: `at_ms` or an event to wait for, and the action."""

    action: Action
    at_ms: int | None = None
    when: str = ""
    match: Mapping[str, Any] = field(default_factory=dict)
    nth: int = 1
    times: int = 1
    after_seconds: int = 0
    before: bool = False

    def wants(self, event: Event) -> bool:
        """Whether this is the event; counts those that fit."""
        if event.kind != self.when or any(getattr(event, key) != value for key, value in self.match.items()):
            return False
        self.nth -= 1
        if self.nth > 0:
            return False
        self.times -= 1
        return True

    @property
    def is_spent(self) -> bool:
        """Whether it waits for no more events."""
        return self.times <= 0


def load(source: Path, day: date, start_ms: int) -> list[Fault]:
    """The faults of a script file, or of a built-in one by its name (`case_08`). Raises ScriptError."""
    path = source if source.exists() else built_in(str(source))
    try:
        table = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ScriptError(f"{source}: {error}") from error
    if not isinstance(table, dict) or not isinstance(table.get("faults"), list):
        raise ScriptError(f"{source}: expected a table with a list `faults`")
    unknown = set(table) - {"name", "case", "about", "faults"}
    if unknown:
        raise ScriptError(f"{source}: {sorted(unknown)[0]!r}: allowed are name, case, about, faults")
    return parse(table["faults"], day, start_ms)


def built_in(name: str) -> Path:
    """The script of this name that comes with the simulator. Raises ScriptError naming all."""
    folder = Path(str(files("simulator.faults") / "scripts"))
    known = sorted(folder.glob("*.yaml"))
    found = [path for path in known if path.stem == name or path.stem.startswith(f"{name}_")]
    if len(found) != 1:
        raise ScriptError(f"fault script {name!r}: no such file; built in are {', '.join(path.stem for path in known)}")
    return found[0]


def parse(entries: Iterable[Any], day: date, start_ms: int) -> list[Fault]:
    """The faults of a list of entries. Raises ScriptError."""
    faults = []
    for number, entry in enumerate(entries, 1):
        try:
            faults.append(_fault(entry, day, start_ms))
        except ValueError as error:
            raise ScriptError(f"fault {number}: {error}") from error
    return faults


def _fault(entry: Any, day: date, start_ms: int) -> Fault:
    if not isinstance(entry, dict):
        raise ValueError(f"{entry!r}: expected a table")
    actions = [key for key in entry if key not in _TRIGGER_KEYS]
    if len(actions) != 1:
        raise ValueError(f"{sorted(map(str, entry))}: exactly one action; the rest are {', '.join(_TRIGGER_KEYS)}")
    action = build(actions[0], entry[actions[0]] or {})
    if ("at" in entry) == ("when" in entry):
        raise ValueError("either `at` or `when`")
    if "at" in entry:
        return Fault(action, at_ms=_moment(entry["at"], day, start_ms))
    if entry["when"] not in KINDS:
        raise ValueError(f"when: {entry['when']!r}; allowed are {', '.join(KINDS)}")
    match = entry.get("match", {})
    if not isinstance(match, dict) or set(match) - set(_MATCH_KEYS):
        raise ValueError(f"match: {match!r}; allowed are {', '.join(_MATCH_KEYS)}")
    numbers = {key: _number(key, entry[key]) for key in ("nth", "times", "after_seconds") if key in entry}
    return Fault(action, when=entry["when"], match=match, before=bool(entry.get("before")), **numbers)


def _moment(text: Any, day: date, start_ms: int) -> int:
    """`+90` is seconds after the start; everything else a New York time of the day."""
    if isinstance(text, str) and text.startswith("+") and text[1:].isdigit():
        return start_ms + int(text[1:]) * 1000
    if not isinstance(text, str):
        raise ValueError(f"at: {text!r}; allowed is a quoted HH:MM, HH:MM:SS or +seconds")
    return eastern_ms(day, seconds_of_day(text))


def _number(key: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < (0 if key == "after_seconds" else 1):
        raise ValueError(f"{key}: {value!r}; allowed is a whole number, at least {0 if key == 'after_seconds' else 1}")
    return value
