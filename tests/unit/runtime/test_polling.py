"""When the source is asked, and when it counts as gone."""

from collections.abc import AsyncGenerator, Iterable
from dataclasses import replace

from core.events import PredictionReceived, PredictionSourceChanged, PredictionUnreadable
from core.market import Prediction, PredictionProblem
from runtime.polling import Poller

GOOD = Prediction("SOXL", "BUY", 0.6, 75.0, 0, "SOXL")
UNREADABLE = PredictionProblem("SOXL", "confidence is missing", answered=True)
SILENT = PredictionProblem("SOXL", "no answer within 5 s", answered=False)


class Scripted:
    """A source that gives prepared answers, round by round."""

    def __init__(self, *rounds: Prediction | PredictionProblem | Exception) -> None:
        self._rounds = list(rounds)

    async def answers(self, tickers: Iterable[str]) -> AsyncGenerator[Prediction | PredictionProblem]:
        answer = self._rounds.pop(0)
        if isinstance(answer, Exception):
            raise answer
        yield answer

    async def close(self) -> None:
        self._rounds.clear()


def poller(*rounds: Prediction | PredictionProblem | Exception) -> Poller:
    return Poller(Scripted(*rounds), ["SOXL"], every_seconds=60, first_ms=60_000, last_ms=300_000, gone_after_polls=3)


def test_polls_come_on_their_grid_and_missed_ones_are_passed_over() -> None:
    asked = poller()
    assert not asked.is_due(59_999)
    assert asked.is_due(60_000)
    assert not asked.is_due(60_001)
    assert asked.is_due(200_000)
    assert asked.due_ms == 240_000
    assert asked.is_due(300_000)
    assert asked.due_ms is None
    assert not asked.is_due(300_001)


def test_a_poll_missed_until_after_the_last_time_is_not_made() -> None:
    assert not poller().is_due(300_001)


async def test_answers_become_events() -> None:
    asked = poller(GOOD, UNREADABLE, SILENT)
    assert await asked.poll(1) == [PredictionReceived(1, GOOD)]
    assert await asked.poll(2) == [PredictionUnreadable(2, "SOXL", "confidence is missing")]
    assert await asked.poll(3) == []


async def test_the_source_is_gone_after_three_silent_polls_and_back_with_the_first_answer() -> None:
    asked = poller(SILENT, SILENT, SILENT, SILENT, GOOD, SILENT)
    assert await asked.poll(1) == []
    assert await asked.poll(2) == []
    assert await asked.poll(3) == [PredictionSourceChanged(3, False, "no answer within 5 s")]
    assert await asked.poll(4) == []
    assert await asked.poll(5) == [PredictionSourceChanged(5, True, ""), PredictionReceived(5, GOOD)]
    assert await asked.poll(6) == []


async def test_a_source_that_fails_ends_nothing_and_hides_nothing() -> None:
    asked = poller(RuntimeError("no such thing"), RuntimeError("no such thing"), RuntimeError("no such thing"), GOOD)
    words = "the poll failed: RuntimeError: no such thing"
    assert await asked.poll(1) == [PredictionUnreadable(1, "SOXL", words)]
    assert await asked.poll(2) == [PredictionUnreadable(2, "SOXL", words)]
    assert await asked.poll(3) == [PredictionSourceChanged(3, False, words), PredictionUnreadable(3, "SOXL", words)]
    assert await asked.poll(4) == [PredictionSourceChanged(4, True, ""), PredictionReceived(4, GOOD)]


async def test_a_source_that_breaks_off_hides_no_answer_and_events_come_in_the_order_of_the_tickers() -> None:
    class Broken(Scripted):
        async def answers(self, tickers: Iterable[str]) -> AsyncGenerator[Prediction | PredictionProblem]:
            yield replace(GOOD, asked_ticker="GLD")
            yield replace(SILENT, ticker="SLV")
            raise RuntimeError("no such thing")

    asked = Poller(Broken(), ["CVNA", "GLD", "SLV"], every_seconds=60, first_ms=0, last_ms=9, gone_after_polls=1)
    broken = PredictionUnreadable(1, "CVNA", "the poll failed: RuntimeError: no such thing")
    good = PredictionReceived(1, replace(GOOD, asked_ticker="GLD"))
    assert [event async for event in asked.events(1)] == [good, broken]
    assert await asked.poll(1) == [broken, good]


async def test_a_source_that_was_gone_for_the_process_before_is_told_to_be_back() -> None:
    asked = Poller(
        Scripted(SILENT, GOOD), ["SOXL"], every_seconds=60, first_ms=0, last_ms=9, gone_after_polls=3, was_gone=True
    )
    assert await asked.poll(1) == []
    assert await asked.poll(2) == [PredictionSourceChanged(2, True, ""), PredictionReceived(2, GOOD)]
