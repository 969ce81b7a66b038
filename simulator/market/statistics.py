"""What a market is like, in numbers: the tables of `docs/simulator-market.md`, synthetic beside recorded.

Run `python -m simulator.market.statistics [LEAN_FOLDER]`: it writes the tables to standard output.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, fields
from datetime import date
from pathlib import Path

import numpy as np

from simulator.market.instruments import increment_at
from simulator.market.lean import LeanMarket
from simulator.market.paths import Floats
from simulator.market.source import Market
from simulator.market.synthetic import SyntheticMarket
from simulator.market.tape import DayTape, row_of

SYNTHETIC_DAY = date(2025, 3, 12)
SYNTHETIC_SEEDS = range(1, 11)
RECORDED_DAYS = (date(2013, 10, 7), date(2013, 10, 8))
PAIRS = (("SOXL", "SOXS"), ("TQQQ", "SQQQ"), ("GLD", "SLV"), ("TQQQ", "SOXL"), ("TQQQ", "UVXY"), ("TQQQ", "CVNA"))

_STEP = 10
_JUMP_SIGMAS = 8.0


@dataclass(frozen=True, slots=True)
class DayStatistics:
    """Regular hours of one ticker and day. Returns are those of the middle of the touch over 10 seconds."""

    volatility_bp: float  # standard deviation of a 10-second return
    day_percent: float  # the same, scaled to a day
    first_half_hour: float  # volatility against the day's
    noon: float
    last_half_hour: float
    autocorrelation: float  # of successive returns
    clustering: float  # correlation of absolute returns a minute apart
    ratio_1min: float  # variance of a 1-minute return against six 10-second ones
    ratio_10min: float
    kurtosis: float
    jumps: float  # returns beyond 8 standard deviations
    spread_ticks: float
    spread_bp: float
    touch_shares: float  # median of the bid size
    shares_million: float  # volume
    seconds_traded: float  # share of seconds with a trade
    seconds_quoted: float
    flat_bars: float  # share of 10-second bars without a trade


def day_statistics(tape: DayTape, tick: int) -> DayStatistics:
    """Measure one tape."""
    hours = tape.session
    regular = slice(row_of(hours.regular_open), row_of(hours.regular_close))
    bid, ask = tape.bid[regular], tape.ask[regular]
    middle = np.log((bid + ask) / 2)
    tens = np.diff(middle[::_STEP])
    sigma = float(tens.std())
    spread = float(np.mean(ask - bid))
    traded = tape.volume[regular] > 0
    half_hour = 1800 // _STEP
    noon = len(tens) // 2
    return DayStatistics(
        volatility_bp=sigma * 1e4,
        day_percent=sigma * np.sqrt(len(tens)) * 100,
        first_half_hour=float(tens[:half_hour].std()) / sigma,
        noon=float(tens[noon - half_hour : noon + half_hour].std()) / sigma,
        last_half_hour=float(tens[-half_hour:].std()) / sigma,
        autocorrelation=_correlation(tens[1:], tens[:-1]),
        clustering=_correlation(np.abs(tens[6:]), np.abs(tens[:-6])),
        ratio_1min=_variance_ratio(middle, tens, 60),
        ratio_10min=_variance_ratio(middle, tens, 600),
        kurtosis=float(np.mean((tens - tens.mean()) ** 4)) / sigma**4,
        jumps=float(np.sum(np.abs(tens) > _JUMP_SIGMAS * sigma)),
        spread_ticks=spread / tick,
        spread_bp=spread / float(np.mean(bid)) * 1e4,
        touch_shares=float(np.median(tape.bid_size[regular])),
        shares_million=float(tape.volume[regular].sum()) / 1e6,
        seconds_traded=float(traded.mean()),
        seconds_quoted=float(tape.quoted[regular].mean()),
        flat_bars=float(np.mean(~traded[: len(traded) // _STEP * _STEP].reshape(-1, _STEP).any(axis=1))),
    )


def _correlation(left: Floats, right: Floats) -> float:
    return float(np.corrcoef(left, right)[0, 1])


def _variance_ratio(middle: Floats, tens: Floats, seconds: int) -> float:
    """All overlapping returns, so that one day says as much as it can."""
    long = middle[seconds:] - middle[:-seconds]
    return float(long.var() / (tens.var() * seconds / _STEP))


def measured(market: Market, days: Iterable[date]) -> dict[str, list[DayStatistics]]:
    """By ticker."""
    found: dict[str, list[DayStatistics]] = {item.symbol: [] for item in market.instruments}
    for day in days:
        for item in market.instruments:
            tape = market.tape(item, day)
            if tape is not None:
                tick = increment_at(item.market_rule_id, tape.final_last())
                found[item.symbol].append(day_statistics(tape, tick))
    return found


def pair_correlations(market: Market, day: date) -> dict[tuple[str, str], float]:
    """Of 1-minute returns in regular hours."""
    minutes = {}
    for item in market.instruments:
        tape = market.tape(item, day)
        if tape is not None:
            regular = slice(row_of(tape.session.regular_open), row_of(tape.session.regular_close))
            minutes[item.symbol] = np.diff(np.log((tape.bid + tape.ask)[regular][::60].astype(np.float64)))
    return {(left, right): _correlation(minutes[left], minutes[right]) for left, right in PAIRS if left in minutes}


def table(rows: dict[str, Sequence[DayStatistics]]) -> str:
    """Markdown: a line per figure, a column per ticker, each the median of its days."""
    names = list(rows)
    lines = ["| figure | " + " | ".join(names) + " |", "|---|" + "---:|" * len(names)]
    columns = [np.median([astuple(day) for day in rows[name]], axis=0) for name in names]
    for index, item in enumerate(fields(DayStatistics)):
        cells = " | ".join(_short(column[index]) for column in columns)
        lines.append(f"| {item.name} | {cells} |")
    return "\n".join(lines)


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def main(arguments: Sequence[str]) -> None:
    """Write the tables."""
    synthetic: dict[str, list[DayStatistics]] = {}
    correlations: dict[tuple[str, str], list[float]] = {pair: [] for pair in PAIRS}
    for seed in SYNTHETIC_SEEDS:
        market = SyntheticMarket(SYNTHETIC_DAY, seed)
        for symbol, days in measured(market, [SYNTHETIC_DAY]).items():
            synthetic.setdefault(symbol, []).extend(days)
        for pair, value in pair_correlations(market, SYNTHETIC_DAY).items():
            correlations[pair].append(value)
    write = sys.stdout.write
    write(f"Synthetic, {SYNTHETIC_DAY}, median of {len(SYNTHETIC_SEEDS)} seeds\n\n{table(dict(synthetic))}\n\n")
    write("| pair | correlation of 1-minute returns |\n|---|---:|\n")
    for (left, right), values in correlations.items():
        write(f"| {left} / {right} | {np.median(values):+.2f} |\n")
    if arguments:
        recorded = measured(LeanMarket(Path(arguments[0]), RECORDED_DAYS[-1]), RECORDED_DAYS)
        write(f"\nRecorded, median of {len(RECORDED_DAYS)} days\n\n{table(dict(recorded))}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
