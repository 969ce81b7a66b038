"""Predictions from a file: one answer of the API a line (JSON), in any order of time."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import AsyncGenerator, Callable, Iterable
from pathlib import Path

from core.market import Prediction, PredictionProblem
from predictions.parse import parse_answer


class RecordedPredictionsUnreadable(ValueError):
    """A line of the file is no prediction; names the file and the line."""


class RecordedPredictionSource:
    """Answers each poll with the newest recorded prediction of each ticker up to now (UTC epoch ms of the session)."""

    def __init__(self, file: Path, now_ms: Callable[[], int]) -> None:
        self._file = file
        self._now_ms = now_ms
        self._by_ticker = _read(file)

    async def answers(self, tickers: Iterable[str]) -> AsyncGenerator[Prediction | PredictionProblem]:
        """Answers in the order of the tickers."""
        now_ms = self._now_ms()
        for ticker in tickers:
            yield self._newest(ticker, now_ms)

    async def close(self) -> None:
        """Nothing is held open."""

    def _newest(self, ticker: str, now_ms: int) -> Prediction | PredictionProblem:
        recorded = self._by_ticker.get(ticker, [])
        number = bisect_right(recorded, now_ms, key=lambda prediction: prediction.timestamp_ms)
        if number:
            return recorded[number - 1]
        return PredictionProblem(ticker, f"{self._file} holds no prediction up to now", answered=False)


def _read(file: Path) -> dict[str, list[Prediction]]:
    by_ticker: dict[str, list[Prediction]] = {}
    with file.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            found = parse_answer("", line)
            if isinstance(found, PredictionProblem):
                raise RecordedPredictionsUnreadable(f"{file}, line {number}: {found.problem}")
            prediction = parse_answer(found.ticker, line)
            if isinstance(prediction, Prediction):
                by_ticker.setdefault(found.ticker, []).append(prediction)
    for predictions in by_ticker.values():
        predictions.sort(key=lambda prediction: prediction.timestamp_ms)
    return by_ticker
