"""The two moving means that every indicator is made of, over plain numbers."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import accumulate


@dataclass(slots=True)
class RollingMean:
    """Mean of the last `length` numbers, None until there are as many.

    Sums only ever grow: those of the block being filled, and for each place of the block before it the sum from there
    to its end. Nothing is subtracted, so no rounding error piles up and the mean of ranges is never below zero.
    """

    length: int
    block: list[float] = field(default_factory=list)
    block_sum: float = 0.0
    older_sums: list[float] = field(default_factory=list)  # empty until the first block is full

    def push(self, x: float) -> float | None:
        """Take one number; O(1) but for one pass over each full block."""
        block = self.block
        block.append(x)
        self.block_sum += x
        full = len(block) == self.length
        if self.older_sums:
            mean = (self.older_sums[len(block)] + self.block_sum) / self.length
        elif full:
            mean = self.block_sum / self.length
        else:
            return None
        if full:
            self.older_sums = [*accumulate(reversed(block), initial=0.0)][::-1]
            self.block = []
            self.block_sum = 0.0
        return mean


@dataclass(slots=True)
class ExponentialMean:
    """Moved by each number by `weight` of its distance; begins as the mean of the first `length` (as in TA-Lib)."""

    length: int
    weight: float
    value: float | None = None
    seed_count: int = 0
    seed_sum: float = 0.0

    def push(self, x: float) -> float | None:
        """Take one number; O(1)."""
        if self.value is not None:
            self.value += self.weight * (x - self.value)
        else:
            self.seed_count += 1
            self.seed_sum += x
            if self.seed_count == self.length:
                self.value = self.seed_sum / self.length
        return self.value


def ema_mean(length: int) -> ExponentialMean:
    """The mean of an EMA: weight 2 / (length + 1)."""
    return ExponentialMean(length, 2 / (length + 1))


def wilder_mean(length: int) -> ExponentialMean:
    """Wilder's mean: weight 1 / length."""
    return ExponentialMean(length, 1 / length)
