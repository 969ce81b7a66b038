"""Bars of any size cut from a day's tape: live 5-second bars and history both come from here, so they agree exactly.

Bars are aligned to multiples of their size after midnight (New York) and cut off by the hours asked for: the first
regular 1-hour bar runs from 09:30 to 10:00, as at IB.
"""

from __future__ import annotations

import numpy as np

from simulator.market.tape import FIRST_SECOND, SECONDS, DayTape, Ints, row_of
from simulator.model import Bar

SHOWN = ("TRADES", "BID", "ASK", "MIDPOINT")
_NONE_YET = np.iinfo(np.int64).max


def day_bars(tape: DayTape, what_to_show: str, bar_seconds: int, first: int, end: int) -> list[Bar]:
    """The bars of seconds [first, end) after midnight of the tape's day, oldest first.

    Rows before the first price that was ever known give no bar. ValueError when `what_to_show` is not in SHOWN.
    """
    if what_to_show not in SHOWN:
        raise ValueError(f"what_to_show={what_to_show!r}: allowed are {', '.join(SHOWN)}")
    low_row, end_row = row_of(first), row_of(end)
    if low_row >= end_row:
        return []
    starts = _starts(low_row + FIRST_SECOND, end_row + FIRST_SECOND, bar_seconds)
    rows = starts - FIRST_SECOND
    ends = np.append(rows[1:], end_row)
    base_ms = tape.row_ms(0)
    times = (base_ms + rows * 1000, base_ms + ends * 1000)
    if what_to_show == "TRADES":
        columns = _trades(tape, rows, ends, end_row)
    else:
        columns = _quotes(tape, what_to_show, rows, end_row)
    keep = columns[2] > 0
    return [Bar._make(row) for row in zip(*(column[keep].tolist() for column in (*times, *columns)), strict=True)]


def _starts(first: int, end: int, bar_seconds: int) -> Ints:
    starts = np.arange(first - first % bar_seconds, end, bar_seconds, dtype=np.int64)
    starts[0] = first
    return starts


def _trades(tape: DayTape, rows: Ints, ends: Ints, end_row: int) -> tuple[Ints, ...]:
    volume = tape.volume[:end_row]
    traded = volume > 0
    close = tape.last[ends - 1]
    volumes = np.add.reduceat(volume, rows)
    empty = volumes == 0
    first_traded = np.minimum.reduceat(np.where(traded, np.arange(end_row), SECONDS - 1), rows)
    opens = np.where(empty, close, tape.open[first_traded])
    highs = np.where(empty, close, np.maximum.reduceat(tape.high[:end_row], rows))
    lows = np.where(empty, close, np.minimum.reduceat(np.where(traded, tape.low[:end_row], _NONE_YET), rows))
    values = np.add.reduceat(volume * (tape.high[:end_row] + tape.low[:end_row] + tape.close[:end_row]), rows)
    wap = np.where(empty, close, values // np.maximum(3 * volumes, 1))
    return opens, highs, lows, close, volumes, wap, np.add.reduceat(tape.count[:end_row], rows)


def _quotes(tape: DayTape, what_to_show: str, rows: Ints, end_row: int) -> tuple[Ints, ...]:
    bid, ask = tape.bid[:end_row], tape.ask[:end_row]
    series = bid if what_to_show == "BID" else ask if what_to_show == "ASK" else (bid + ask) // 2
    series = np.where((bid > 0) & (ask > 0), series, 0)
    ends = np.append(rows[1:], end_row)
    unknown = np.full(len(rows), -1, dtype=np.int64)
    return (
        series[rows],
        np.maximum.reduceat(series, rows),
        np.minimum.reduceat(series, rows),
        series[ends - 1],
        unknown,
        unknown * 10_000,
        unknown,
    )
