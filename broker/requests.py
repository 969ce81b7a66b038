"""Questions to the broker and their answers: each has a name in words, a timeout, and fails when the link does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable
from typing import Any, Final

from broker.errors import BrokerError, RequestRefused, RequestTimedOut
from broker.pacing import MessageQueue, Priority

FIRST_REQUEST_ID: Final = 1_000_000_000
"""Request ids live far from order ids, so that an error's id says which of the two it means. Order ids may lie beyond
them: the gateway's next one is above all that it has seen, and some programs take the time for an order id."""


class _Open:
    __slots__ = ("answers", "future", "words")

    def __init__(self, words: str) -> None:
        self.words = words
        self.answers: list[Any] = []
        self.future: asyncio.Future[None] = asyncio.get_running_loop().create_future()


class Requests:
    """All open questions of a connection, by request id or another key that their answers carry."""

    def __init__(self, queue: MessageQueue, timeout_seconds: float, *, waits_for_room: bool) -> None:
        self._queue = queue
        self._timeout_seconds = timeout_seconds
        self._waits_for_room = waits_for_room
        self._next_id = FIRST_REQUEST_ID
        self._open: dict[Hashable, _Open] = {}

    def next_id(self) -> int:
        """A request id never used before in this process."""
        request_id, self._next_id = self._next_id, self._next_id + 1
        return request_id

    def has_used(self, number: int) -> bool:
        """Whether this is the id of a request."""
        return FIRST_REQUEST_ID <= number < self._next_id

    async def ask(
        self,
        key: Hashable,
        words: str,
        write: Callable[[], None],
        *,
        priority: Priority = Priority.DATA,
        messages: int = 1,
        timeout_seconds: float | None = None,
    ) -> list[Any]:
        """Write a question and return all its answers. Raises RequestTimedOut, RequestRefused or BrokerUnavailable.

        A question that is given up before it could be written is never written: its answers might be taken for those
        of a later one.
        While the clock stands still (deterministic time) a question is written at once: a wait for room would not end.
        """
        if key in self._open:
            raise BrokerError(f"{words}: the same question is already open")
        seconds = self._timeout_seconds if timeout_seconds is None else timeout_seconds
        question = self._open[key] = _Open(words)
        try:
            if self._waits_for_room:
                self._queue.put(priority, messages, write)
            else:
                self._queue.count(messages)
                write()
            async with asyncio.timeout(seconds):
                await question.future
        except TimeoutError:
            raise RequestTimedOut(words, seconds) from None
        finally:
            del self._open[key]
            self._queue.withdraw(write)
        return question.answers

    def is_open(self, key: Hashable) -> bool:
        """True while the question's answers are awaited."""
        return key in self._open

    def add(self, key: Hashable, answer: object) -> None:
        """Take one answer; answers to a question that was given up are passed over."""
        if question := self._open.get(key):
            question.answers.append(answer)

    def finish(self, key: Hashable) -> None:
        """The last answer is in."""
        question = self._open.get(key)
        if question is not None and not question.future.done():
            question.future.set_result(None)

    def refuse(self, key: Hashable, code: int, text: str) -> bool:
        """End a question with the broker's error; False when there is no such question."""
        question = self._open.get(key)
        if question is None:
            return False
        self._fail(question, RequestRefused(question.words, code, text))
        return True

    def fail_all(self, error: BrokerError) -> None:
        """End every question: the link is gone, or the API is read-only."""
        for question in self._open.values():
            self._fail(question, error)

    @staticmethod
    def _fail(question: _Open, error: BrokerError) -> None:
        if not question.future.done():
            question.future.set_exception(error)
