"""Recorded seconds in the LEAN format: `<root>/equity/usa/second/<ticker>/<YYYYMMDD>_<trade|quote>.zip`.

Prices are in 1/10,000 dollar, times in ms after midnight New York.  Trade rows: ms, open, high, low, close, volume.
Quote rows: ms, bid open, high, low, close, size, ask open, high, low, close, size.  Seconds without activity are
absent: the last values hold.  The root may also be given as the folder that holds the tickers.
"""

from __future__ import annotations

import zipfile
from datetime import date
from pathlib import Path

import numpy as np

from simulator.market.calendar import session
from simulator.market.instruments import instrument
from simulator.market.tape import FIRST_SECOND, SECONDS, DayTape, Ints, filled_forward
from simulator.model import Instrument

_TRADE_COLUMNS = 6
_QUOTE_COLUMNS = 11
_MAX_FILE_BYTES = 200_000_000


class LeanMarket:
    """The tickers recorded for the opening day. ValueError when the folder holds none for it."""

    def __init__(self, root: Path, day: date) -> None:
        nested = root / "equity" / "usa" / "second"
        self._folder = nested if nested.is_dir() else root
        self._days = _recorded_days(self._folder)
        symbols = sorted(symbol for symbol, days in self._days.items() if day in days)
        if not symbols:
            known = sorted({str(found) for days in self._days.values() for found in days})
            raise ValueError(
                f"market lean:{root}: nothing recorded for {day}; allowed are {', '.join(known) or 'none'}"
            )
        self._tapes: dict[tuple[str, date], DayTape] = {}
        self._instruments = tuple(instrument(symbol, self._level(symbol, day)) for symbol in symbols)

    @property
    def instruments(self) -> tuple[Instrument, ...]:
        """By ticker."""
        return self._instruments

    def first_day(self) -> date:
        """The earliest recorded day of any ticker."""
        return min(day for item in self._instruments for day in self._days[item.symbol])

    def days_before(self, day: date, count: int) -> list[date]:
        """Latest first."""
        known = {found for item in self._instruments for found in self._days[item.symbol] if found < day}
        return sorted(known, reverse=True)[:count]

    def tape(self, instrument: Instrument, day: date) -> DayTape | None:
        """Read when first asked for, then kept."""
        return self._tape(instrument.symbol, day)

    def _level(self, symbol: str, day: date) -> int:
        tape = self._tape(symbol, day)
        return tape.final_last() if tape is not None else 0

    def _tape(self, symbol: str, day: date) -> DayTape | None:
        days = self._days[symbol]
        if day not in days:
            return None
        if (symbol, day) not in self._tapes:
            earlier = max((found for found in days if found < day), default=None)
            before = self._tape(symbol, earlier) if earlier is not None else None
            self._tapes[symbol, day] = _read_tape(self._folder / symbol.lower(), day, before)
        return self._tapes[symbol, day]


def _recorded_days(folder: Path) -> dict[str, set[date]]:
    """Ticker to the days for which both files exist and the exchange was open."""
    found: dict[str, set[date]] = {}
    for trades in sorted(folder.glob("*/*_trade.zip")):
        day = date.fromisoformat(trades.name[:8])
        if session(day) is not None and trades.with_name(trades.name.replace("trade", "quote")).is_file():
            found.setdefault(trades.parent.name.upper(), set()).add(day)
    return found


def _read_tape(folder: Path, day: date, before: DayTape | None) -> DayTape:
    hours = session(day)
    assert hours is not None
    trades = _rows(folder / f"{day:%Y%m%d}_trade.zip", _TRADE_COLUMNS)
    quotes = _rows(folder / f"{day:%Y%m%d}_quote.zip", _QUOTE_COLUMNS)
    quoted_rows = quotes[:, 0]
    quoted = np.zeros(SECONDS, dtype=np.bool_)
    quoted[quoted_rows] = True
    bid, bid_size, ask, ask_size = (
        filled_forward(_spread_out(quoted_rows, quotes[:, column]), quoted, 0) for column in (4, 5, 9, 10)
    )
    prices = [_spread_out(trades[:, 0], trades[:, column]) for column in range(1, 6)]
    return DayTape(
        session=hours,
        bid=bid,
        ask=ask,
        bid_size=np.where(bid > 0, bid_size, 0),
        ask_size=np.where(ask > 0, ask_size, 0),
        quoted=quoted,
        open=prices[0],
        high=prices[1],
        low=prices[2],
        close=prices[3],
        volume=prices[4],
        count=(prices[4] > 0).astype(np.int64),  # the number of trades in a second is not recorded: one
        halted=np.zeros(SECONDS, dtype=np.bool_),
        previous_last=before.final_last() if before is not None else 0,
    )


def _spread_out(rows: Ints, values: Ints) -> Ints:
    column = np.zeros(SECONDS, dtype=np.int64)
    column[rows] = values
    return column


def _rows(path: Path, columns: int) -> Ints:
    """The CSV in a zip as integers, its first column turned into tape rows; rows outside the tape's hours dropped.

    An absent field (a side without a quote) reads as 0. ValueError naming the file when it is malformed.
    """
    with zipfile.ZipFile(path) as archive:
        member = archive.infolist()[0]
        if member.file_size > _MAX_FILE_BYTES:
            raise ValueError(f"{path}: {member.file_size} bytes unpacked; allowed are {_MAX_FILE_BYTES}")
        lines = archive.read(member).split()
    fields = [(field or b"0").split(b".")[0] for line in lines for field in line.split(b",")]
    if len(fields) != len(lines) * columns:
        raise ValueError(f"{path}: rows must have {columns} fields")
    table: Ints = np.array(fields, dtype=np.int64).reshape(-1, columns)
    table[:, 0] = table[:, 0] // 1000 - FIRST_SECOND
    return table[(table[:, 0] >= 0) & (table[:, 0] < SECONDS)]
