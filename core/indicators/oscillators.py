"""Relative strength and the distance of two averages."""

from __future__ import annotations

from dataclasses import dataclass, field

from core.indicators.indicator import Indicator
from core.indicators.means import ExponentialMean, ema_mean, wilder_mean
from core.market import Bar

NO_MOVE = 1e-14
"""Mean moves below this count as none, and the RSI of no move is 0: both as in TA-Lib."""


@dataclass(slots=True)
class Rsi(Indicator):
    """Wilder's relative strength index, 0..100: the share of the gains in all moves of the close."""

    length: int = 14
    gain: ExponentialMean = field(init=False)
    loss: ExponentialMean = field(init=False)
    last_close: float | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.gain = wilder_mean(self.length)
        self.loss = wilder_mean(self.length)

    @property
    def warm_up_bars(self) -> int:
        """A move takes two bars, `length` moves one more than that."""
        return self.length + 1

    def _after(self, bar: Bar) -> float | None:
        before, self.last_close = self.last_close, bar.close
        if before is None:
            return None
        gain = self.gain.push(max(bar.close - before, 0.0))
        loss = self.loss.push(max(before - bar.close, 0.0))
        if gain is None or loss is None:
            return None
        return 0.0 if gain + loss < NO_MOVE else 100 * gain / (gain + loss)


@dataclass(slots=True)
class Macd(Indicator):
    """Fast less slow exponential mean of the closes, dollars; `signal` is the exponential mean of that.

    As in TA-Lib the fast mean begins with the slow one, from closes of its own length just before.
    """

    fast_length: int = 12
    slow_length: int = 26
    signal_length: int = 9
    signal: float | None = field(default=None, init=False)
    fast: ExponentialMean = field(init=False)
    slow: ExponentialMean = field(init=False)
    smooth: ExponentialMean = field(init=False)

    def __post_init__(self) -> None:
        self.fast = ema_mean(self.fast_length)
        self.slow = ema_mean(self.slow_length)
        self.smooth = ema_mean(self.signal_length)

    @property
    def warm_up_bars(self) -> int:
        """The slow mean's closes, then the signal's lines; the first line comes with the last of those closes."""
        return self.slow_length + self.signal_length - 1

    @property
    def histogram(self) -> float | None:
        """Value less signal, dollars; None during warm-up."""
        return None if self.value is None or self.signal is None else self.value - self.signal

    def _after(self, bar: Bar) -> float | None:
        slow = self.slow.push(bar.close)
        if self.slow.seed_count <= self.slow_length - self.fast_length:
            return None
        fast = self.fast.push(bar.close)
        if slow is None or fast is None:
            return None
        self.signal = self.smooth.push(fast - slow)
        return None if self.signal is None else fast - slow
