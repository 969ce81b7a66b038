"""Clocks never go backwards, and a deterministic one moves only when the broker says so."""

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
