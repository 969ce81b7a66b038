"""A day's tapes unrolled into what happens second by second, a stretch at a time, so that running a day is cheap."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from simulator.market.bars import day_bars
from simulator.market.tape import FIRST_SECOND, SECONDS, DayTape
from simulator.model import ASK, ASK_SIZE, BID, BID_SIZE, Bar, Instrument, Quote, Trade

_STRETCH = 120
"""Rows unrolled at once; a multiple of the live bars' five seconds."""


class Second(NamedTuple):
    """What one second brought, instruments in their fixed order. A fresh quote that equals the last has `changed` 0."""

    quotes: list[tuple[Instrument, Quote, int]]
    trades: list[tuple[Instrument, Trade]]
    halts: list[tuple[Instrument, bool]]
    bars: list[tuple[Instrument, Bar]]


class Feed:
    """The seconds of one day. Reads the tapes anew after `forget` (a tape has been changed)."""

    def __init__(self, tapes: Mapping[Instrument, DayTape]) -> None:
        self.tapes = tapes
        self._start = -1
        self._seconds: list[Second] = []

    def second(self, row: int) -> Second:
        """What row `row` of the tapes brought."""
        index = row - self._start
        if self._start < 0 or not 0 <= index < len(self._seconds):
            self._unroll(row - row % _STRETCH)
            index = row - self._start
        return self._seconds[index]

    def forget(self) -> None:
        """Unroll again at the next call."""
        self._start = -1

    def _unroll(self, start: int) -> None:
        end = min(start + _STRETCH, SECONDS)
        self._start = start
        self._seconds = [Second([], [], [], []) for _ in range(end - start)]
        for instrument, tape in self.tapes.items():
            self._unroll_quotes(instrument, tape, start, end)
            self._unroll_trades(instrument, tape, start, end)
            for bar in day_bars(tape, "TRADES", 5, start + FIRST_SECOND, end + FIRST_SECOND):
                row = (bar.end_ms - tape.row_ms(0)) // 1000 - 1
                self._seconds[row - start].bars.append((instrument, bar))

    def _unroll_quotes(self, instrument: Instrument, tape: DayTape, start: int, end: int) -> None:
        columns = (tape.bid, tape.ask, tape.bid_size, tape.ask_size)
        changed = np.zeros(end - start, dtype=np.int64)
        for column, bit in zip(columns, (BID, ASK, BID_SIZE, ASK_SIZE), strict=True):
            before = np.concatenate(
                (column[start - 1 : start] if start else np.zeros(1, np.int64), column[start : end - 1])
            )
            changed += bit * (column[start:end] != before)
        rows = np.flatnonzero(tape.quoted[start:end])
        quotes = map(Quote._make, zip(*(column[start:end][rows].tolist() for column in columns), strict=True))
        for row, quote, bits in zip(rows.tolist(), quotes, changed[rows].tolist(), strict=True):
            self._seconds[row].quotes.append((instrument, quote, bits))

    def _unroll_trades(self, instrument: Instrument, tape: DayTape, start: int, end: int) -> None:
        rows = np.flatnonzero(tape.volume[start:end])
        times = (tape.row_ms(0) + (rows + start) * 1000).tolist()
        columns = (tape.close, tape.volume, tape.open, tape.high, tape.low, tape.count)
        trades = map(Trade._make, zip(times, *(column[start:end][rows].tolist() for column in columns), strict=True))
        for row, trade in zip(rows.tolist(), trades, strict=True):
            self._seconds[row].trades.append((instrument, trade))
        halted = tape.halted[max(start - 1, 0) : end].astype(np.int8)
        offset = 0 if start else 1
        for edge in np.flatnonzero(np.diff(halted)).tolist():
            self._seconds[edge + offset].halts.append((instrument, bool(halted[edge + 1])))
