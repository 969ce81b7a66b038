"""One day of one instrument, second by second, as arrays: the single source of ticks, live bars and history.

Row i of a tape is the second `FIRST_SECOND + i` after midnight (New York); it becomes known when that second has
ended.  Quotes hold from second to second until the next one; trades are the open, high, low, close and volume of
their second.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from simulator.market.calendar import EXTENDED_CLOSE, EXTENDED_OPEN, Session
from simulator.model import CENT, Price

Ints: TypeAlias = NDArray[np.int64]
Flags: TypeAlias = NDArray[np.bool_]

FIRST_SECOND = EXTENDED_OPEN
SECONDS = EXTENDED_CLOSE - EXTENDED_OPEN


@dataclass(slots=True)
class DayTape:
    """Arrays of `SECONDS` rows. `bid`, `ask` and their sizes are filled forward (0: no quote yet that day).

    `quoted` marks the seconds with a fresh quote. A second without trades has volume 0 and prices 0; `last` is the
    last price filled forward, seeded with the one of earlier days (0: none known).
    """

    session: Session
    bid: Ints
    ask: Ints
    bid_size: Ints
    ask_size: Ints
    quoted: Flags
    open: Ints
    high: Ints
    low: Ints
    close: Ints
    volume: Ints
    count: Ints
    halted: Flags
    previous_last: Price = 0
    last: Ints = field(init=False)

    def __post_init__(self) -> None:
        self.last = filled_forward(self.close, self.volume > 0, self.previous_last)

    def row_ms(self, row: int) -> int:
        """Epoch ms of the start of a row's second."""
        return self.session.at_ms(FIRST_SECOND) + row * 1000

    def regular_close(self) -> Price:
        """The last trade of regular hours: what stands for the official close (0: nothing traded ever)."""
        return int(self.last[row_of(self.session.regular_close) - 1])

    def final_last(self) -> Price:
        """The last trade of the day."""
        return int(self.last[-1])

    def scale(self, first: int, factor: float) -> None:
        """Multiply every price of the rows from `first` on, to the cent; a spread stays at least one cent."""
        for column in (self.open, self.high, self.low, self.close, self.bid, self.ask):
            column[first:] = (
                np.maximum(np.rint(column[first:] * factor / CENT).astype(np.int64), 1) * CENT * (column[first:] > 0)
            )
        crossed = (self.ask[first:] > 0) & (self.ask[first:] <= self.bid[first:])
        self.ask[first:][crossed] = self.bid[first:][crossed] + CENT
        self.quoted[first:] = self.quoted[first:] | (np.arange(SECONDS - first) == 0)
        self.last = filled_forward(self.close, self.volume > 0, self.previous_last)

    def halt(self, first: int, end: int) -> None:
        """Let quotes and trades of rows [first, end) stand still."""
        for column in (self.open, self.high, self.low, self.close, self.volume, self.count):
            column[first:end] = 0
        for column in (self.bid, self.ask, self.bid_size, self.ask_size):
            column[first:end] = column[first - 1] if first else 0
            if end < SECONDS and not self.quoted[end]:
                # The next quotes come as they would have; until then the standing one holds.
                later = np.flatnonzero(self.quoted[end:])
                column[end : end + int(later[0]) if len(later) else SECONDS] = column[end - 1]
        self.quoted[first:end] = False
        self.halted[first:end] = True
        self.last = filled_forward(self.close, self.volume > 0, self.previous_last)


def row_of(second: int) -> int:
    """The row of a second after midnight, clipped to the tape."""
    return min(max(second - FIRST_SECOND, 0), SECONDS)


def filled_forward(values: Ints, known: Flags, before: int) -> Ints:
    """Each row's value, or the latest known one above it, or `before`."""
    source = np.where(known, np.arange(1, len(values) + 1), 0)
    np.maximum.accumulate(source, out=source)
    return np.concatenate((np.array([before], dtype=np.int64), values))[source]
