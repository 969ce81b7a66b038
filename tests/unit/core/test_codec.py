"""What the codec writes, and what it refuses."""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass, field
from decimal import Decimal

import pytest

from core.codec import compile_writers, decode, encode
from core.commands import CancelEverything, Command, Commands, WakeAt
from core.errors import InvalidValueError
from core.events import BarClosed, CommissionReported, Event, PredictionReceived, Woke
from core.market import Bar, Prediction
from core.params import AtrKind
from core.records import Decision
from core.vocabulary import Outcome, Refusal, Side


@dataclass(slots=True)
class Leaf:
    """A dataclass of one field."""

    side: Side


@dataclass(slots=True)
class Twig:
    """Another, so that a union has two."""

    length: int = 3


@dataclass(slots=True)
class Tree:
    """Every kind of field that a state may have."""

    by_side: dict[Side, int]
    by_number: dict[int, Leaf]
    by_name: dict[str, list[float]]
    either: Leaf | Twig | None
    pair: tuple[int, Decimal]
    kinds: set[AtrKind]
    numbers: frozenset[int]
    late: Decimal | None = None
    grown: list[Twig] = field(init=False)

    def __post_init__(self) -> None:
        self.grown = []


def tree() -> Tree:
    made = Tree(
        by_side={Side.LONG: 1, Side.SHORT: 2},
        by_number={7: Leaf(Side.LONG)},
        by_name={'a "quoted" ü key': [1.5, float("inf")]},
        either=Twig(4),
        pair=(1, Decimal("1.10")),
        kinds={AtrKind.SMA, AtrKind.WILDER},
        numbers=frozenset({3, 1, 2}),
    )
    made.grown.append(Twig())
    return made


BAR = BarClosed(1381152610123, Bar("SOXL", 1381152600000, 75.1, 75.3, 75.0, 75.25, 1200))
BAR_TEXT = (
    '{"type":"BarClosed","at_ms":1381152610123,"bar":{"type":"Bar","ticker":"SOXL","start_ms":1381152600000,'
    '"open":75.1,"high":75.3,"low":75.0,"close":75.25,"volume":1200,"seconds":10,"flat":false,"complete":true}}'
)


def test_an_event_is_an_object_with_its_name() -> None:
    assert encode(BAR) == BAR_TEXT
    assert decode(BAR_TEXT) == BAR


def test_money_is_text_and_keeps_its_places() -> None:
    text = encode(CommissionReported(1, "a.01", Decimal("1.00"), None))
    assert text == '{"type":"CommissionReported","at_ms":1,"exec_id":"a.01","commission":"1.00","realized_pnl":null}'
    assert repr(decode(text)) == repr(CommissionReported(1, "a.01", Decimal("1.00"), None))


def test_commands_are_an_array() -> None:
    commands: Commands = (WakeAt("SOXL", 5), CancelEverything())
    text = encode(commands)
    assert text == '[{"type":"WakeAt","timer":"SOXL","at_ms":5},{"type":"CancelEverything"}]'
    assert decode(text, Commands) == commands
    assert decode(encode(()), Commands) == ()


def test_case_31_what_is_not_finite_survives_in_strict_json() -> None:
    event = PredictionReceived(1, Prediction("SOXL", "BUY", float("nan"), float("-inf"), 1, "SOXL"))
    text = encode(event)
    assert '"confidence":"nan","price":"-inf"' in text
    json.loads(text, parse_constant=pytest.fail)
    assert repr(decode(text)) == repr(event)


def test_every_kind_of_field_is_read_back() -> None:
    assert decode(encode(tree()), Tree) == tree()


def test_equal_states_are_written_alike() -> None:
    other = tree()
    other.numbers = frozenset({2, 3, 1})
    other.kinds = {AtrKind.WILDER, AtrKind.SMA}
    assert encode(other) == encode(tree())


def test_a_field_added_since_takes_its_default() -> None:
    assert decode('{"type":"Twig"}', Twig) == Twig(3)


def test_a_figure_written_by_an_earlier_version_and_derived_since_is_passed_over() -> None:
    decision = Decision(1, 1, "SOXL", "key", "BUY", 0.6, Outcome.REFUSE, Refusal.STALE)
    text = encode(decision).replace('"values"', '"explanation":"because","values"')
    assert decode(text, Decision) == decision


def test_a_class_may_be_read_as_its_base() -> None:
    assert decode(encode(Woke(1, "x")), Event) == Woke(1, "x")
    assert decode(encode(CancelEverything()), Command) == CancelEverything()


@pytest.mark.parametrize("value", [{1.5: 1}, {(1, 2): 1}, {True: 1}])
def test_a_key_that_json_cannot_hold_is_refused(value: object) -> None:
    with pytest.raises(InvalidValueError, match="key = "):
        encode(value)


@pytest.mark.parametrize("value", [object(), deque([1]), 1j, b"bytes"])
def test_what_is_not_plain_is_refused(value: object) -> None:
    with pytest.raises(InvalidValueError, match="type = "):
        encode(value)


@pytest.mark.parametrize(
    "text",
    [
        '{"type":"Nonsense","at_ms":1}',
        '{"type":"CancelEverything"}',
        '{"type":"Woke","at_ms":1}',
        '{"type":"Woke","at_ms":1,"timer":"x","more":1}',
    ],
    ids=["unknown name", "a command where an event is due", "a field is missing", "a field too many"],
)
def test_what_the_kind_does_not_have_is_refused(text: str) -> None:
    with pytest.raises(InvalidValueError):
        decode(text)


def test_a_value_outside_its_set_is_refused() -> None:
    with pytest.raises(ValueError, match="sideways"):
        decode('{"type":"Leaf","side":"sideways"}', Leaf)


@pytest.mark.parametrize("kind", [object, int | str, Leaf | int, deque[int]])
def test_a_kind_that_cannot_be_read_is_refused(kind: type) -> None:
    with pytest.raises(InvalidValueError, match="type = "):
        decode("1", kind)


def test_writers_are_made_when_asked_for_and_not_at_their_first_use() -> None:
    class NoPlainData:
        pass

    with pytest.raises(InvalidValueError, match="NoPlainData"):
        compile_writers(NoPlainData)
    compile_writers(Event, Command)
    assert decode(encode(Woke(1, "open"))) == Woke(1, "open")


@pytest.mark.parametrize("text", ["{}", "1", "null", '"Woke"', "[]"])
def test_text_that_is_no_event_at_all_is_refused(text: str) -> None:
    with pytest.raises(InvalidValueError, match="type = "):
        decode(text)
