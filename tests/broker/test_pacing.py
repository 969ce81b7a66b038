"""The message queue: the 50/s rule, who goes first, and what happens to what was not sent."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as some

from broker.errors import RequestTimedOut
from broker.pacing import LIMITS, WINDOW_MS, MessageQueue, Priority
from broker.requests import Requests
from tests.broker.desk import HandClock


class Line:
    """A queue on a hand-set clock, with a record of what was written when."""

    def __init__(self) -> None:
        self.clock = HandClock(1_000_000)
        self.queue = MessageQueue(self.clock, lambda: None)
        self.written: list[tuple[int, str, int]] = []
        self.dropped: list[str] = []

    def put(self, priority: Priority, name: str, messages: int = 1) -> None:
        self.queue.put(
            priority,
            messages,
            lambda: self.written.append((self.clock.at_ms, name, messages)),
            lambda: self.dropped.append(name),
        )

    def names(self) -> list[str]:
        return [name for _, name, _ in self.written]


def test_with_room_everything_is_written_at_once() -> None:
    line = Line()
    line.put(Priority.DATA, "data")
    line.put(Priority.ENTRY, "entry", 4)
    assert line.names() == ["data", "entry"]
    assert len(line.queue) == 0


def test_in_a_burst_of_48_no_order_waits_behind_data_requests() -> None:
    line = Line()
    for number in range(43):
        line.put(Priority.DATA, f"data {number}")
    line.put(Priority.ENTRY, "entry", 4)
    line.put(Priority.EXIT, "exit")
    assert line.names()[-2:] == ["entry", "exit"]
    assert len(line.queue) == 43 - LIMITS[Priority.DATA]


def test_exits_go_before_entries_before_data_when_room_comes() -> None:
    line = Line()
    line.put(Priority.EXIT, "full", LIMITS[Priority.EXIT])
    line.put(Priority.DATA, "data")
    line.put(Priority.ENTRY, "entry", 4)
    line.put(Priority.EXIT, "exit 1")
    line.put(Priority.EXIT, "exit 2")
    assert line.names() == ["full"]
    line.clock.at_ms += WINDOW_MS
    line.queue.pump()
    assert line.names() == ["full", "exit 1", "exit 2", "entry", "data"]


def test_what_waits_asks_to_be_pumped() -> None:
    clock = HandClock(0)
    blocked: list[int] = []
    queue = MessageQueue(clock, lambda: blocked.append(clock.at_ms))
    queue.put(Priority.EXIT, LIMITS[Priority.EXIT], lambda: None)
    assert blocked == []
    queue.put(Priority.DATA, 1, lambda: None)
    assert blocked == [0]
    clock.at_ms = 500
    queue.pump()
    assert blocked == [0, 500]
    clock.at_ms = 1000
    queue.pump()
    assert blocked == [0, 500]
    assert len(queue) == 0


def test_a_piece_that_never_fits_is_refused() -> None:
    with pytest.raises(ValueError, match="in one piece"):
        Line().put(Priority.ENTRY, "too long", LIMITS[Priority.ENTRY] + 1)


def test_a_lost_link_drops_what_waits_and_forgets_what_was_counted() -> None:
    line = Line()
    line.put(Priority.EXIT, "full", LIMITS[Priority.EXIT])
    line.put(Priority.DATA, "data")
    line.put(Priority.EXIT, "exit")
    line.queue.clear()
    assert line.dropped == ["exit", "data"]
    line.put(Priority.DATA, "after")
    assert line.names() == ["full", "after"]


@given(
    some.lists(some.tuples(some.sampled_from(list(Priority)), some.integers(1, 8), some.integers(0, 400)), max_size=150)
)
def test_no_second_ever_holds_more_than_the_rule_allows(steps: list[tuple[Priority, int, int]]) -> None:
    line = Line()
    for number, (priority, messages, pause_ms) in enumerate(steps):
        line.put(priority, f"{priority.name} {number}", messages)
        line.clock.at_ms += pause_ms
        line.queue.pump()
    while len(line.queue):
        line.clock.at_ms += 100
        line.queue.pump()
    assert len(line.written) == len(steps)
    times = [(at_ms, messages) for at_ms, _, messages in line.written]
    for at_ms, _ in times:
        assert sum(messages for other, messages in times if at_ms <= other < at_ms + WINDOW_MS) <= LIMITS[Priority.EXIT]
    for priority in Priority:
        mine = [int(name.split()[1]) for _, name, _ in line.written if name.startswith(priority.name)]
        assert all(first < second for first, second in pairwise(mine))


async def test_a_question_that_was_given_up_while_it_waited_is_never_written() -> None:
    line = Line()
    line.put(Priority.EXIT, "full", LIMITS[Priority.EXIT])
    line.put(Priority.DATA, "before")
    requests = Requests(line.queue, 0.01, waits_for_room=True)
    with pytest.raises(RequestTimedOut):
        await requests.ask("key", "a question", lambda: line.written.append((0, "question", 1)))
    line.put(Priority.DATA, "after")
    line.clock.at_ms += WINDOW_MS
    line.queue.pump()
    assert line.names() == ["full", "before", "after"]
