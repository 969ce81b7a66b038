"""How alike two tickers move: the correlation of their returns."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import StatisticsError, correlation

from core.indicators.indicator import Indicator
from core.market import Bar


@dataclass(slots=True)
class Returns(Indicator):
    """The returns of the last `length` bars; `value` is the newest. A return spans two bars without a gap between."""

    length: int = 60
    last_close: float | None = field(default=None, init=False)
    by_start_ms: dict[int, float] = field(default_factory=dict, init=False)

    @property
    def warm_up_bars(self) -> int:
        """For the first return; for all of them it takes `length` + 1."""
        return 2

    @property
    def complete(self) -> bool:
        """Whether all `length` returns are there."""
        return len(self.by_start_ms) == self.length

    def _after(self, bar: Bar) -> float | None:
        before, self.last_close = self.last_close, bar.close
        if before is None or bar.start_ms != self.newest_end_ms:
            return self.value
        self.by_start_ms[bar.start_ms] = change = bar.close / before - 1
        if len(self.by_start_ms) > self.length:
            del self.by_start_ms[next(iter(self.by_start_ms))]
        return change


def correlation_of(first: Returns, second: Returns) -> float | None:
    """Pearson's correlation of the returns of the same bars, -1..1.

    None where it is not known: fewer than `length` bars in common, or one of the two did not move at all.
    """
    common = first.by_start_ms.keys() & second.by_start_ms.keys()
    if len(common) < min(first.length, second.length):
        return None
    starts = sorted(common)
    try:
        return correlation([first.by_start_ms[at] for at in starts], [second.by_start_ms[at] for at in starts])
    except StatisticsError:  # a constant series has no correlation
        return None
