"""The seeded synthetic market: any date, any number of days, the same again for the same seed.

Mid prices follow `paths`; around them stand a spread, sizes and trades drawn per ticker and day.  The level of the
first regular open on the anchor day is the profile's; other days are chained to it, before and after.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from itertools import islice

import numpy as np

from simulator.market.calendar import Session, next_session, session, sessions_before
from simulator.market.instruments import increment_at, instrument
from simulator.market.paths import DayPaths, Floats, day_paths
from simulator.market.profiles import PROFILES, Profile
from simulator.market.tape import SECONDS, DayTape, Flags, Ints, filled_forward, row_of
from simulator.model import Instrument

HISTORY_SESSIONS = 20
"""Trading days before the anchor day that can be asked for."""

_PATHS_KEPT = 12  # days
_OLD_TAPES_KEPT = 16  # ticker-days of 5 MB each
_EXTENDED_ACTIVITY = 0.04  # trades outside regular hours against a usual regular second


class SyntheticMarket:
    """See the module. ValueError when the anchor day is no trading day."""

    def __init__(self, anchor: date, seed: int, profiles: Mapping[str, Profile] = PROFILES) -> None:
        if session(anchor) is None:
            raise ValueError(f"date {anchor}: allowed is a trading day of the New York Stock Exchange")
        self._anchor = anchor
        self._seed = seed
        self._profiles = dict(profiles)
        self._instruments = tuple(instrument(symbol, profile.level) for symbol, profile in profiles.items())
        self._paths = lru_cache(maxsize=_PATHS_KEPT)(self._draw)
        self._old_tape = lru_cache(maxsize=_OLD_TAPES_KEPT)(self._tape)
        self._travel: dict[date, tuple[dict[str, float], dict[str, float]]] = {}
        self._live_tapes: dict[tuple[str, date], DayTape] = {}

    @property
    def instruments(self) -> tuple[Instrument, ...]:
        """In the order of the profiles."""
        return self._instruments

    def first_day(self) -> date:
        """The earliest session that is offered."""
        return next(islice(sessions_before(self._anchor), HISTORY_SESSIONS - 1, None)).day

    def days_before(self, day: date, count: int) -> list[date]:
        """Latest first; none before `first_day`."""
        first = self.first_day()
        return [found.day for found in islice(sessions_before(day), count) if found.day >= first]

    def tape(self, instrument: Instrument, day: date) -> DayTape | None:
        """Drawn when asked for; those from the anchor on are kept, because faults write on them."""
        open_day = session(day)
        if open_day is None or day < self.first_day():
            return None
        if day < self._anchor:
            return self._old_tape(instrument, open_day)
        key = (instrument.symbol, day)
        if key not in self._live_tapes:
            self._live_tapes[key] = self._tape(instrument, open_day)
        return self._live_tapes[key]

    def _draw(self, day: date) -> DayPaths:
        found = session(day)
        assert found is not None
        return day_paths(self._profiles, found, self._seed)

    def _moves(self, day: date) -> tuple[dict[str, float], dict[str, float]]:
        """Per ticker: the gap before a day and the way from its first to its last row, in log price."""
        if day not in self._travel:
            paths = self._paths(day)
            travel = {symbol: float(path[-1]) for symbol, path in paths.log_price.items()}
            self._travel[day] = (dict(paths.gap), travel)
        return self._travel[day]

    def _log_level(self, symbol: str, day: date) -> float:
        """Log price before a day's first row."""
        opening = row_of(34_200)
        level = float(np.log(self._profiles[symbol].level)) - float(
            self._paths(self._anchor).log_price[symbol][opening]
        )
        if day >= self._anchor:
            walk = self._anchor
            while walk < day:
                following = next_session(walk).day
                level += self._moves(walk)[1][symbol] + self._moves(following)[0][symbol]
                walk = following
            return level
        following = self._anchor
        for earlier in sessions_before(self._anchor):
            level -= self._moves(following)[0][symbol] + self._moves(earlier.day)[1][symbol]
            if earlier.day == day:
                return level
            following = earlier.day
        raise AssertionError("sessions have no end")

    def _tape(self, instrument: Instrument, open_day: Session) -> DayTape:
        symbol, profile = instrument.symbol, self._profiles[instrument.symbol]
        level = self._log_level(symbol, open_day.day)
        paths = self._paths(open_day.day)
        random = np.random.default_rng([self._seed, open_day.day.toordinal(), zlib.crc32(symbol.encode())])
        return _drawn_tape(random, profile, instrument, open_day, np.exp(level + paths.log_price[symbol]), paths)


def _drawn_tape(
    random: np.random.Generator,
    profile: Profile,
    instrument: Instrument,
    open_day: Session,
    mid: Floats,
    paths: DayPaths,
) -> DayTape:
    regular = np.zeros(SECONDS, dtype=np.bool_)
    regular[row_of(open_day.regular_open) : row_of(open_day.regular_close)] = True
    alive = np.zeros(SECONDS, dtype=np.bool_)
    alive[: row_of(open_day.extended_close)] = True
    halted = np.zeros(SECONDS, dtype=np.bool_)
    halt = paths.halts[instrument.symbol]
    if halt is not None:
        halted[slice(*halt)] = True
    alive &= ~halted
    activity = np.where(regular, 0.25 + 0.75 * paths.activity, _EXTENDED_ACTIVITY)
    tick = increment_at(instrument.market_rule_id, int(mid[0]))

    quoted = alive & (random.random(SECONDS) < np.where(regular, profile.quote_rate, 0.3 * profile.quote_rate))
    quoted[0] = True
    bid, ask = _touch(random, profile, mid, regular, tick)
    bid, ask = filled_forward(bid, quoted, 0), filled_forward(ask, quoted, 0)
    bid_size = filled_forward(_sizes(random, profile, regular), quoted, 0)
    ask_size = filled_forward(_sizes(random, profile, regular), quoted, 0)
    prices, volume, count = _trades(random, profile, bid, ask, alive, activity)
    return DayTape(open_day, bid, ask, bid_size, ask_size, quoted, *prices, volume, count, halted)


def _touch(random: np.random.Generator, profile: Profile, mid: Floats, regular: Flags, tick: int) -> tuple[Ints, Ints]:
    wide = profile.spread_ticks * np.exp(0.35 * random.standard_normal(SECONDS)) * np.where(regular, 1.0, 4.0)
    spread = np.maximum(1, np.rint(wide)).astype(np.int64) * tick
    bid = np.floor((mid - spread / 2) / tick + 0.5).astype(np.int64) * tick
    bid = np.maximum(bid, tick)
    return bid, bid + spread


def _sizes(random: np.random.Generator, profile: Profile, regular: Flags) -> Ints:
    lots = profile.touch_shares / 100 * np.exp(0.7 * random.standard_normal(SECONDS)) * np.where(regular, 1.0, 0.2)
    return np.maximum(1, np.rint(lots)).astype(np.int64) * 100


def _trades(
    random: np.random.Generator, profile: Profile, bid: Ints, ask: Ints, alive: Flags, activity: Floats
) -> tuple[tuple[Ints, Ints, Ints, Ints], Ints, Ints]:
    """Trades at the touch: the first of a second at the touch before, the last at the touch after it."""
    count = np.where(alive, random.poisson(profile.trades_per_second * activity), 0)
    count[0] = 1  # so that every day knows its own last price from its first second on
    size = profile.day_shares / (profile.trades_per_second * 23_400)
    volume = np.rint(count * size * np.exp(0.9 * random.standard_normal(SECONDS) - 0.4)).astype(np.int64)
    volume = np.where(count > 0, np.maximum(volume, count), 0)
    buys = random.random((2, SECONDS)) < 0.5
    close = np.where(buys[0], ask, bid)
    before = np.where(buys[1], np.roll(ask, 1), np.roll(bid, 1))
    opening = np.where(count > 1, before, close)
    traded = count > 0
    prices = (opening, np.maximum(opening, close), np.minimum(opening, close), close)
    masked = tuple(np.where(traded, price, 0) for price in prices)
    return (masked[0], masked[1], masked[2], masked[3]), volume, count.astype(np.int64)
