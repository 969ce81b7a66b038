"""The gateway as one thing to start and stop: venue, server, clock, faults, prediction service."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import logging
import os
import signal
import sys
from asyncio import Server
from pathlib import Path
from random import Random
from types import TracebackType
from typing import TYPE_CHECKING, Self

from simulator.faults.chaos import schedule
from simulator.faults.control import ControlPort
from simulator.faults.gate import FaultGate
from simulator.faults.links import NightlyReset
from simulator.faults.log import FaultLog
from simulator.faults.runner import FaultRunner
from simulator.faults.script import load
from simulator.faults.world import World
from simulator.options import Options
from simulator.server.absent_desk import AbsentDesk
from simulator.server.account_desk import AccountDesk
from simulator.server.calm import Calm
from simulator.server.connection import Connection
from simulator.server.history_desk import HistoryDesk
from simulator.server.hub import Hub
from simulator.server.limits import CONNECTIONS_MAX
from simulator.server.market_desk import MarketDesk
from simulator.server.order_desk import OrderDesk
from simulator.server.pace import Barrier, Running, Seconds
from simulator.server.reference_desk import ReferenceDesk
from simulator.server.silence import Silence
from simulator.server.wire_log import WireLog
from simulator.venue import Venue
from simulator.venue_setup import build_venue

if TYPE_CHECKING:
    from simulator.market.source import Market
    from simulator.predictions.service import PredictionService

_log = logging.getLogger("simulator")
PARENT_POLL_SECONDS = 0.5
EXIT_REFUSED = 2


class Gateway:
    """A simulated TWS gateway: `start`, use `port` and `venue`, `stop`; also an async context manager."""

    def __init__(self, options: Options, market: Market | None = None) -> None:
        """`market`: the one to play instead of the options' own."""
        self.options = options
        self.venue: Venue = build_venue(options, market)
        self.port = 0
        self.predictions_port: int | None = None
        self.control_port: int | None = None
        log = WireLog(options.log_wire) if options.log_wire is not None else None
        self.hub = Hub(self.venue, Calm(), log)
        silence = Silence()
        self.markets = MarketDesk(self.hub, silence)
        self.orders = OrderDesk(self.hub, options.read_only, options.master_client_id)
        self.history = HistoryDesk(self.hub, silence)
        self.gate = FaultGate(self.hub, FaultLog(options.fault_log))
        self.hub.seat(self.orders, AccountDesk(self.hub), self.markets, self.history, ReferenceDesk(self.hub))
        self.hub.seat(AbsentDesk(self.hub), self.gate)
        self.hub.interference = self.gate
        self.seconds = Seconds(self.hub)
        self.pace = self._make_pace()
        self.hub.pace = self.pace
        self.faults = self._make_faults()
        self._numbers = itertools.count(1)
        self._server: Server | None = None
        self._predictions: PredictionService | None = None
        self._control: ControlPort | None = None

    def _make_pace(self) -> Barrier | Running:
        options = self.options
        if not options.deterministic:
            return Running(self.hub, self.seconds, options.speed)
        self.hub.exempt_time_requests = True
        return Barrier(self.hub, self.seconds, options.observers, options.seed, options.outage_seconds)

    def _make_faults(self) -> FaultRunner:
        """The script's and the chaos' faults, in the schedule."""
        options, start_ms = self.options, self.hub.now_ms
        world = World(self.hub, self.gate, self.markets, self.history, Random(f"faults {options.seed}"))
        runner = FaultRunner(world)
        runner.plan(NightlyReset.next_ms(start_ms), NightlyReset())
        day = self.venue.clock.eastern().date()
        if options.faults is not None:
            runner.add(load(options.faults, day, start_ms))
        if options.chaos is not None:
            symbols = tuple(instrument.symbol for instrument in self.venue.instruments())
            runner.add(schedule(options.chaos, day, start_ms, symbols))
        return runner

    async def start(self) -> None:
        """Listen on every port asked for and let time run. Raises OSError when a port is taken."""
        loop, options = asyncio.get_running_loop(), self.options
        self._server = await loop.create_server(
            lambda: Connection(self.hub, next(self._numbers)), options.host, options.port, backlog=CONNECTIONS_MAX
        )
        self.port = self._server.sockets[0].getsockname()[1]
        if options.predictions_port is not None:
            from simulator.predictions.service import PredictionService  # aiohttp costs a third of a second to import

            self._predictions = PredictionService(self.venue, api_key=options.predictions_key, seed=options.seed)
            self.predictions_port = await self._predictions.start(options.host, options.predictions_port)
            self.faults.world.predictions = self._predictions
        if options.control_port is not None:
            clock = self.venue.clock
            self._control = ControlPort(self.faults, clock.eastern().date(), clock.now_ms, self.seconds.run_to)
            self.control_port = await self._control.start(options.host, options.control_port)
        self.faults.run_due()
        self.pace.start()
        if options.ready_file is not None:
            self._write_ready(options.ready_file)

    async def stop(self) -> None:
        """Close everything at once; nothing that was started outlives this."""
        await self.pace.stop()
        if self._server is not None:
            self._server.close()
        for session in self.hub.sessions():
            session.flush()
            session.connection.close()
        for service in (self._predictions, self._control):
            if service is not None:
                await service.stop()
        if self._server is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._server.wait_closed(), 1.0)
        for session in self.hub.sessions():
            session.connection.abort()
        self.gate.log.close()
        if self.hub.log is not None:
            self.hub.log.close()
            self.hub.log = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    def words(self) -> str:
        """What is played, and where it listens, for the person who started it."""
        clock, host = self.venue.clock.eastern(), self.options.host
        predictions = "" if self.predictions_port is None else f", predictions on http://{host}:{self.predictions_port}"
        return (
            f"gateway on {host}:{self.port}, account {self.venue.account}, {self.options.market} market of "
            f"{clock:%Y-%m-%d} from {clock:%H:%M} in New York{predictions}"
        )

    def _write_ready(self, path: Path) -> None:
        """Tell whoever waits for us where we listen; written whole or not at all."""
        facts = {
            "pid": os.getpid(),
            "port": self.port,
            "predictions_port": self.predictions_port,
            "control_port": self.control_port,
            "account": self.venue.account,
            "tickers": [instrument.symbol for instrument in self.venue.instruments()],
            "date": f"{self.venue.clock.eastern():%Y-%m-%d}",
        }
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        draft.write_text(json.dumps(facts), encoding="utf-8")
        draft.replace(path)


def run(options: Options) -> None:
    """Run a gateway until SIGINT or SIGTERM (or the parent's death, if asked for). Blocks."""
    asyncio.run(_serve(options))


async def _serve(options: Options) -> None:
    parent = os.getppid()
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    gateway = await _opened(options)
    try:
        _log.info("%s; Ctrl-C ends it", gateway.words())
        while not stopped.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopped.wait(), PARENT_POLL_SECONDS if options.die_with_parent else None)
            if options.die_with_parent and os.getppid() != parent:
                stopped.set()
    finally:
        await gateway.stop()


async def _opened(options: Options) -> Gateway:
    """A gateway that listens. Ends the process with a sentence when it cannot play what the options say."""
    try:
        gateway = Gateway(options)
        await gateway.start()
    except (ValueError, OverflowError, OSError) as refusal:  # OverflowError: a port beyond 65535
        sys.stderr.write(f"the simulated gateway does not start: {refusal}\n")
        raise SystemExit(EXIT_REFUSED) from None
    return gateway
