"""IB's budget for history, shared through the database by all processes of the account."""

from __future__ import annotations

import asyncio
import logging

from broker.history_budget import ALL, HistoryRequest, LocalHistoryBudget, earliest_ms
from db.engine import DatabaseError
from db.history_requests import request_log

log = logging.getLogger(__name__)


class SharedHistoryBudget:
    """Counts in Postgres; while that is away, for this process alone, so that no bar waits for a database."""

    def __init__(self, url: str, account: str) -> None:
        self._url = url
        self._account = account
        self._own = LocalHistoryBudget()

    async def reserve(self, request: HistoryRequest) -> int:
        """See `broker.history_budget.HistoryBudget`."""
        try:
            return await asyncio.to_thread(self._reserve, request)
        except DatabaseError as error:
            log.warning("history is paced for this process alone, for the database is away: %s", error)
            return await self._own.reserve(request)

    def _reserve(self, request: HistoryRequest) -> int:
        with request_log(self._url, self._account) as made:
            before = [HistoryRequest(*row) for row in made.since(request.at_ms - ALL[1])]
            allowed_ms = earliest_ms(before, request)
            if allowed_ms <= request.at_ms:
                made.add((request.ticker, request.end_ms, request.duration_seconds, request.at_ms))
                return request.at_ms
            return allowed_ms
