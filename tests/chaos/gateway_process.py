"""The simulated gateway with a witness at its side: `python -m tests.chaos.gateway_process WITNESS_FILE [options]`."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from pathlib import Path

from simulator.app import PARENT_POLL_SECONDS, Gateway
from simulator.options import Options, parse
from tests.chaos.plan import SESSION_CLIENT_ID
from tests.chaos.witness import Witness


async def serve(options: Options, witness_file: Path) -> None:
    """Serve until SIGTERM, or until our parent is gone."""
    parent, stopped = os.getppid(), asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    gateway = Gateway(options)
    with witness_file.open("w", encoding="utf-8") as stream:
        witness = Witness(gateway.hub, gateway.gate, SESSION_CLIENT_ID, stream)
        gateway.hub.seat(witness)
        async with gateway:
            while not stopped.is_set() and os.getppid() == parent:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stopped.wait(), PARENT_POLL_SECONDS)
        witness.close()


def main() -> None:
    """Serve what the command line asks for."""
    asyncio.run(serve(parse(sys.argv[2:]), Path(sys.argv[1])))


if __name__ == "__main__":
    main()
