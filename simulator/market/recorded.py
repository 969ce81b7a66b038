"""Recorded trades and quotes from one CSV or Parquet file, any number of tickers and days in it.

Columns (others are ignored): `time_ms` (UTC epoch ms) or `time` (ISO 8601 with an offset), `symbol`, and for a quote
`bid`, `ask`, `bid_size`, `ask_size`, for a trade `price`, `size`; a row may be both, an absent value is empty (null).
Prices are in dollars, rounded to 1/10,000.  Several rows of one second become that second's bar and last quote.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from simulator.clock import eastern, eastern_ms
from simulator.market.calendar import session
from simulator.market.instruments import instrument
from simulator.market.tape import FIRST_SECOND, SECONDS, DayTape, Ints, filled_forward
from simulator.model import UNITS_PER_DOLLAR, Instrument

Row: TypeAlias = Mapping[str, Any]
"""A record: text from CSV, numbers from Parquet."""

_DAY_SPAN_MS = 86_400_000


@dataclass(slots=True)
class _DayRows:
    """What one ticker did on one day: (row of the tape, values...), in the order of the file."""

    quotes: list[tuple[int, int, int, int, int]] = field(default_factory=list)
    trades: list[tuple[int, int, int]] = field(default_factory=list)


class RecordedMarket:
    """The tickers recorded for the opening day. ValueError when the file holds none for it or makes no sense."""

    def __init__(self, kind: str, path: Path, day: date) -> None:
        self._recorded = _by_day(_csv_rows(path) if kind == "csv" else _parquet_rows(path), path)
        symbols = sorted({symbol for symbol, found in self._recorded if found == day})
        if not symbols:
            known = ", ".join(sorted({str(found) for _, found in self._recorded})) or "none"
            raise ValueError(f"market {kind}:{path}: nothing recorded for {day}; allowed are {known}")
        self._tapes: dict[tuple[str, date], DayTape] = {}
        self._instruments = tuple(instrument(symbol, self._level(symbol, day)) for symbol in symbols)

    @property
    def instruments(self) -> tuple[Instrument, ...]:
        """By ticker."""
        return self._instruments

    def first_day(self) -> date:
        """The earliest recorded day."""
        return min(self._days())

    def days_before(self, day: date, count: int) -> list[date]:
        """Latest first."""
        return sorted((found for found in self._days() if found < day), reverse=True)[:count]

    def tape(self, instrument: Instrument, day: date) -> DayTape | None:
        """Built when first asked for, then kept."""
        return self._tape(instrument.symbol, day)

    def _days(self) -> set[date]:
        symbols = {item.symbol for item in self._instruments}
        return {day for symbol, day in self._recorded if symbol in symbols}

    def _level(self, symbol: str, day: date) -> int:
        tape = self._tape(symbol, day)
        return tape.final_last() if tape is not None else 0

    def _tape(self, symbol: str, day: date) -> DayTape | None:
        key = (symbol, day)
        if key not in self._recorded:
            return None
        if key not in self._tapes:
            earlier = max((found for known, found in self._recorded if known == symbol and found < day), default=None)
            before = self._tape(symbol, earlier) if earlier is not None else None
            self._tapes[key] = _built_tape(day, self._recorded[key], before)
        return self._tapes[key]


def _csv_rows(path: Path) -> Iterable[Row]:
    with path.open(newline="", encoding="utf-8") as file:
        yield from csv.DictReader(file)


def _parquet_rows(path: Path) -> Iterable[Row]:
    try:
        import pyarrow.parquet as parquet
    except ModuleNotFoundError:
        raise ValueError(f"market parquet:{path}: the package pyarrow is not installed; allowed is csv:FILE") from None
    for batch in parquet.ParquetFile(path).iter_batches():
        yield from batch.to_pylist()


def _by_day(rows: Iterable[Row], path: Path) -> dict[tuple[str, date], _DayRows]:
    """Sort records into tickers and trading days; those outside trading days and extended hours are left out."""
    found: dict[tuple[str, date], _DayRows] = {}
    day, base_ms = date.min, -_DAY_SPAN_MS
    for number, row in enumerate(rows, start=1):
        try:
            moment_ms = _moment_ms(row)
            if not base_ms <= moment_ms < base_ms + _DAY_SPAN_MS // 2:
                day = eastern(moment_ms).date()
                base_ms = eastern_ms(day, FIRST_SECOND)
            at = (moment_ms - base_ms) // 1000
            if not 0 <= at < SECONDS or session(day) is None:
                continue
            rows_of_day = found.setdefault((str(row["symbol"]).upper(), day), _DayRows())
            _take(row, at, rows_of_day)
        except (KeyError, ValueError) as error:
            raise ValueError(f"{path}: record {number}: {error!r}") from error
    return found


def _moment_ms(row: Row) -> int:
    if _is_given(row.get("time_ms")):
        return int(row["time_ms"])
    time = row["time"] if isinstance(row["time"], datetime) else datetime.fromisoformat(str(row["time"]))
    if time.tzinfo is None:
        raise ValueError(f"time {row['time']!r}: allowed is ISO 8601 with an offset")
    return int(time.timestamp() * 1000)


def _take(row: Row, at: int, day: _DayRows) -> None:
    if _is_given(row.get("bid")) and _is_given(row.get("ask")):
        day.quotes.append((at, _price(row["bid"]), _price(row["ask"]), _size(row, "bid_size"), _size(row, "ask_size")))
    if _is_given(row.get("price")):
        size = _size(row, "size")
        if size:
            day.trades.append((at, _price(row["price"]), size))


def _size(row: Row, name: str) -> int:
    size = int(float(row[name])) if _is_given(row.get(name)) else 0
    if size < 0:
        raise ValueError(f"{name} {row[name]!r}: allowed is a number >= 0")
    return size


def _is_given(value: object) -> bool:
    return value is not None and value != "" and not (isinstance(value, float) and math.isnan(value))


def _price(value: Any) -> int:
    price = round(float(value) * UNITS_PER_DOLLAR)
    if price < 0:
        raise ValueError(f"price {value!r}: allowed is a number >= 0")
    return price


def _built_tape(day: date, rows: _DayRows, before: DayTape | None) -> DayTape:
    hours = session(day)
    assert hours is not None
    columns: list[Ints] = [np.zeros(SECONDS, dtype=np.int64) for _ in range(10)]
    bid, ask, bid_size, ask_size, opening, high, low, close, volume, count = columns
    quoted = np.zeros(SECONDS, dtype=np.bool_)
    for at, *values in sorted(rows.quotes, key=lambda row: row[0]):
        quoted[at] = True
        bid[at], ask[at], bid_size[at], ask_size[at] = values
    for at, price, size in sorted(rows.trades, key=lambda row: row[0]):
        if count[at] == 0:
            opening[at] = high[at] = low[at] = price
        high[at], low[at], close[at] = max(high[at], price), min(low[at], price), price
        volume[at] += size
        count[at] += 1
    return DayTape(
        session=hours,
        bid=filled_forward(bid, quoted, 0),
        ask=filled_forward(ask, quoted, 0),
        bid_size=filled_forward(bid_size, quoted, 0),
        ask_size=filled_forward(ask_size, quoted, 0),
        quoted=quoted,
        open=opening,
        high=high,
        low=low,
        close=close,
        volume=volume,
        count=count,
        halted=np.zeros(SECONDS, dtype=np.bool_),
        previous_last=before.final_last() if before is not None else 0,
    )
