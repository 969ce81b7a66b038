"""decode(encode(x)) is x, for every event, every command and every state that is written."""

from __future__ import annotations

import json
from inspect import getmembers, isclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

import core.commands
import core.events
from core.codec import decode, encode
from core.commands import Command, Commands
from core.events import Event
from core.indicators import Atr, Ema, Macd, MultiTimeframe, Returns, Rsi, Sma, Timeframe
from core.market import Bar
from core.params import AtrKind, SessionPlan
from tests.support.bars import walks


def kinds_of(base: type) -> list[type]:
    module = core.events if base is Event else core.commands
    return [kind for _, kind in getmembers(module, isclass) if issubclass(kind, base) and kind is not base]


@pytest.mark.parametrize("kind", [*kinds_of(Event), *kinds_of(Command), SessionPlan])
@given(choice=st.data())
def test_identity(kind: type, choice: st.DataObject) -> None:
    """By repr, which tells 1 from 1.0 and finds NaN equal to itself."""
    value = choice.draw(st.from_type(kind))
    text = encode(value)
    base = next((base for base in (Event, Command) if issubclass(kind, base)), kind)
    assert repr(decode(text, base)) == repr(value)
    json.loads(text, parse_constant=pytest.fail)


@given(st.lists(st.one_of([st.from_type(kind) for kind in kinds_of(Command)]), max_size=4).map(tuple))
def test_identity_of_a_step_s_commands(commands: Commands) -> None:
    assert repr(decode(encode(commands), Commands)) == repr(commands)


@given(walks(max_size=60))
def test_identity_of_indicators(bars: list[Bar]) -> None:
    several = MultiTimeframe(
        [
            Timeframe(10, {"atr": Atr(), "wilder": Atr(kind=AtrKind.WILDER), "macd": Macd(2, 4, 2)}),
            Timeframe(60, {"sma": Sma(3), "ema": Ema(3), "rsi": Rsi(3), "returns": Returns(4)}),
        ]
    )
    for bar in bars:
        several.update(bar)
    assert decode(encode(several), MultiTimeframe) == several
