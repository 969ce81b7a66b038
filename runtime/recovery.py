"""Starting and recovering are one path: play the journal through a fresh engine, then let the broker correct it."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain

from core.codec import decode, encode
from core.commands import RecordPhase, WakeAt
from core.engine import Engine
from core.events import Event, LinkChanged, ReplayDiffered, Woke
from core.params import Params, SessionPlan
from core.vocabulary import Link, Phase
from db.journal import Journal, JournalRow
from runtime.timers import Timers

log = logging.getLogger(__name__)

_NUMBERS = re.compile(r'"order_ref":"[^"/]+/[^"/]+/(\d+)/')


@dataclass(frozen=True, slots=True)
class Recovered:
    """The engine as the journal leaves it, its pending timers, and how it came to be."""

    engine: Engine
    timers: Timers
    replayed_events: int
    newest_ms: int | None
    differing: tuple[JournalRow, ...]  # rows whose commands came out otherwise: settings or rules changed meanwhile


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
            differing.append(row)
        for command in commands:
            if isinstance(command, WakeAt):
                timers.set(command.timer, command.at_ms)
        replayed, newest_ms = replayed + 1, row.at_ms
    if differing:
        log.warning("%d journal rows give other commands than they did: the rules or settings changed", len(differing))
    return Recovered(engine, timers, replayed, newest_ms, tuple(differing))


def process_started(recovered: Recovered, at_ms: int) -> tuple[Event, ...]:
    """What a replayed engine must hear first: its former connection is gone, whatever was in flight is unknown; and
    where settings were changed since, what of the journal binds all the same."""
    at_ms = max(at_ms, recovered.newest_ms or 0)
    reason = f"process started, {recovered.replayed_events} events replayed"
    lost = LinkChanged(at_ms, Link.LOST, reason)
    if not recovered.differing:
        return (lost,)
    # as text, since it may have been written by another version of the program
    texts = [row.commands for row in recovered.differing]
    numbers = [int(number) for text in texts for number in _NUMBERS.findall(text)]
    return (lost, ReplayDiffered(at_ms, _halt_in(texts), 1 + max(numbers, default=0)))


def _halt_in(texts: Iterable[str]) -> str:
    """The reason of the first halt among commands, empty without one."""
    for command in chain.from_iterable(json.loads(text or "[]") for text in texts):
        if command["type"] == RecordPhase.__name__ and command["phase"] == Phase.HALTED:
            return str(command["reason"])
    return ""
