"""Bars for tests: recorded ones, seeded random walks, and what hypothesis draws."""

from __future__ import annotations

import csv
import io
import random
import zipfile
from collections.abc import Iterable
from pathlib import Path

from hypothesis import strategies as st

from core.market import Bar

STEP_MS = 10_000
MIDNIGHT_MS = {"20131007": 1381118400000, "20131008": 1381204800000}  # Eastern, UTC epoch ms
OPEN_MS, CLOSE_MS = 34_200_000, 57_600_000  # 9:30 and 16:00 Eastern, ms since midnight


def recorded_bars(folder: Path, ticker: str, date: str) -> list[Bar]:
    """The regular hours of a recorded day as 10-second bars; intervals without a trade are flat bars."""
    rows: dict[int, list[list[int]]] = {}
    with zipfile.ZipFile(folder / "lean/equity/usa/second" / ticker.lower() / f"{date}_trade.zip") as packed:
        for row in csv.reader(io.TextIOWrapper(packed.open(packed.namelist()[0]))):
            at, *figures = (int(float(figure)) for figure in row)
            rows.setdefault(at // STEP_MS * STEP_MS, []).append(figures)
    bars: list[Bar] = []
    for at in range(OPEN_MS, CLOSE_MS, STEP_MS):
        seconds = rows.get(at)
        if seconds:
            opened, highs, lows, closed = (
                seconds[0][0],
                max(s[1] for s in seconds),
                min(s[2] for s in seconds),
                seconds[-1][3],
            )
            prices = [price / 10_000 for price in (opened, highs, lows, closed)]
            bars.append(Bar(ticker, MIDNIGHT_MS[date] + at, *prices, sum(s[4] for s in seconds)))
        elif bars:
            close = bars[-1].close
            bars.append(Bar(ticker, MIDNIGHT_MS[date] + at, close, close, close, close, 0, flat=True))
    return bars


def random_bars(seed: int, count: int, ticker: str = "SOXL", start_ms: int = MIDNIGHT_MS["20131007"]) -> list[Bar]:
    """A random walk without gaps. The seed is in the test's id, so a failure can be run again."""
    chance = random.Random(seed)
    moves = [(chance.gauss(0, 0.05), chance.random() * 0.1, chance.random() * 0.1) for _ in range(count)]
    return list(_walk(ticker, start_ms, 75.0, moves, [0] * count))


def _walk(
    ticker: str, start_ms: int, price: float, moves: Iterable[tuple[float, float, float]], gaps: Iterable[int]
) -> Iterable[Bar]:
    for (move, above, below), gap in zip(moves, gaps, strict=True):
        start_ms += gap * STEP_MS
        close = max(price + move, 1.0)
        high, low = max(price, close) + above, max(min(price, close) - below, 0.5)
        yield Bar(ticker, start_ms, price, high, low, close, 100)
        start_ms, price = start_ms + STEP_MS, close


@st.composite
def walks(draw: st.DrawFn, min_size: int = 0, max_size: int = 120, gap_max: int = 12) -> list[Bar]:
    """A walk of bars, some after a gap of up to `gap_max` missing ones."""
    amount = st.floats(0, 1, allow_subnormal=False)
    moves = draw(
        st.lists(
            st.tuples(st.floats(-1, 1, allow_subnormal=False), amount, amount), min_size=min_size, max_size=max_size
        )
    )
    gaps = draw(st.lists(st.integers(0, gap_max), min_size=len(moves), max_size=len(moves)))
    return list(_walk("SOXL", MIDNIGHT_MS["20131007"], 75.0, moves, gaps))
