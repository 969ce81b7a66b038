"""What it costs to write and read the hot events, beside json.dumps and json.loads of the same as a dict.

Run from the project's folder: `python -m bench.codec`. The ratios are comparable between machines, the times are not;
each is the best of several rounds, taken in turns, so that a busy machine spoils none alone.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from decimal import Decimal
from timeit import timeit

from core.codec import decode, encode
from core.events import BarClosed, Event, ExecutionReported, QuoteChanged
from core.market import Bar, Quote
from core.orders import Execution
from core.vocabulary import Action

ROUNDS, CALLS = 9, 5_000

EVENTS: tuple[Event, ...] = (
    BarClosed(1381152610123, Bar("SOXL", 1381152600000, 75.12, 75.31, 75.01, 75.22, 12_345)),
    QuoteChanged(1381152610123, Quote("SOXL", 75.21, 75.22, 75.22)),
    ExecutionReported(
        1381152610123,
        Execution(
            exec_id="0000e0d5.67fe667b.01.01",
            order_ref="DU1-20131007/SOXL/1/entry",
            order_id=5,
            client_id=7,
            perm_id=600745656,
            ticker="SOXL",
            action=Action.BUY,
            shares=133,
            price=Decimal("75.22"),
            time_ms=1381152610000,
            exchange="IEX",
        ),
    ),
)


def compare(ours: Callable[[], object], plain: Callable[[], object]) -> tuple[float, float]:
    """Microseconds per call of both, the best of all rounds."""
    times = [(timeit(ours, number=CALLS), timeit(plain, number=CALLS)) for _ in range(ROUNDS)]
    best_ours, best_plain = (min(column) / CALLS * 1e6 for column in zip(*times, strict=True))
    return best_ours, best_plain


def line(name: str, ours: Callable[[], object], plain: Callable[[], object]) -> str:
    """One line of the table."""
    our_us, plain_us = compare(ours, plain)
    return f"{name:26} {our_us:7.2f} us   json {plain_us:7.2f} us   ratio {our_us / plain_us:5.2f}\n"


def report(event: Event) -> str:
    """The lines of one event."""
    text, name = encode(event), type(event).__name__
    fields = json.loads(text)
    return line(f"encode {name}", lambda: encode(event), lambda: json.dumps(fields)) + line(
        f"decode {name}", lambda: decode(text), lambda: json.loads(text)
    )


def main() -> None:
    """Print the table."""
    for event in EVENTS:
        sys.stdout.write(report(event))


if __name__ == "__main__":
    main()
