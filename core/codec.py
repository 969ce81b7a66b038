"""Events, commands and the engine's state as compact JSON text, and back: decode(encode(x)) == x, always.

A dataclass becomes an object whose first key `type` names it; an enum its value; a Decimal its text; tuples, lists and
sets become arrays, dicts objects. A float that is not finite becomes text, so that the whole is strict JSON which
Postgres accepts. Reading goes by the declared types of the fields, so that only dataclasses need a name.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable
from dataclasses import MISSING, Field, fields, is_dataclass
from decimal import Decimal
from enum import Enum
from functools import cache
from json.encoder import encode_basestring_ascii
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints, overload

from core.errors import InvalidValueError
from core.events import Event

T = TypeVar("T")
Writer = Callable[[Any], str]
Reader = Callable[[Any], Any]

PLAIN_DATA = "dataclasses, enums, Decimal, str, int, float, bool, None, tuple, list, set, frozenset, dict"


def encode(value: object) -> str:
    """Write an event, a command, a state, or a tuple of them. Raises InvalidValueError for what is not plain data."""
    return _WRITERS[type(value)](value)


def compile_writers(*bases: type) -> None:
    """Make the writers of these classes and of all below them now: at their first use they would delay it by 2 ms."""
    for base in bases:
        for kind in _family(base):
            _WRITERS[kind]


@overload
def decode(text: str) -> Event: ...
@overload
def decode(text: str, kind: type[T]) -> T: ...
def decode(text: str, kind: object = Event) -> object:
    """Read back what `encode` wrote for `kind`: an event (the default), `Commands`, a state.

    Raises InvalidValueError for a name or a set of fields that the kind does not have.
    """
    return _reader(kind)(json.loads(text))


# --- writing: by the type of the value, one writer per type, made at its first use -----------------------------------


class _Writers(dict[type, Writer]):
    def __missing__(self, kind: type) -> Writer:
        if is_dataclass(kind):
            writer = _dataclass_writer(kind)
        elif issubclass(kind, Enum):
            writer = {member: self[type(member.value)](member.value) for member in kind}.__getitem__
        else:
            raise InvalidValueError("type", kind, PLAIN_DATA)
        self[kind] = writer
        return writer


def _dataclass_writer(kind: type) -> Writer:
    """One expression for the whole object, compiled once per class: a quarter of the time of a loop over its fields."""
    hints = get_type_hints(kind)
    keys = "".join(f',"{field.name}":%s' for field in fields(kind))
    scope: dict[str, object] = {"template": f'{{"type":"{kind.__name__}"{keys}}}', **_SCOPE}
    values = "".join(f"{_expression(f'o.{field.name}', hints[field.name], scope)}, " for field in fields(kind))
    writer: Writer = eval(f"lambda o: template % ({values})", scope)  # the source holds names of ours only
    return writer


def _expression(value: str, hint: Any, scope: dict[str, object], depth: int = 0) -> str:
    """Source that writes `value`: in place where the declared type says how, else by the type that it has."""
    members = get_args(hint)
    if get_origin(hint) is tuple and members[-1] is Ellipsis:
        one = _expression(f"v{depth}", members[0], scope, depth + 1)
        return f"'[' + ','.join([{one} for v{depth} in {value}]) + ']'"
    if get_origin(hint) is tuple:
        parts = [_expression(f"{value}[{index}]", member, scope, depth) for index, member in enumerate(members)]
        return "'[' + " + " + ',' + ".join(parts) + " + ']'"
    if len(members) == 2 and members[1] is NoneType and members[0] in _IN_PLACE:
        return f"('null' if {value} is None else {_expression(value, members[0], scope)})"
    if isinstance(hint, type) and issubclass(hint, Enum):
        scope[hint.__name__] = _WRITERS[hint]
        return f"{hint.__name__}({value})"
    return _IN_PLACE.get(hint, "writers[type({0})]({0})").format(value)


def _write_float(x: float) -> str:
    return repr(x) if math.isfinite(x) else f'"{x}"'


def _write_array(values: Iterable[object]) -> str:
    return "[" + ",".join([_WRITERS[type(value)](value) for value in values]) + "]"


def _write_set(values: Iterable[object]) -> str:
    return "[" + ",".join(sorted(encode(value) for value in values)) + "]"


def _write_object(values: dict[Any, object]) -> str:
    return "{" + ",".join(f"{_write_key(key)}:{encode(value)}" for key, value in values.items()) + "}"


def _write_key(key: object) -> str:
    if isinstance(key, str):
        return encode_basestring_ascii(key)
    if type(key) is int:
        return f'"{key}"'
    raise InvalidValueError("key", key, "str, StrEnum or int")


_WRITERS = _Writers(
    {
        NoneType: lambda _: "null",
        bool: lambda value: "true" if value else "false",
        int: int.__repr__,
        float: _write_float,
        str: encode_basestring_ascii,
        Decimal: lambda value: f'"{value}"',
        tuple: _write_array,
        list: _write_array,
        set: _write_set,
        frozenset: _write_set,
        dict: _write_object,
    }
)

_IN_PLACE: dict[object, str] = {
    bool: "('true' if {0} else 'false')",
    int: "int_text({0})",
    float: "(repr({0}) if type({0}) is float and isfinite({0}) else writers[type({0})]({0}))",
    str: "quoted({0})",
    Decimal: "'\"' + str({0}) + '\"'",
}

_SCOPE = {"writers": _WRITERS, "int_text": int.__repr__, "isfinite": math.isfinite, "quoted": encode_basestring_ascii}

# --- reading: by the declared type, one reader per type, made at its first use ---------------------------------------


@cache
def _reader(hint: object) -> Reader:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return _union_reader(arguments)
    if origin is tuple and arguments[-1] is not Ellipsis:
        readers = [_reader(argument) for argument in arguments]
        return lambda values: tuple(read(value) for read, value in zip(readers, values, strict=True))
    if origin in (tuple, list, set, frozenset):
        read_one = _reader(arguments[0])
        return lambda values: origin(map(read_one, values))
    if origin is dict:
        read_key, read_value = _reader(arguments[0]), _reader(arguments[1])
        return lambda values: {read_key(key): read_value(value) for key, value in values.items()}
    if isinstance(hint, type) and is_dataclass(hint):
        return _object_reader((hint,))
    if hint is float:
        return lambda value: float(value) if type(value) is str else value
    if hint in (str, bool, NoneType):
        return lambda value: value
    if isinstance(hint, type) and issubclass(hint, (int, Decimal, Enum)):
        return hint
    raise InvalidValueError("type", hint, PLAIN_DATA)


def _union_reader(members: tuple[Any, ...]) -> Reader:
    """None, any dataclasses (told apart by name), and at most one other type."""
    named = tuple(member for member in members if isinstance(member, type) and is_dataclass(member))
    others = [member for member in members if member is not NoneType and member not in named]
    if len(others) > 1 or (others and named):
        raise InvalidValueError("type", members, "None with dataclasses, or None with one other type")
    read = _reader(others[0]) if others else _object_reader(named)
    return lambda value: None if value is None else read(value)


def _object_reader(roots: tuple[type, ...]) -> Reader:
    """Any of the dataclasses and their subclasses, by the name under `type`."""
    kinds: dict[str, type] = {kind.__name__: kind for root in roots for kind in _family(root)}

    def read(value: object) -> object:
        if not isinstance(value, dict) or value.get("type") not in kinds:
            raise InvalidValueError("type", value, f"an object with the type {' or '.join(sorted(kinds))}")
        return _dataclass_reader(kinds[value["type"]])(value)

    return read


def _family(root: type) -> Iterable[type]:
    """The class and all below it; of a class with slots, the twin without them may be listed too, always before it."""
    yield root
    below: list[type] = root.__subclasses__()
    for kind in below:
        yield from _family(kind)


@cache
def _dataclass_reader(kind: type) -> Reader:
    hints = get_type_hints(kind)
    readers = {field.name: _reader(hints[field.name]) for field in fields(kind)}
    made_by_init = [(field.name, readers.pop(field.name)) for field in fields(kind) if not field.init]
    known = {"type", *(field.name for field in fields(kind))}
    derived = {name for name in dir(kind) if isinstance(getattr(kind, name), property)}
    required = {field.name for field in fields(kind) if not _has_default(field)}

    def read(value: dict[str, Any]) -> object:
        given = value.keys()
        if given != known and (given - known - derived or required - given):
            raise InvalidValueError(kind.__name__, sorted(given), f"the fields {sorted(known)}")
        built: object = kind(**{name: readers[name](part) for name, part in value.items() if name in readers})
        for name, read_one in made_by_init:
            setattr(built, name, read_one(value[name]))
        return built

    return read


def _has_default(field: Field[Any]) -> bool:
    return field.default is not MISSING or field.default_factory is not MISSING
