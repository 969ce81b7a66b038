"""Starting and recovering are one path: play the journal through a fresh engine, then let the broker correct it."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass

from core.codec import decode, encode
from core.commands import RecordPhase, WakeAt
from core.engine import Engine
from core.events import Event, HaltRemembered, LinkChanged, Woke
from core.params import Params, SessionPlan
from core.vocabulary import Link, Phase
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
    forgotten_halt: str  # the reason of a halt that the journal holds and the replay does not come to; mostly empty


def recover(journal: Journal, params: Params, plan: SessionPlan) -> Recovered:
    """Replay the journal of a session; an empty journal gives the fresh engine of a new day."""
    engine = Engine(params, plan)
    timers = Timers()
    replayed, newest_ms, differing, halt = 0, None, [], ""
    for row in journal.read():
        event = decode(row.event)
        if isinstance(event, Woke):
            timers.forget(event.timer)
        commands = engine.step(event)
        if (encode(commands) if commands else "") != row.commands:
            differing.append(row.sequence)
            halt = halt or _halt_in(row.commands)
        for command in commands:
            if isinstance(command, WakeAt):
                timers.set(command.timer, command.at_ms)
        replayed, newest_ms = replayed + 1, row.at_ms
    if differing:
        log.warning("%d journal rows give other commands than they did: the rules or settings changed", len(differing))
    forgotten_halt = "" if engine.state.halted else halt
    return Recovered(engine, timers, replayed, newest_ms, tuple(differing), forgotten_halt)


def _halt_in(commands: str) -> str:
    """The reason of a halt among commands as text, which may be of another version of the program."""
    for command in json.loads(commands or "[]"):
        if command["type"] == RecordPhase.__name__ and command["phase"] == Phase.HALTED:
            return str(command["reason"])
    return ""


def process_started(recovered: Recovered, at_ms: int) -> tuple[Event, ...]:
    """What a replayed engine must hear first: its former connection is gone, whatever was in flight is unknown; and
    what was closed for the day stays closed, however the limits were changed since."""
    at_ms = max(at_ms, recovered.newest_ms or 0)
    reason = f"process started, {recovered.replayed_events} events replayed"
    lost = LinkChanged(at_ms, Link.LOST, reason)
    return (lost, HaltRemembered(at_ms, recovered.forgotten_halt)) if recovered.forgotten_halt else (lost,)
