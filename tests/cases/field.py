"""A short day in this process: the simulated gateway on a socket, the product's own session, and a script of faults.

Time is deterministic and starts ten minutes before the closure, which ends the day. A session lives until a moment and
then dies without a word, its connection cut and its journal left behind; the next one takes over from there.
"""

from __future__ import annotations

import io
import json
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from config import Settings, load_settings
from core.codec import decode
from core.commands import ClearAlert, Command, Commands, PlaceBracket, PlaceOrders, RaiseAlert, RecordDecision
from core.engine import Engine
from core.events import Event
from core.records import Decision
from db.journal import journal_path
from db.journal_reader import JournalReader
from runtime.bootstrap import open_session, plan_for, session_folder
from runtime.driving import drive
from runtime.host import Host
from runtime.sources import make_poller
from simulator.app import Gateway
from simulator.faults.script import Fault, built_in, load, parse
from simulator.options import Options
from tests.chaos.witness import Witness
from tests.support.gateways import gateway_of

DATE = "2025-03-12"
START = "15:20"
SESSION_CLIENT_ID = 10
COMMANDS: Any = Commands  # a type alias, as the codec takes it
E = TypeVar("E", bound=Event)
C = TypeVar("C", bound=Command)


class Field:
    """The gateway, the settings of its session, and what came of it."""

    def __init__(self, gateway: Gateway, settings: Settings, witness: Witness) -> None:
        self.gateway = gateway
        self.settings = settings
        self.witness = witness
        self.start_ms = gateway.venue.clock.now_ms
        self.plan = plan_for(settings, DATE)
        self.engine: Engine | None = None
        self._predictions: list[str] = []

    # --- before -------------------------------------------------------------------------------------------------

    def predict(self, after_seconds: int, ticker: str, signal: str, confidence: float = 0.9) -> None:
        """A prediction so many seconds after the start."""
        at_ms = self.start_ms + after_seconds * 1000
        said = {"ticker": ticker, "signal": signal, "confidence": confidence, "stock_price": 1.0, "timestamp": at_ms}
        self._predictions.append(json.dumps({"status": "success", "data": {"ticker": ticker, "prediction": said}}))
        assert self.settings.prediction_file is not None
        self.settings.prediction_file.write_text("\n".join(self._predictions))

    def fault(self, entry: dict[str, Any]) -> None:
        """One more entry of a script; `+90` counts from the start."""
        day = self.gateway.venue.clock.eastern().date()
        self.gateway.faults.add(parse([entry], day, self.start_ms))
        self.gateway.faults.run_due()

    def script(self, number: int, first_seconds: int = 120, gap_seconds: int = 120) -> None:
        """The built-in script of a case, its times of the day moved into this one."""
        day = self.gateway.venue.clock.eastern().date()
        faults = load(built_in(f"case_{number:02d}"), day, self.start_ms)
        moments = sorted({fault.at_ms for fault in faults if fault.at_ms is not None and not self._is_start(fault)})
        moved, before, at_ms = {}, None, self.start_ms + first_seconds * 1000
        for moment in moments:
            if before is not None:
                at_ms += min(moment - before, gap_seconds * 1000)
            moved[moment], before = at_ms, moment
        for fault in faults:
            if fault.at_ms is not None and not self._is_start(fault):
                fault.at_ms = moved[fault.at_ms]
        self.gateway.faults.add(faults)
        self.gateway.faults.run_due()

    def _is_start(self, fault: Fault) -> bool:
        return fault.at_ms == self.start_ms

    # --- while --------------------------------------------------------------------------------------------------

    async def live(self, until_seconds: int | None = None, *events: Event) -> Host:
        """One process of the session, to its closure or to its death; `events` are taken in once it is connected."""
        async with open_session(self.settings, DATE) as host:
            host.poller = make_poller(self.settings, host.plan, host.clock)
            self.engine = host.session.engine
            until_ms = None if until_seconds is None else self.start_ms + until_seconds * 1000
            if until_ms is not None:
                host.done = lambda host: host.is_closed() or host.clock.now_ms() >= until_ms
            await host.connector.connect()
            host.connector.subscribe()
            if events:
                host.session.pump()
                host.take(*events)
            await drive(host, self.settings)
            await host.poller.close()
        return host

    def pass_time(self, seconds: int) -> None:
        """The market goes on without us."""
        self.gateway.seconds.run_to(self.gateway.venue.clock.now_ms + seconds * 1000)

    # --- after --------------------------------------------------------------------------------------------------

    def rows(self) -> list[tuple[int, Event, tuple[Command, ...]]]:
        """The journal: time, event, commands."""
        folder = session_folder(self.settings, self.plan)
        reader = JournalReader(journal_path(folder, self.plan.session))
        rows = reader.read(0, 1_000_000)
        reader.close()
        return [(row.at_ms, decode(row.event), decode(row.commands, COMMANDS) if row.commands else ()) for row in rows]

    def events(self, kind: type[E]) -> list[E]:
        """The events of a kind, in order."""
        return [event for _, event, _ in self.rows() if isinstance(event, kind)]

    def commands(self, kind: type[C]) -> list[C]:
        """The commands of a kind, in order."""
        return [command for _, _, commands in self.rows() for command in commands if isinstance(command, kind)]

    def decisions(self) -> list[Decision]:
        """What was made of each prediction when it was first seen; the file repeats it at every poll."""
        first: dict[str, Decision] = {}
        for command in self.commands(RecordDecision):
            first.setdefault(command.decision.prediction_key, command.decision)
        return list(first.values())

    def alerts(self, key: str = "") -> list[str]:
        """`raised link`, `over link`, ... in order; of one key or of those that begin with it."""
        told = []
        for _, _, commands in self.rows():
            for command in commands:
                if isinstance(command, RaiseAlert):
                    told.append(f"raised {command.alert.key}")
                elif isinstance(command, ClearAlert):
                    told.append(f"over {command.key}")
        return [words for words in told if words.partition(" ")[2].startswith(key)]

    def injected(self, fault: str) -> list[str]:
        """What the script did of a kind; a case whose fault never struck proves nothing."""
        return [entry.detail for entry in self.gateway.gate.log.entries if entry.fault == fault]

    def position(self, ticker: str) -> int:
        """Signed shares at the broker."""
        rows = self.gateway.venue.positions()
        return sum(row.quantity for row in rows if row.instrument.symbol == ticker)

    def refs_at_the_broker(self) -> set[str]:
        """Every reference that the exchange has ever seen of the session."""
        return set(self.witness.perm_ids)

    def check_laws(self, *, unprotected_seconds_max: int = 2) -> None:
        """Nothing lost, nothing doubled, nothing left, nothing uncovered."""
        self.witness.close()
        venue = self.gateway.venue
        assert {row.instrument.symbol: row.quantity for row in venue.positions() if row.quantity} == {}
        assert [o.request.order_ref for o in venue.open_orders(None) if o.client_id == SESSION_CLIENT_ID] == []
        assert {ref: ids for ref, ids in self.witness.perm_ids.items() if len(ids) > 1} == {}
        placed = {spec.order_ref for spec in self._placed()}
        assert self.refs_at_the_broker() <= placed
        self.check_ledger()
        long = [one for one in self.witness.exposures if one.waited_seconds_max > unprotected_seconds_max]
        assert long == []

    def check_ledger(self) -> None:
        """The executions of the ledger are those of the broker, each once."""
        assert self.engine is not None
        prefix = f"{self.plan.session}/"
        broker = {one.exec_id for one, _ in self.gateway.venue.executions() if one.order_ref.startswith(prefix)}
        ours = self.engine.state.ledger.executions.values()
        assert {one.exec_id for one in ours if one.order_ref.startswith(prefix)} == broker

    def _placed(self) -> Iterable[Any]:
        for command in self.commands(PlaceBracket):
            yield from (command.entry, *command.children)
        for stand_alone in self.commands(PlaceOrders):
            yield from stand_alone.orders


@asynccontextmanager
async def field(
    folder: Path, *tickers: str, start: str = START, doubts: Sequence[str] = (), **settings: Any
) -> AsyncIterator[Field]:
    """A gateway that has just opened, and a session that has not begun."""
    options = Options(port=0, deterministic=True, start=start, outage_seconds=0, observers=frozenset({90, 91}))
    made = gateway_of(options)
    for setting in doubts:
        made.venue.doubts = made.venue.doubts.with_setting(*setting.split("=", 1))
    witness = Witness(made.hub, made.gate, SESSION_CLIENT_ID, io.StringIO())
    made.hub.seat(witness)
    async with made as gateway:
        predictions = folder / "predictions.jsonl"
        predictions.touch()
        chosen = load_settings(
            {
                "tickers": tickers or ("SOXL",),
                "ib_port": gateway.port,
                "clock": "deterministic",
                "prediction_file": predictions,
                "state_folder": folder,
                "poll_seconds": 10,
                **settings,
            },
            environment={},
            env_file=folder / "no.env",
        )
        yield Field(gateway, chosen, witness)
