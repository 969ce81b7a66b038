"""Asking the prediction source at fixed times, and turning its answers into events."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from core.events import Event, PredictionReceived, PredictionSourceChanged, PredictionUnreadable
from core.market import Prediction, PredictionProblem
from runtime.ports import PredictionSource

log = logging.getLogger(__name__)


class Poller:
    """Polls all tickers every `every_seconds` from `first_ms` until `last_ms` (UTC epoch ms).

    The source counts as gone after `gone_after_polls` polls without a single answer (SEMANTICS 9); from the start
    where it `was_gone` when the process before ended, so that its first answer is told.
    """

    def __init__(
        self,
        source: PredictionSource,
        tickers: Sequence[str],
        *,
        every_seconds: int,
        first_ms: int,
        last_ms: int,
        gone_after_polls: int,
        was_gone: bool = False,
    ) -> None:
        self._source = source
        self._tickers = tuple(tickers)
        self._every_ms = every_seconds * 1000
        self._last_ms = last_ms
        self.due_ms: int | None = first_ms
        self._gone_after_polls = gone_after_polls
        self._failed_polls = gone_after_polls if was_gone else 0

    def is_due(self, now_ms: int) -> bool:
        """True when the time of the next poll has come; moves on to the time after it, passing over missed ones."""
        if self.due_ms is None or now_ms < self.due_ms:
            return False
        missed = (now_ms - self.due_ms) // self._every_ms
        following = self.due_ms + (missed + 1) * self._every_ms
        self.due_ms = following if following <= self._last_ms else None
        return now_ms <= self._last_ms

    async def close(self) -> None:
        """Release the source."""
        await self._source.close()

    async def poll(self, now_ms: int) -> list[Event]:
        """The events of one poll in the order of the tickers: where time is simulated chance decides nothing."""
        found = [event async for event in self.events(now_ms)]
        places = {ticker: place for place, ticker in enumerate(self._tickers)}
        return sorted(found, key=lambda event: places.get(_ticker(event), -1))

    async def events(self, now_ms: int) -> AsyncGenerator[Event]:
        """Ask once; an event for each answer as it comes, so that none waits for a slow one. Silence gives none."""
        is_heard, problems, waiting = False, list[str](), dict.fromkeys(self._tickers)
        try:
            async with aclosing(self._source.answers(self._tickers)) as answers:
                async for answer in answers:
                    waiting.pop(answer.asked_ticker if isinstance(answer, Prediction) else answer.ticker, None)
                    if isinstance(answer, PredictionProblem):
                        problems.append(answer.problem)
                    if (event := _event(now_ms, answer)) is not None:
                        is_heard = True
                        for told in (*self._heard(now_ms), event):
                            yield told
            waiting.clear()
        except Exception as failure:
            log.error("the prediction source failed", exc_info=failure)
            problems.append(f"the poll failed: {type(failure).__name__}: {failure}")
        if not is_heard:
            for told in self._silent(now_ms, problems):
                yield told
        for ticker in waiting:  # of a source that broke off
            yield PredictionUnreadable(now_ms, ticker, problems[-1])

    def _heard(self, now_ms: int) -> list[Event]:
        was_gone, self._failed_polls = self._failed_polls >= self._gone_after_polls, 0
        return [PredictionSourceChanged(now_ms, True, "")] if was_gone else []

    def _silent(self, now_ms: int, problems: list[str]) -> list[Event]:
        self._failed_polls += 1
        if self._failed_polls == self._gone_after_polls:
            return [PredictionSourceChanged(now_ms, False, problems[0] if problems else "no answer")]
        return []


def _event(now_ms: int, answer: Prediction | PredictionProblem) -> PredictionReceived | PredictionUnreadable | None:
    """None for a ticker that was not answered."""
    if isinstance(answer, Prediction):
        return PredictionReceived(now_ms, answer)
    return PredictionUnreadable(now_ms, answer.ticker, answer.problem) if answer.answered else None


def _ticker(event: Event) -> str:
    if isinstance(event, PredictionReceived):
        return event.prediction.asked_ticker
    return event.asked_ticker if isinstance(event, PredictionUnreadable) else ""
