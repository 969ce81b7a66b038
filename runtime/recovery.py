"""Starting and recovering are one path: play the journal through a fresh engine, then let the broker correct it."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from core.codec import decode, encode
from core.commands import WakeAt
from core.engine import Engine
from core.events import LinkChanged, Woke
from core.params import Params, SessionPlan
from core.vocabulary import Link
from db.journal import Journal
from runtime.timers import Timers

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Recovered:
    """The engine as the journal leaves it, its pending timers, and how it came to be."""

    engine: Engine
    timers: Timers
    replayed_events: int
    newest_ms: int | None
    differing_sequences: tuple[int, ...]  # rows whose commands came out otherwise: the rules changed meanwhile


def recover(journal: Journal, params: Params, plan: SessionPlan) -> Recovered:
    """Replay the journal of a session; an empty journal gives the fresh engine of a new day."""
    engine = Engine(params, plan)
    timers = Timers()
    replayed, newest_ms, differing = 0, None, []
    for row in journal.read():
        event = decode(row.event)
        if isinstance(event, Woke):
            timers.forget(event.timer)
        commands = engine.step(event)
        if (encode(commands) if commands else "") != row.commands:
            differing.append(row.sequence)
        for command in commands:
            if isinstance(command, WakeAt):
                timers.set(command.timer, command.at_ms)
        replayed, newest_ms = replayed + 1, row.at_ms
    if differing:
        log.warning("%d journal rows give other commands than they did: the rules or settings changed", len(differing))
    return Recovered(engine, timers, replayed, newest_ms, tuple(differing))


def process_started(recovered: Recovered, at_ms: int) -> LinkChanged:
    """What a replayed engine must hear first: its former connection is gone, whatever was in flight is unknown."""
    reason = f"process started, {recovered.replayed_events} events replayed"
    return LinkChanged(max(at_ms, recovered.newest_ms or 0), Link.LOST, reason)
