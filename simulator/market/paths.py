"""The price paths of a synthetic day: returns per second from common factors, U-shaped volatility, bursts and jumps.

Everything is drawn per (seed, date), and tickers in a fixed order, so a day is the same whenever it is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from simulator.market.calendar import Session
from simulator.market.profiles import FACTOR_JUMPS_PER_DAY, FACTORS, Profile
from simulator.market.tape import SECONDS, row_of

Floats: TypeAlias = NDArray[np.float64]

_REGULAR_SECONDS = 23_400
_EXTENDED_VOLATILITY = 0.25  # of a usual regular second
_BURST_SIGMA = 0.38  # of log volatility
_BURST_HALF_LIFE_SECONDS = 200.0
_BURST_STEP_SECONDS = 20
_PASSING_SHARE = 0.3  # of a second's variance is a move that passes again, ...
_PASSING_SECONDS = 120.0  # ... fading with this time constant: the recorded days' variance ratios are below 1 too
_PASSING_STEP_SECONDS = 5
_GAP_SHARE = 0.6  # an overnight gap's size against a regular day's volatility
_OWN_JUMP_SIGMAS = (15.0, 45.0)  # a jump's size against the volatility of a usual second: news of one ticker ...
_FACTOR_JUMP_SIGMAS = (8.0, 25.0)  # ... moves it further than news of the whole market moves all


@dataclass(frozen=True, slots=True)
class DayPaths:
    """Log price of each ticker, relative to its first row (which holds the overnight gap apart, in `gap`)."""

    log_price: Mapping[str, NDArray[np.float32]]  # exact to a thousandth of a tick, and half the memory
    gap: Mapping[str, float]
    activity: Floats  # how busy each second is, 1.0 = a usual regular second
    halts: Mapping[str, tuple[int, int] | None]  # rows [first, end)


def day_paths(profiles: Mapping[str, Profile], session: Session, seed: int) -> DayPaths:
    """Draw one day. Deterministic in (profiles, date, seed)."""
    random = np.random.default_rng([seed, session.day.toordinal()])
    shape = volatility_shape(session)
    factors = {
        name: _returns(random, volatility, shape, session, FACTOR_JUMPS_PER_DAY, _FACTOR_JUMP_SIGMAS)
        for name, volatility in FACTORS.items()
    }
    factor_gaps = {name: _GAP_SHARE * volatility * random.standard_normal() for name, volatility in FACTORS.items()}
    log_price, gap, halts = {}, {}, {}
    for symbol, profile in profiles.items():
        own = _returns(random, profile.daily_volatility, shape, session, profile.jumps_per_day, _OWN_JUMP_SIGMAS)
        own_gap = _GAP_SHARE * profile.daily_volatility * random.standard_normal()
        total = own + sum((weight * factors[name] for name, weight in profile.loadings), np.zeros(SECONDS))
        log_price[symbol] = np.cumsum(np.log1p(np.clip(total, -0.2, 0.25))).astype(np.float32)
        gap[symbol] = own_gap + sum(weight * factor_gaps[name] for name, weight in profile.loadings)
        halts[symbol] = _halt(random, profile, session)
    return DayPaths(log_price, gap, shape**2, halts)


def volatility_shape(session: Session) -> Floats:
    """Volatility of each second against a usual regular one: a U over regular hours (mean square 1), low outside."""
    opening, closing = row_of(session.regular_open), row_of(session.regular_close)
    second = np.arange(SECONDS, dtype=np.float64)
    shape = 0.75 + 1.2 * np.exp((opening - second) / 1500.0) + 0.5 * np.exp((second - closing) / 900.0)
    regular = slice(opening, closing)
    shape /= np.sqrt(np.mean(shape[regular] ** 2))
    shape[:opening] = _EXTENDED_VOLATILITY
    shape[closing:] = _EXTENDED_VOLATILITY
    return shape


def _returns(
    random: np.random.Generator,
    daily_volatility: float,
    shape: Floats,
    session: Session,
    jumps_per_day: float,
    jump_sigmas: tuple[float, float],
) -> Floats:
    per_second = daily_volatility / np.sqrt(_REGULAR_SECONDS)
    lasting: Floats = random.standard_normal(SECONDS) * np.sqrt(1 - _PASSING_SHARE)
    returns: Floats = (lasting + _passing(random)) * (per_second * shape * _bursts(random))
    opening, closing = row_of(session.regular_open), row_of(session.regular_close)
    for _ in range(random.poisson(jumps_per_day)):
        row = random.integers(opening + 60, closing - 60)
        returns[row] += random.choice((-1.0, 1.0)) * per_second * random.uniform(*jump_sigmas)
    return returns


def _passing(random: np.random.Generator) -> Floats:
    """Changes per second of a level that is always on its way back to 0, in units of a second's volatility."""
    steps = SECONDS // _PASSING_STEP_SECONDS
    fading = np.exp(-_PASSING_STEP_SECONDS / _PASSING_SECONDS * np.arange(6 * _PASSING_SECONDS / _PASSING_STEP_SECONDS))
    size = np.sqrt(_PASSING_SHARE * _PASSING_STEP_SECONDS)
    level = size * np.convolve(random.standard_normal(steps), fading)[:steps]
    knots = np.arange(1, steps + 1) * _PASSING_STEP_SECONDS
    changes: Floats = np.diff(np.interp(np.arange(SECONDS + 1), knots, level, left=0.0))
    return changes


def _bursts(random: np.random.Generator) -> Floats:
    """Volatility clusters: the exponential of a mean-reverting walk, of mean square about 1."""
    steps = SECONDS // _BURST_STEP_SECONDS + 1
    keep = 0.5 ** (_BURST_STEP_SECONDS / _BURST_HALF_LIFE_SECONDS)
    shocks = random.standard_normal(steps) * _BURST_SIGMA * np.sqrt(1 - keep**2)
    level, levels = random.standard_normal() * _BURST_SIGMA, []
    for shock in shocks.tolist():
        level = keep * level + shock
        levels.append(level)
    bursts: Floats = np.repeat(np.exp(np.array(levels) - _BURST_SIGMA**2), _BURST_STEP_SECONDS)[:SECONDS]
    return bursts


def _halt(random: np.random.Generator, profile: Profile, session: Session) -> tuple[int, int] | None:
    start = int(random.integers(row_of(session.regular_open) + 900, row_of(session.regular_close) - 2700))
    return (start, start + 300) if random.random() < profile.halt_chance else None
