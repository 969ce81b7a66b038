"""The journal is the truth: replayed, it gives the same commands; a stored state goes on as if nothing had been."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.codec import decode, encode
from core.engine import Engine
from core.state import State
from core.vocabulary import Phase
from tests.support.random_session import PARAMS, PLAN, RandomSession

CHANCE = st.randoms(use_true_random=False)
STEPS = st.integers(0, 60)


def replay(engine: Engine, rows: list[tuple[str, str]]) -> None:
    for event, commands in rows:
        assert encode(engine.step(decode(event))) == commands


@given(CHANCE, STEPS)
def test_replaying_the_journal_gives_the_same_commands_and_state(chance: Random, steps: int) -> None:
    session = RandomSession(chance)
    session.play(steps)
    engine = Engine(PARAMS, PLAN)
    replay(engine, session.rows)
    assert encode(engine.state) == encode(session.engine.state)


@given(CHANCE, STEPS, st.floats(0, 1))
def test_a_state_that_was_stored_goes_on_as_if_nothing_had_been(chance: Random, steps: int, share: float) -> None:
    session = RandomSession(chance)
    session.play(steps)
    cut = round(share * len(session.rows))
    before = Engine(PARAMS, PLAN)
    replay(before, session.rows[:cut])
    stored = encode(before.state)
    after = Engine(PARAMS, PLAN, decode(stored, State))
    assert encode(after.state) == stored
    replay(after, session.rows[cut:])
    assert encode(after.state) == encode(session.engine.state)


@pytest.mark.parametrize("seed", range(4))
def test_a_long_session_is_replayed_too(seed: int) -> None:
    """Long enough to enter, leave and halt: without trades the laws would say little."""
    session = RandomSession(Random(seed))
    session.play(600)
    replay(Engine(PARAMS, PLAN), session.rows)
    state = session.engine.state
    assert state.next_decision > 20
    assert state.ledger.trades()
    assert state.phase is not Phase.STARTING
