"""`python -m simulator`: a simulated TWS gateway on a port."""

from __future__ import annotations

import logging
import sys

from simulator.app import run
from simulator.options import parse

if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    run(parse(sys.argv[1:]))
