"""The pacing rules of history requests (case 39)."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as some

from broker.history_budget import ALL, IDENTICAL_MS, SAME_CONTRACT, HistoryRequest, LocalHistoryBudget, earliest_ms


def request(ticker: str, at_ms: int, end_ms: int = 0) -> HistoryRequest:
    return HistoryRequest(ticker, end_ms, 3600, at_ms)


def test_the_first_request_is_free() -> None:
    assert earliest_ms([], request("SOXL", 5)) == 5


def test_case_39_an_identical_request_waits_15_s() -> None:
    made = [request("SOXL", 1_000)]
    assert earliest_ms(made, request("SOXL", 2_000)) == 1_000 + IDENTICAL_MS
    assert earliest_ms(made, request("SOXL", 2_000, end_ms=9)) == 2_000
    assert earliest_ms(made, request("SOXL", 16_000)) == 16_000


def test_case_39_a_sixth_request_for_one_contract_waits_2_s() -> None:
    made = [request("SOXL", 100 + number, end_ms=number) for number in range(5)]
    assert earliest_ms(made, request("SOXL", 200, end_ms=9)) == 2_100
    assert earliest_ms(made, request("TQQQ", 200, end_ms=9)) == 200


def test_case_39_the_61st_request_waits_until_the_first_is_10_minutes_old() -> None:
    made = [request(f"T{number % 20}", number * 1_000, end_ms=number) for number in range(60)]
    assert earliest_ms(made, request("SOXL", 60_000, end_ms=99)) == ALL[1]


def test_what_a_wrong_clock_counted_hours_ahead_is_not_waited_for() -> None:
    hours = 3 * 3_600_000
    made = [request("SOXL", hours + number, end_ms=number) for number in range(60)]
    assert earliest_ms(made, request("SOXL", 1_000)) == 1_000
    assert earliest_ms(made, request("SOXL", hours - 1_000, end_ms=99)) > hours


@given(some.lists(some.tuples(some.sampled_from("AB"), some.integers(0, 1), some.integers(0, 20_000)), max_size=120))
async def test_case_39_no_sequence_breaks_a_rule(steps: list[tuple[str, int, int]]) -> None:
    budget, made, now_ms = LocalHistoryBudget(), [], 0
    for ticker, end_ms, pause_ms in steps:
        now_ms += pause_ms
        asked = request(ticker, now_ms, end_ms)
        while (allowed_ms := await budget.reserve(asked)) > asked.at_ms:
            asked = request(ticker, allowed_ms, end_ms)
        now_ms = asked.at_ms
        made.append(asked)
    for number, one in enumerate(made):
        later = made[number + 1 :]
        assert all(two.at_ms - one.at_ms >= IDENTICAL_MS for two in later if two.question == one.question)
        same = [two for two in later if two.ticker == one.ticker and two.at_ms - one.at_ms < SAME_CONTRACT[1]]
        assert len(same) < SAME_CONTRACT[0]
        assert sum(two.at_ms - one.at_ms < ALL[1] for two in later) < ALL[0]
