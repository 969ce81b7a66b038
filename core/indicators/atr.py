"""Average true range: how far a ticker moves in one bar (SEMANTICS 3)."""

from __future__ import annotations

from dataclasses import dataclass, field

from core.indicators.indicator import Indicator
from core.indicators.means import ExponentialMean, RollingMean, wilder_mean
from core.market import Bar
from core.params import AtrKind


@dataclass(slots=True)
class Atr(Indicator):
    """Mean of the last `length` true ranges, dollars: simple, or Wilder's.

    A true range is max(H - L, |H - C'|, |L - C'|), C' being the close before. Where there is none within
    `gap_seconds` (overnight, a halt, the very first bar) it is H - L, so that no jump across the gap widens the stop.
    """

    length: int = 14
    kind: AtrKind = AtrKind.SMA
    gap_seconds: int = 60
    mean: RollingMean | ExponentialMean = field(init=False)
    last_close: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        self.mean = RollingMean(self.length) if self.kind is AtrKind.SMA else wilder_mean(self.length)

    @property
    def warm_up_bars(self) -> int:
        """Every bar has a true range, the first one too."""
        return self.length

    def _after(self, bar: Bar) -> float | None:
        true_range = bar.high - bar.low
        before_ms = self.newest_end_ms
        if before_ms is not None and bar.start_ms - before_ms <= self.gap_seconds * 1000:
            close = self.last_close
            true_range = max(true_range, abs(bar.high - close), abs(bar.low - close))
        self.last_close = bar.close
        return self.mean.push(true_range)
