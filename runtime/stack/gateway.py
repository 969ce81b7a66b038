"""`trader gateway`: the simulated gateway in this process, with the simulator's own command line."""

from __future__ import annotations

import logging
from collections.abc import Sequence


def run_gateway(arguments: Sequence[str]) -> int:
    """Run until Ctrl-C; the exit code. Exits with a message for arguments that make no sense."""
    from simulator.options import parse

    options = parse(arguments, "trader gateway")  # answers --help, before the gateway is imported
    from simulator.app import run

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    run(options)
    return 0
