"""Cycles are collected between events, never between a message and its order."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collected_between_events() -> Iterator[None]:
    """Take the collector out of the way; whoever drives the events calls `collect_due` when none waits.

    What the start left is frozen, so that no collection walks it (0.1 s).
    """
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()


def collect_due() -> None:
    """Do what the collector would have done by itself since the last time: by its own thresholds, at our moment."""
    counts, thresholds = gc.get_count(), gc.get_threshold()
    if counts[0] > thresholds[0]:
        gc.collect(max(number for number in range(3) if counts[number] > thresholds[number]))
