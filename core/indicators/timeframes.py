"""Bars of other sizes, and indicators on several sizes at once."""

from __future__ import annotations

from dataclasses import dataclass, field

from core.errors import InvalidValueError
from core.indicators.atr import Atr
from core.indicators.averages import Ema, Sma
from core.indicators.correlation import Returns
from core.indicators.oscillators import Macd, Rsi
from core.market import Bar

AnyIndicator = Atr | Sma | Ema | Rsi | Macd | Returns
"""What a timeframe can hold; a closed set, so that the state can be written and read back."""


@dataclass(slots=True)
class Resampler:
    """Closed bars of `seconds` out of closed smaller ones, aligned to whole multiples of `seconds` since the epoch.

    A bar closes with the last of its parts or, where that one is missing, with the first part of a later bar. It is
    marked incomplete where a part is missing or incomplete, and flat where all are.
    """

    seconds: int
    parts: list[Bar] = field(default_factory=list, init=False)  # of the bar being built
    newest_end_ms: int | None = field(default=None, init=False)

    def update(self, bar: Bar) -> tuple[Bar, ...]:
        """Take in one smaller bar, oldest first; the bars that it closes. One that was already taken is passed over.

        Raises InvalidValueError for a bar that is not aligned to its own size, or whose size does not divide `seconds`.
        """
        if self.seconds % bar.seconds or bar.start_ms % (bar.seconds * 1000):
            raise InvalidValueError(
                "bar", (bar.seconds, bar.start_ms), f"a size that divides {self.seconds} s, aligned to that size"
            )
        if self.newest_end_ms is not None and bar.start_ms < self.newest_end_ms:
            return ()
        self.newest_end_ms = bar.end_ms
        size_ms = self.seconds * 1000
        closed = []
        if self.parts and bar.start_ms // size_ms > self.parts[0].start_ms // size_ms:
            closed.append(self._close())
        self.parts.append(bar)
        if bar.end_ms % size_ms == 0:
            closed.append(self._close())
        return tuple(closed)

    def _close(self) -> Bar:
        parts, self.parts = self.parts, []
        return Bar(
            ticker=parts[0].ticker,
            start_ms=parts[0].start_ms // (self.seconds * 1000) * self.seconds * 1000,
            open=parts[0].open,
            high=max(part.high for part in parts),
            low=min(part.low for part in parts),
            close=parts[-1].close,
            volume=sum(part.volume for part in parts),
            seconds=self.seconds,
            flat=all(part.flat for part in parts),
            complete=sum(part.seconds for part in parts if part.complete) == self.seconds,
        )


@dataclass(slots=True)
class Timeframe:
    """One bar size of a ticker with the indicators that follow it, by name."""

    seconds: int
    indicators: dict[str, AnyIndicator]
    resampler: Resampler = field(init=False)

    def __post_init__(self) -> None:
        self.resampler = Resampler(self.seconds)

    def update(self, bar: Bar) -> None:
        """Take in one bar of this size or a smaller one."""
        for closed in self.resampler.update(bar):
            for indicator in self.indicators.values():
                indicator.update(closed)


@dataclass(slots=True)
class MultiTimeframe:
    """Indicators of one ticker on several bar sizes, fed by one stream of small bars."""

    frames: list[Timeframe]

    def update(self, bar: Bar) -> None:
        """Take in one closed bar, oldest first."""
        for frame in self.frames:
            frame.update(bar)

    @property
    def ready(self) -> bool:
        """Whether every indicator has a value."""
        return all(indicator.ready for frame in self.frames for indicator in frame.indicators.values())

    @property
    def warm_up_seconds(self) -> int:
        """How much history makes every indicator ready: one bar more than the longest, because the first may be cut."""
        return max(
            frame.seconds * (indicator.warm_up_bars + 1)
            for frame in self.frames
            for indicator in frame.indicators.values()
        )

    def indicator(self, seconds: int, name: str) -> AnyIndicator:
        """The indicator of that name on that bar size. Raises InvalidValueError when there is none."""
        for frame in self.frames:
            if frame.seconds == seconds and name in frame.indicators:
                return frame.indicators[name]
        known = [f"{frame.seconds} s {key}" for frame in self.frames for key in frame.indicators]
        raise InvalidValueError("indicator", f"{seconds} s {name}", f"one of {', '.join(known)}")
