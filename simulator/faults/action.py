"""What an action is: a frozen dataclass whose fields are what a script may write, and `apply`."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from typing import Any, ClassVar

from simulator.faults.events import Event
from simulator.faults.world import World


@dataclasses.dataclass(frozen=True, slots=True)
class Action:
    """One thing that can go wrong. Subclasses are dataclasses, registered under `name`."""

    name: ClassVar[str] = ""
    registry: ClassVar[dict[str, type[Action]]] = {}

    def __init_subclass__(cls) -> None:
        """Register under the name that scripts use."""
        if cls.name:
            Action.registry[cls.name] = cls

    def apply(self, world: World, event: Event | None) -> str:
        """Do it now; says what was done, for the log. Raises ValueError when it cannot be done."""
        raise TypeError(f"{type(self).__name__} does nothing")  # pragma: no cover - every subclass has its own

    def follow_up(self) -> tuple[int, Action] | None:
        """What ends it, and after how many simulated seconds; None: nothing does."""
        return None


def build(name: str, settings: Mapping[str, Any]) -> Action:
    """The action of this name with these settings. Raises ValueError naming the setting, its value, what is allowed."""
    kind = Action.registry.get(name)
    if kind is None:
        raise ValueError(f"fault {name!r}: allowed are {', '.join(sorted(Action.registry))}")
    hints = typing.get_type_hints(kind)
    fields = {field.name: hints[field.name] for field in dataclasses.fields(kind)}
    unknown = set(settings) - set(fields)
    if unknown:
        raise ValueError(f"fault {name}: setting {sorted(unknown)[0]!r}: allowed are {', '.join(fields) or 'none'}")
    try:
        return kind(**{key: _converted(f"{name}.{key}", value, fields[key]) for key, value in settings.items()})
    except TypeError as error:
        raise ValueError(f"fault {name}: {error}") from error


def _converted(where: str, value: Any, hint: Any) -> Any:
    """The value as the type of its field; lists become tuples, a single value a tuple of one."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is tuple:
        items = value if isinstance(value, list | tuple) else [value]
        return tuple(_converted(where, item, arguments[0]) for item in items)
    if origin in (typing.Union, types.UnionType):
        if value is None:
            return None
        return _converted(where, value, next(each for each in arguments if each is not type(None)))
    if hint is Any:
        return value
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if hint is str and isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, hint) and not (hint is int and isinstance(value, bool)):
        return value
    raise ValueError(f"fault {where}: {value!r} is not of type {getattr(hint, '__name__', hint)}")
