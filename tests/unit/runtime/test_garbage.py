"""Cycles are collected when the driver says so, and as soon as it has ended by themselves again."""

from __future__ import annotations

import gc
import weakref
from itertools import repeat

from runtime.garbage import collect_due, collected_between_events


class Cycle:
    """Something that only the collector can free."""

    def __init__(self) -> None:
        self.itself = self


def test_nothing_is_collected_while_events_are_handled_and_what_is_due_after() -> None:
    with collected_between_events():
        gc.collect()
        gone = weakref.ref(Cycle())
        kept = [[number] for number in range(2 * gc.get_threshold()[0])]
        assert gone() is not None, "a collection ran in the middle of the work"
        collect_due()
        assert gone() is None
        del kept


def test_little_garbage_is_left_for_later() -> None:
    with collected_between_events():
        gc.collect()
        gone = weakref.ref(Cycle())
        collect_due()
        assert gone() is not None
    gc.collect()
    assert gone() is None


def test_what_outlived_young_collections_is_freed_by_an_older_one() -> None:
    with collected_between_events():
        gc.collect()
        held = Cycle()
        gc.collect(0)
        gc.collect(1)
        gone = weakref.ref(held)
        del held
        rounds = 0
        for _ in repeat(None, 200):
            rounds += 1
            kept = [[number] for number in range(2 * gc.get_threshold()[0])]
            collect_due()
            del kept
            if gone() is None:
                break
        assert gone() is None, f"{rounds} collections, and it is still there"


def test_the_collector_is_itself_again_afterwards_even_after_a_failure() -> None:
    try:
        with collected_between_events():
            assert not gc.isenabled()
            raise RuntimeError("the day ended badly")
    except RuntimeError:
        assert gc.isenabled()
        assert gc.get_freeze_count() == 0
