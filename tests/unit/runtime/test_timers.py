"""Named timers fire once, in order, and the last request of a name counts."""

from runtime.timers import Timers


def test_a_timer_fires_once_when_it_is_due() -> None:
    timers = Timers()
    timers.set("protect/SOXL", 2_000)
    assert timers.take_due(1_999) == []
    assert timers.take_due(2_000) == ["protect/SOXL"]
    assert timers.take_due(9_000) == []


def test_asking_again_replaces_the_time() -> None:
    timers = Timers()
    timers.set("closure", 1_000)
    timers.set("closure", 5_000)
    assert timers.take_due(4_999) == []
    assert timers.next_due_ms() == 5_000


def test_due_timers_come_by_time_and_then_by_name() -> None:
    timers = Timers()
    for name, at_ms in (("b", 20), ("a", 20), ("c", 10), ("later", 30)):
        timers.set(name, at_ms)
    assert timers.take_due(20) == ["c", "a", "b"]


def test_a_forgotten_timer_does_not_fire() -> None:
    timers = Timers()
    timers.set("x", 10)
    timers.forget("x")
    timers.forget("never asked for")
    assert timers.next_due_ms() is None
