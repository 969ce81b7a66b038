"""Moving averages of the close."""

from __future__ import annotations

from dataclasses import dataclass, field

from core.indicators.indicator import Indicator
from core.indicators.means import ExponentialMean, RollingMean, ema_mean
from core.market import Bar


@dataclass(slots=True)
class Sma(Indicator):
    """Simple mean of the last `length` closes, dollars."""

    length: int
    mean: RollingMean = field(init=False)

    def __post_init__(self) -> None:
        self.mean = RollingMean(self.length)

    @property
    def warm_up_bars(self) -> int:
        """One bar per close."""
        return self.length

    def _after(self, bar: Bar) -> float | None:
        return self.mean.push(bar.close)


@dataclass(slots=True)
class Ema(Indicator):
    """Exponential mean of the closes with weight 2 / (length + 1), dollars."""

    length: int
    mean: ExponentialMean = field(init=False)

    def __post_init__(self) -> None:
        self.mean = ema_mean(self.length)

    @property
    def warm_up_bars(self) -> int:
        """The first `length` closes make the value that it begins with."""
        return self.length

    def _after(self, bar: Bar) -> float | None:
        return self.mean.push(bar.close)
