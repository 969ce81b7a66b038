"""What a process takes over from the journal of the one before, also where limits were changed in between."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from core.codec import encode
from core.engine import Engine
from core.params import Params
from core.vocabulary import Leg, Phase
from db.journal import Journal, JournalRow
from runtime.recovery import Recovered, process_started, recover
from tests.support.happenings import bar, buy, refuses, seconds
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


def written(play: Playbook, folder: Path) -> None:
    """The journal of what has happened in a playbook."""
    rows = [
        JournalRow(sequence, event.at_ms, encode(event), encode(commands) if commands else "")
        for sequence, (event, commands) in enumerate(play.journal, 1)
    ]
    with Journal.open(folder, PLAN.session) as journal:
        journal.append(rows)


def halted() -> Playbook:
    """A session that its loss limit has closed."""
    play = Playbook().when(buy()).when(seconds(10), bar(60.0))
    return play.check("phase", lambda p: p.engine.state.phase, Phase.HALTED)


def test_a_halt_outlives_the_process(tmp_path: Path) -> None:
    written(halted(), tmp_path)
    recovered, engine = start(tmp_path, Playbook().params)
    assert (engine.state.phase, recovered.differing) == (Phase.HALTED, ())


def test_a_halt_outlives_the_limit_that_it_came_from(tmp_path: Path) -> None:
    written(halted(), tmp_path)
    params = Playbook().params
    off = replace(params, risk=replace(params.risk, max_daily_loss=None))
    for _ in range(2):  # the second process finds it in the journal as an event
        _, engine = start(tmp_path, off)
        assert engine.state.phase is Phase.HALTED
        assert "daily P&L" in engine.state.halted


def test_an_order_s_number_outlives_the_threshold_that_let_it_pass(tmp_path: Path) -> None:
    """A rejected entry leaves no execution that would tell of it."""
    written(Playbook().when(refuses(Leg.ENTRY)).when(buy(0.6)), tmp_path)
    params = Playbook().params
    strict = replace(params, tickers=tuple(replace(one, confidence_threshold=0.9) for one in params.tickers))
    for _ in range(2):
        recovered, engine = start(tmp_path, strict)
        assert recovered.differing
        assert engine.state.next_number == 2
