"""What a process takes over from the journal of the one before, also where limits were changed in between."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from core.codec import encode
from core.engine import Engine
from core.params import Params
from core.vocabulary import Phase
from db.journal import Journal, JournalRow
from runtime.recovery import Recovered, process_started, recover
from tests.support.happenings import bar, buy, seconds
from tests.support.playbook import PLAN, Playbook


def start(folder: Path, params: Params) -> tuple[Recovered, Engine]:
    """Start a process on the journal that the folder holds, as far as its first events."""
    with Journal.open(folder, PLAN.session) as journal:
        recovered = recover(journal, params, PLAN)
        first = journal.last_sequence + 1
        for sequence, event in enumerate(process_started(recovered, 0), first):
            commands = recovered.engine.step(event)
            journal.append([JournalRow(sequence, event.at_ms, encode(event), encode(commands) if commands else "")])
    return recovered, recovered.engine


@pytest.fixture
def halted(tmp_path: Path) -> Path:
    """The journal of a session that its loss limit has closed."""
    play = Playbook().when(buy()).when(seconds(10), bar(60.0)).check("phase", lambda p: p.engine.state.phase, "halted")
    rows = [
        JournalRow(sequence, event.at_ms, encode(event), encode(commands) if commands else "")
        for sequence, (event, commands) in enumerate(play.journal, 1)
    ]
    with Journal.open(tmp_path, PLAN.session) as journal:
        journal.append(rows)
    return tmp_path


def test_a_halt_outlives_the_process(halted: Path) -> None:
    recovered, engine = start(halted, Playbook().params)
    assert (engine.state.phase, recovered.differing_sequences, recovered.forgotten_halt) == (Phase.HALTED, (), "")


def test_a_halt_outlives_the_limit_that_it_came_from(halted: Path) -> None:
    params = Playbook().params
    off = replace(params, risk=replace(params.risk, max_daily_loss=None))
    for _ in range(2):  # the second process finds it in the journal
        recovered, engine = start(halted, off)
        assert engine.state.phase is Phase.HALTED
        assert "daily P&L" in engine.state.halted
    assert recovered.forgotten_halt == ""
