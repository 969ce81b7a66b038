"""One budget for history, whichever process of the account asks."""

from __future__ import annotations

import asyncio

from broker.history_budget import ALL, IDENTICAL_MS, HistoryRequest
from runtime.history_budget import SharedHistoryBudget


def asked(ticker: str, at_ms: int, end_ms: int = 0) -> HistoryRequest:
    return HistoryRequest(ticker, end_ms, 3_600, at_ms)


async def test_two_processes_share_the_rule_about_identical_requests(postgres_url: str) -> None:
    first, second = SharedHistoryBudget(postgres_url, "DU1"), SharedHistoryBudget(postgres_url, "DU1")
    other = SharedHistoryBudget(postgres_url, "DU2")
    assert await first.reserve(asked("SOXL", 1_000_000)) == 1_000_000
    assert await second.reserve(asked("SOXL", 1_001_000)) == 1_000_000 + IDENTICAL_MS
    assert await other.reserve(asked("SOXL", 1_001_000)) == 1_001_000
    assert await second.reserve(asked("SOXL", 1_000_000 + IDENTICAL_MS)) == 1_000_000 + IDENTICAL_MS


async def test_sixty_requests_fill_ten_minutes_for_all(postgres_url: str) -> None:
    budgets = [SharedHistoryBudget(postgres_url, "DU1") for _ in range(3)]
    start_ms = 5_000_000
    for number in range(ALL[0]):
        at_ms = start_ms + number * 1_000
        assert await budgets[number % 3].reserve(asked(f"T{number % 20}", at_ms, number)) == at_ms
    late = asked("NEW", start_ms + 61_000, 999)
    assert await budgets[0].reserve(late) == start_ms + ALL[1]


async def test_requests_at_the_same_time_are_counted_one_by_one(postgres_url: str) -> None:
    budgets = [SharedHistoryBudget(postgres_url, "DU1") for _ in range(4)]
    answers = await asyncio.gather(*(budget.reserve(asked("SOXL", 1_000_000)) for budget in budgets))
    assert sorted(answers) == [1_000_000, *[1_000_000 + IDENTICAL_MS] * 3]


async def test_without_the_database_the_process_paces_itself() -> None:
    budget = SharedHistoryBudget("postgresql://nobody@127.0.0.1:1/none", "DU1")
    assert await budget.reserve(asked("SOXL", 1_000_000)) == 1_000_000
    assert await budget.reserve(asked("SOXL", 1_001_000)) == 1_000_000 + IDENTICAL_MS
