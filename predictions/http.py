"""The prediction API over HTTP (SEMANTICS 2): all tickers at once, over connections that stay open."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable, Sequence
from contextlib import aclosing
from http import HTTPStatus
from typing import Final

import aiohttp

from core.market import Prediction, PredictionProblem
from predictions.circuit import Circuit
from predictions.parse import parse_answer
from predictions.rate_limit import RateLimit

Answer = Prediction | PredictionProblem

TRIES: Final = 3
FIRST_PAUSE_SECONDS: Final = 0.25
CONNECTIONS: Final = 16
SAID_MAX: Final = 500
"""Characters of a server's own words that are passed on: they end in alerts and tables."""
ANSWER_MAX_BYTES: Final = 1_000_000
"""The longest answer that is read, unpacked: reading and parsing more would hold up everything that protects."""


class HttpPredictionSource:
    """Implements runtime.ports.PredictionSource. `circuit` tells whether the source counts as gone.

    A failed request (timeout, lost connection, 5xx but 501) is asked again after a growing, jittered pause, within its
    poll. All else that is no prediction, such as 400, 401, 404, 429, 501 and redirects, is a problem in words, not
    asked again.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str | None,
        timeout_seconds: float = 5.0,
        *,
        gone_after_polls: int = 3,
        now_seconds: Callable[[], float] = time.time,
        chance: random.Random | None = None,
    ) -> None:
        self._address = f"{base_url.rstrip('/')}/prediction/latest"
        self._headers = {} if api_key is None else {"X-API-Key": api_key}
        self._timeout_seconds = timeout_seconds
        self._chance = chance or random.Random()
        self._session: aiohttp.ClientSession | None = None
        self._probes = 0
        self.circuit = Circuit(gone_after_polls)
        self.rate_limit = RateLimit(now_seconds)

    async def answers(self, tickers: Iterable[str]) -> AsyncGenerator[Answer]:
        """Ask for all tickers concurrently; one answer each, as they come: none waits for one that is slow.

        Never raises for a failed answer. A source that counts as gone is asked for one ticker first, each time for the
        next, since it may know all but one.
        """
        waiting = list(tickers)
        asked, is_answered, is_probe = len(waiting), False, self.circuit.is_open
        if is_probe and waiting:
            answer = await self._ask(waiting.pop(self._probes % asked), 1)
            self._probes += 1
            is_answered = _has_answered(answer)
            yield answer
        if is_probe and not is_answered:
            for ticker in waiting:
                yield PredictionProblem(ticker, "not asked: the source is gone", answered=False)
        else:
            async with aclosing(_as_they_come([self._ask(ticker, TRIES) for ticker in waiting])) as others:
                async for answer in others:
                    is_answered = is_answered or _has_answered(answer)
                    yield answer
        if asked:
            self.circuit.record(answered=is_answered)

    async def poll(self, tickers: Iterable[str]) -> tuple[Answer, ...]:
        """All answers, in the order of the tickers."""
        asked = tuple(tickers)
        found = {_ticker(answer): answer async for answer in self.answers(asked)}
        return tuple(found[ticker] for ticker in asked)

    async def close(self) -> None:
        """Close the connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _ask(self, ticker: str, tries: int) -> Answer:
        problem = ""
        for number in range(tries):
            if number:
                await asyncio.sleep(FIRST_PAUSE_SECONDS * 2**number * self._chance.uniform(0.5, 1.0))
            if self.rate_limit.wait_seconds:
                problem = f"not asked: the source's rate limit is spent for {self.rate_limit.wait_seconds:.0f} s more"
                break
            try:
                status, body = await self._request(ticker)
            except TimeoutError:
                problem = f"no answer within {self._timeout_seconds:g} s"
                continue
            except (aiohttp.ClientError, OSError, ValueError) as error:  # ValueError: a header that can't be sent
                problem = f"{type(error).__name__}: {error}"
                continue
            if status == HTTPStatus.OK:
                return _read_answer(ticker, body)
            problem = _failure(status, body)
            if status < HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.NOT_IMPLEMENTED:
                break
        return PredictionProblem(ticker, problem, answered=False)

    async def _request(self, ticker: str) -> tuple[int, bytes]:
        session = self._session
        if session is None:
            session = self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=CONNECTIONS, keepalive_timeout=300),
                timeout=aiohttp.ClientTimeout(total=self._timeout_seconds),
                headers=self._headers,
            )
        # a redirect is not followed: it would carry the key to whatever address it names
        async with session.get(self._address, params={"ticker": ticker}, allow_redirects=False) as response:
            self.rate_limit.observe(response.status, response.headers)
            return response.status, await _body(response)


async def _as_they_come(asking: Sequence[Coroutine[None, None, Answer]]) -> AsyncGenerator[Answer]:
    """The results in the order in which they are there; whoever stops listening ends the others."""
    tasks = [asyncio.create_task(one) for one in asking]
    try:
        for done in asyncio.as_completed(tasks):
            yield await done
    finally:
        for task in tasks:
            task.cancel()


def _ticker(answer: Answer) -> str:
    return answer.asked_ticker if isinstance(answer, Prediction) else answer.ticker


async def _body(response: aiohttp.ClientResponse) -> bytes:
    """The answer's text, unpacked; of a longer one than is read the beginning, which is longer than that too."""
    body = bytearray()
    async for part in response.content.iter_any():
        body += part
        if len(body) > ANSWER_MAX_BYTES:
            break
    return bytes(body)


def _read_answer(ticker: str, body: bytes) -> Answer:
    if len(body) > ANSWER_MAX_BYTES:
        return PredictionProblem(ticker, f"unreadable answer: over {ANSWER_MAX_BYTES:,} bytes", answered=True)
    return parse_answer(ticker, body)


def _has_answered(answer: Answer) -> bool:
    return isinstance(answer, Prediction) or answer.answered


def _failure(status: int, body: bytes) -> str:
    """The status with what the server says of it, which may be anything."""
    try:
        said = json.loads(body)
        words = [str(said[name]) for name in ("code", "message") if said.get(name)] if isinstance(said, dict) else []
    except (ValueError, RecursionError):
        words = []
    shown = "".join(sign if sign.isprintable() else "?" for sign in " ".join(words)[:SAID_MAX])
    return f"HTTP {status} {HTTPStatus(status).phrase if status in _STATUSES else ''}: {shown}".strip(" :")


_STATUSES: Final = frozenset(HTTPStatus)
