"""The numbers of the synthetic market, one row per ticker and factor. `docs/simulator-market.md` judges them."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from simulator.model import CENT, Price


@dataclass(frozen=True, slots=True)
class Profile:
    """A ticker: its level, what moves it, and how it trades.

    `loadings` are multiples of the factors' returns; `daily_volatility` is what the ticker has of its own besides.
    `spread_ticks` is the usual one, `touch_shares` the usual size at the touch, `day_shares` the usual volume of a
    regular day, `trades_per_second` its usual rate in regular hours, `quote_rate` the share of seconds with a fresh
    quote.  `jumps_per_day` are the ticker's own; `halt_chance` is the chance of one five-minute halt a day.
    """

    level: Price
    loadings: tuple[tuple[str, float], ...]
    daily_volatility: float
    spread_ticks: float
    touch_shares: int
    day_shares: int
    trades_per_second: float
    quote_rate: float
    jumps_per_day: float = 1.0
    halt_chance: float = 0.0


FACTORS: MappingProxyType[str, float] = MappingProxyType({"nasdaq": 0.009, "semis": 0.010, "metals": 0.008})
"""Daily volatility of each common factor's own return."""

FACTOR_JUMPS_PER_DAY = 0.6

# Inverse pairs share one loading with opposite signs and have next to nothing of their own.
_SEMIS = (("nasdaq", 1.3), ("semis", 1.0))
_TRIPLE_SEMIS = tuple((name, 3 * weight) for name, weight in _SEMIS)
_INVERSE_SEMIS = tuple((name, -3 * weight) for name, weight in _SEMIS)

PROFILES: MappingProxyType[str, Profile] = MappingProxyType(
    {
        "CVNA": Profile(
            210 * 100 * CENT,
            (("nasdaq", 1.3),),
            0.034,
            9.0,
            300,
            4_500_000,
            1.4,
            0.85,
            jumps_per_day=2.0,
            halt_chance=0.08,
        ),
        "UVXY": Profile(
            24 * 100 * CENT,
            (("nasdaq", -2.6),),
            0.030,
            1.4,
            4_000,
            22_000_000,
            2.2,
            0.80,
            jumps_per_day=2.0,
            halt_chance=0.04,
        ),
        "SOXL": Profile(28 * 100 * CENT, _TRIPLE_SEMIS, 0.0012, 1.1, 9_000, 70_000_000, 4.0, 0.90),
        "SOXS": Profile(21 * 100 * CENT, _INVERSE_SEMIS, 0.0012, 1.1, 12_000, 60_000_000, 3.4, 0.88),
        "TQQQ": Profile(74 * 100 * CENT, (("nasdaq", 3.0),), 0.0010, 1.1, 5_000, 65_000_000, 4.5, 0.92),
        "SQQQ": Profile(34 * 100 * CENT, (("nasdaq", -3.0),), 0.0010, 1.1, 8_000, 55_000_000, 3.6, 0.88),
        "GLD": Profile(245 * 100 * CENT, (("metals", 1.0),), 0.0020, 2.2, 900, 9_000_000, 1.5, 0.75, jumps_per_day=0.5),
        "SLV": Profile(
            29 * 100 * CENT, (("metals", 1.7),), 0.0070, 1.1, 15_000, 20_000_000, 1.6, 0.70, jumps_per_day=0.5
        ),
    }
)
