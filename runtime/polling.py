"""Asking the prediction source at fixed times, and turning its answers into events."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from core.events import Event, PredictionReceived, PredictionSourceChanged, PredictionUnreadable
from core.market import Prediction
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
        """Ask once; events in the order of the tickers. A ticker without any answer gives none."""
        try:
            answers = await self._source.poll(self._tickers)
        except Exception as failure:  # noqa: BLE001  a source must not end a session with open positions; it is told
            return self._failed(now_ms, failure)
        events: list[Event] = []
        for answer in answers:
            if isinstance(answer, Prediction):
                events.append(PredictionReceived(now_ms, answer))
            elif answer.answered:
                events.append(PredictionUnreadable(now_ms, answer.ticker, answer.problem))
        problems = [answer.problem for answer in answers if not isinstance(answer, Prediction)]
        return self._source_events(now_ms, problems, events) + events

    def _failed(self, now_ms: int, failure: Exception) -> list[Event]:
        """A poll that the source has broken off: an unreadable answer for each ticker, and no answer at all."""
        log.error("the prediction source failed", exc_info=failure)
        problem = f"the poll failed: {type(failure).__name__}: {failure}"
        unreadable = [PredictionUnreadable(now_ms, ticker, problem) for ticker in self._tickers]
        return [*self._source_events(now_ms, [problem], []), *unreadable]

    def _source_events(self, now_ms: int, problems: list[str], events: list[Event]) -> list[Event]:
        if events:
            was_gone, self._failed_polls = self._failed_polls >= self._gone_after_polls, 0
            return [PredictionSourceChanged(now_ms, True, "")] if was_gone else []
        self._failed_polls += 1
        if self._failed_polls == self._gone_after_polls:
            return [PredictionSourceChanged(now_ms, False, problems[0] if problems else "no answer")]
        return []
