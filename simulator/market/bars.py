"""Bars of any size cut from a day's tape: live 5-second bars and history both come from here, so they agree exactly.

Bars are aligned to multiples of their size after midnight (New York) and cut off by the hours asked for: the first
regular 1-hour bar runs from 09:30 to 10:00, as at IB.
"""

from __future__ import annotations

import numpy as np

from simulator.market.tape import FIRST_SECOND, DayTape, Ints, row_of
from simulator.model import UNITS_PER_DOLLAR, Bar

SHOWN = ("TRADES", "BID", "ASK", "MIDPOINT")
_HIGHEST = np.iinfo(np.int64).max


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
    edges = starts - FIRST_SECOND - low_row
    span = slice(low_row, end_row)
    start_ms = tape.row_ms(low_row) + edges * 1000
    end_ms = np.append(start_ms[1:], tape.row_ms(end_row))
    columns = _trades(tape, span, edges) if what_to_show == "TRADES" else _quotes(tape, span, edges, what_to_show)
    keep = columns[2] > 0
    return [
        Bar._make(row) for row in zip(*(column[keep].tolist() for column in (start_ms, end_ms, *columns)), strict=True)
    ]


def _starts(first: int, end: int, bar_seconds: int) -> Ints:
    starts = np.arange(first - first % bar_seconds, end, bar_seconds, dtype=np.int64)
    starts[0] = first
    return starts


def _trades(tape: DayTape, span: slice, edges: Ints) -> tuple[Ints, ...]:
    """Open, high, low, close, volume, wap, trade count of the bars that begin at `edges` of the rows in `span`."""
    volume, high, low = tape.volume[span], tape.high[span], tape.low[span]
    traded = volume > 0
    close = tape.last[span][_last_rows(edges, len(volume))]
    volumes = np.add.reduceat(volume, edges)
    empty = volumes == 0
    first_traded = np.minimum.reduceat(np.where(traded, np.arange(len(volume)), len(volume) - 1), edges)
    opens = np.where(empty, close, tape.open[span][first_traded])
    highs = np.where(empty, close, np.maximum.reduceat(high, edges))
    lows = np.where(empty, close, np.minimum.reduceat(np.where(traded, low, _HIGHEST), edges))
    tripled = np.add.reduceat(volume * (high + low + tape.close[span]), edges)
    wap = np.where(empty, close, tripled // np.maximum(3 * volumes, 1))
    return opens, highs, lows, close, volumes, wap, np.add.reduceat(tape.count[span], edges)


def _quotes(tape: DayTape, span: slice, edges: Ints, what_to_show: str) -> tuple[Ints, ...]:
    """The same of the touch at each second's end; volume, wap and count are -1, as at IB."""
    bid, ask = tape.bid[span], tape.ask[span]
    series = bid if what_to_show == "BID" else ask if what_to_show == "ASK" else (bid + ask) // 2
    series = np.where((bid > 0) & (ask > 0), series, 0)
    unknown = np.full(len(edges), -1, dtype=np.int64)
    return (
        series[edges],
        np.maximum.reduceat(series, edges),
        np.minimum.reduceat(series, edges),
        series[_last_rows(edges, len(series))],
        unknown,
        unknown * UNITS_PER_DOLLAR,
        unknown,
    )


def _last_rows(edges: Ints, rows: int) -> Ints:
    return np.append(edges[1:], rows) - 1
