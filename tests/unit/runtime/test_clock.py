"""Clocks never go backwards, and a deterministic one moves only when the broker says so."""

import pytest

from runtime.clock import BrokerClock, SystemClock


def test_the_deterministic_clock_stands_still_between_the_brokers_answers() -> None:
    clock = BrokerClock(speed=0)
    clock.hear(1_000)
    assert [clock.now_ms(), clock.now_ms()] == [1_000, 1_000]
    clock.hear(2_000)
    assert clock.now_ms() == 2_000


def test_a_simulated_clock_never_goes_backwards_when_the_broker_rounds_down() -> None:
    clock = BrokerClock(speed=1_000_000)
    clock.hear(5_000)
    ahead = clock.now_ms()
    clock.hear(5_000)
    assert clock.now_ms() >= ahead


def test_the_system_clock_never_goes_backwards() -> None:
    clock = SystemClock()
    seen = [clock.now_ms() for _ in range(1_000)]
    assert seen == sorted(seen)


def test_the_system_clock_goes_on_slower_when_the_machine_is_set_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Timers and the pacing of orders must not stand still for the half minute by which it was wrong."""
    wall_ns, passed_ns = 1_000_000_000_000, 0
    monkeypatch.setattr("time.time_ns", lambda: wall_ns + passed_ns)
    monkeypatch.setattr("time.monotonic_ns", lambda: passed_ns)
    clock = SystemClock()
    before_ms = clock.now_ms()
    wall_ns -= 30_000_000_000
    seen = []
    for _ in range(400):
        passed_ns += 1_000_000_000
        seen.append(clock.now_ms() - before_ms)
    assert seen[:3] == [900, 1_800, 2_700]
    assert seen[-1] == 370_000  # they agree again
    assert seen == sorted(seen)
