"""The synthetic market's promises, and recordings in three formats."""

from __future__ import annotations

import csv
import itertools
import zipfile
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from simulator.clock import eastern_ms
from simulator.market.instruments import DEFAULT_TICKERS, increment_at
from simulator.market.profiles import PROFILES
from simulator.market.recorded import RecordedMarket
from simulator.market.source import open_market
from simulator.market.synthetic import SyntheticMarket
from simulator.market.tape import SECONDS, DayTape, row_of
from simulator.venue import Venue, VenueOptions
from tests.simulator.venue.stage import DAY, HALF_DAY, Ear

REGULAR = slice(row_of(34_200), row_of(57_600))


def _tapes(seed: int, day: date = DAY) -> dict[str, DayTape]:
    market = SyntheticMarket(day, seed)
    tapes = {}
    for item in market.instruments:
        tape = market.tape(item, day)
        assert tape is not None
        tapes[item.symbol] = tape
    return tapes


def _minutes(tape: DayTape) -> np.ndarray:
    return np.diff(np.log((tape.bid + tape.ask)[REGULAR][::60]))


def test_the_same_seed_gives_the_same_day_whenever_it_is_asked_for() -> None:
    first = _tapes(4)
    market = SyntheticMarket(DAY, 4)
    item = market.instruments[3]
    later = market.tape(item, HALF_DAY)
    again = market.tape(item, DAY)
    assert later is not None
    assert again is not None
    for name in ("bid", "ask", "bid_size", "close", "volume", "quoted"):
        assert np.array_equal(getattr(first[item.symbol], name), getattr(again, name))
    assert not np.array_equal(first[item.symbol].close, _tapes(5)[item.symbol].close)


def test_days_are_chained() -> None:
    market = SyntheticMarket(DAY, 4)
    for item in market.instruments:
        closes = [market.tape(item, day) for day in market.days_before(HALF_DAY, 3)]
        levels = [tape.regular_close() for tape in closes if tape is not None]
        assert len(levels) == 3
        assert all(0.7 < after / before < 1.4 for before, after in itertools.pairwise(levels))


@pytest.mark.parametrize("seed", range(1, 6))
def test_every_second_is_plausible(seed: int) -> None:
    for symbol, tape in _tapes(seed).items():
        profile = PROFILES[symbol]
        assert len(tape.bid) == SECONDS
        assert (tape.bid < tape.ask).all()
        assert (tape.bid > 0).all()
        assert (tape.bid_size >= 100).all()
        tick = increment_at(26, int(tape.bid[0]))
        assert (tape.bid % tick == 0).all()
        assert (tape.ask % tick == 0).all()
        traded = tape.volume > 0
        assert ((tape.low <= tape.open) & (tape.open <= tape.high))[traded].all()
        assert ((tape.low <= tape.close) & (tape.close <= tape.high))[traded].all()
        assert not traded[tape.halted].any()
        assert 0.6 < tape.volume[REGULAR].sum() / profile.day_shares < 1.6
        spread = (tape.ask - tape.bid)[REGULAR] / tick
        assert 0.8 < np.mean(spread) / profile.spread_ticks < 1.6


@pytest.mark.parametrize("seed", range(1, 6))
def test_pairs_move_as_they_should(seed: int) -> None:
    minutes = {symbol: _minutes(tape) for symbol, tape in _tapes(seed).items()}
    for left, right, low, high in (
        ("SOXL", "SOXS", -1.0, -0.95),
        ("TQQQ", "SQQQ", -1.0, -0.95),
        ("GLD", "SLV", 0.6, 0.99),
        ("TQQQ", "SOXL", 0.5, 0.95),
        ("TQQQ", "UVXY", -0.95, -0.2),
        ("GLD", "TQQQ", -0.3, 0.3),
    ):
        assert low <= np.corrcoef(minutes[left], minutes[right])[0, 1] <= high, (left, right)


def test_the_morning_is_wilder_than_noon() -> None:
    ratios = []
    for seed in range(1, 6):
        for tape in _tapes(seed).values():
            minutes = _minutes(tape)
            ratios.append(minutes[:30].std() / minutes[180:240].std())
    assert 1.2 < np.median(ratios) < 3.0


def test_halts_happen_and_are_told() -> None:
    day, seed = next((DAY, seed) for seed in range(1, 200) if _tapes(seed)["CVNA"].halted.any())
    tape = _tapes(seed)["CVNA"]
    rows = np.flatnonzero(tape.halted)
    assert len(rows) == 300
    assert not tape.quoted[rows].any()
    venue = Venue(SyntheticMarket(day, seed), VenueOptions(tape.row_ms(int(rows[0]) - 5)))
    ear = Ear()
    venue.listeners.append(ear)
    venue.advance(tape.row_ms(int(rows[-1]) + 5))
    halts = [word for word in ear.words if "CVNA" in word]
    assert halts == ["halt CVNA True", "halt CVNA False"]


def test_default_tickers_are_offered_in_order() -> None:
    market = SyntheticMarket(DAY, 1)
    assert tuple(item.symbol for item in market.instruments) == DEFAULT_TICKERS
    assert len({item.con_id for item in market.instruments}) == len(DEFAULT_TICKERS)
    assert len(market.days_before(DAY, 10)) == 10


def test_a_day_off_is_refused() -> None:
    with pytest.raises(ValueError, match="2024-11-28"):
        open_market("synthetic", date(2024, 11, 28), 1)
    with pytest.raises(ValueError, match="lean:DIR"):
        open_market("sinthetic", DAY, 1)


def test_the_lean_recording(recorded_data: Path) -> None:
    day = date(2013, 10, 8)
    market = open_market(f"lean:{recorded_data / 'lean'}", day, 1)
    assert [item.symbol for item in market.instruments] == ["AIG", "BAC", "IBM", "SPY"]
    spy = market.instruments[-1]
    tape = market.tape(spy, day)
    assert tape is not None
    assert market.days_before(day, 10) == [date(2013, 10, 7)]
    assert 140_0000 < tape.regular_close() < 180_0000
    assert tape.volume[REGULAR].sum() > 100_000_000
    with pytest.raises(ValueError, match="2013-10-07"):
        open_market(f"lean:{recorded_data / 'lean'}", date(2013, 10, 9), 1)


def test_a_malformed_lean_file_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "equity" / "usa" / "second" / "aaa"
    folder.mkdir(parents=True)
    for kind, text in (("trade", "34200000,1,2,3\n"), ("quote", "34200000,1,1,1,1,1,2,2,2,2,1\n")):
        with zipfile.ZipFile(folder / f"20241127_{kind}.zip", "w") as archive:
            archive.writestr("rows.csv", text)
    with pytest.raises(ValueError, match=r"20241127_trade\.zip"):
        open_market(f"lean:{tmp_path}", DAY, 1)


def test_a_csv_recording_of_several_tickers(tmp_path: Path) -> None:
    path = tmp_path / "two.csv"
    rows = [
        ["time", "symbol", "bid", "ask", "bid_size", "ask_size", "price", "size"],
        ["2024-11-27T10:00:00.200-05:00", "aaa", "10", "10.02", "5", "", "", ""],
        ["2024-11-27T10:00:00.700-05:00", "aaa", "", "", "", "", "10.015", "30"],
        ["2024-11-27T10:00:00.300-05:00", "bbb", "20", "20.5", "7", "8", "20.1", "1"],
        ["2024-11-27T10:00:00.900-05:00", "aaa", "", "", "", "", "10.01", "20"],
        ["2024-11-28T10:00:00.900-05:00", "aaa", "", "", "", "", "99", "20"],
    ]
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    market = RecordedMarket("csv", path, DAY)
    first, second = market.instruments
    assert (first.symbol, second.symbol) == ("AAA", "BBB")
    tape = market.tape(first, DAY)
    assert tape is not None
    row = row_of(36_000)
    assert [int(column[row]) for column in (tape.open, tape.high, tape.low, tape.close, tape.volume, tape.count)] == [
        100_150,
        100_150,
        100_100,
        100_100,
        50,
        2,
    ]
    assert (int(tape.bid[row]), int(tape.ask_size[row])) == (100_000, 0)
    assert tape.row_ms(row) == eastern_ms(DAY, 36_000)
    assert market.tape(first, HALF_DAY) is None


@pytest.mark.parametrize(
    "line",
    ["2024-11-27T10:00:00,aaa,10,11,1,1,,", "noon,aaa,10,11,1,1,,", "2024-11-27T10:00:00-05:00,aaa,ten,11,1,1,,"],
)
def test_a_malformed_csv_record_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(f"time,symbol,bid,ask,bid_size,ask_size,price,size\n{line}\n")
    with pytest.raises(ValueError, match="record 1"):
        RecordedMarket("csv", path, DAY)


def test_a_parquet_recording(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")
    arrow = pytest.importorskip("pyarrow")
    path = tmp_path / "one.parquet"
    table = arrow.table({"time_ms": [eastern_ms(DAY, 36_000)], "symbol": ["AAA"], "price": [10.01], "size": [100]})
    parquet.write_table(table, path)
    market = open_market(f"parquet:{path}", DAY, 1)
    tape = market.tape(market.instruments[0], DAY)
    assert tape is not None
    assert tape.regular_close() == 100_100


def test_parquet_without_its_package_says_so(tmp_path: Path) -> None:
    try:
        import pyarrow.parquet  # noqa: F401  # only whether it is there
    except ModuleNotFoundError:
        with pytest.raises(ValueError, match="pyarrow"):
            open_market(f"parquet:{tmp_path / 'x.parquet'}", DAY, 1)
    else:
        with pytest.raises(FileNotFoundError):
            open_market(f"parquet:{tmp_path / 'x.parquet'}", DAY, 1)
