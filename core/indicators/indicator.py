"""What every indicator has in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field

from core.market import Bar


@dataclass(slots=True)
class Indicator(ABC):
    """A figure that follows closed bars of one size, O(1) per bar. Its state is plain data."""

    value: float | None = field(default=None, init=False)  # None during warm-up
    newest_end_ms: int | None = field(default=None, init=False)  # when the newest bar ended, UTC epoch ms

    @property
    def ready(self) -> bool:
        """Whether there is a value."""
        return self.value is not None

    @property
    @abstractmethod
    def warm_up_bars(self) -> int:
        """How many bars it takes until there is a value."""

    def update(self, bar: Bar) -> None:
        """Take in one closed bar, oldest first; a bar that starts before the newest one ended is passed over."""
        newest_end_ms = self.newest_end_ms
        if newest_end_ms is None or bar.start_ms >= newest_end_ms:
            self.value = self._after(bar)
            self.newest_end_ms = bar.end_ms

    @abstractmethod
    def _after(self, bar: Bar) -> float | None:
        """The value after this bar; `newest_end_ms` still tells of the bar before."""
