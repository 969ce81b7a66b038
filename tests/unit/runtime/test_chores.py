"""Questions to the broker are asked one after the other, again where the broker was slow, and when they are allowed."""

from __future__ import annotations

import asyncio

from broker.errors import BrokerUnavailable, HistoryBudgetSpent, RequestTimedOut, Unavailability
from runtime.chores import Chore, Chores


class Watch:
    """A clock that shows what it is set to."""

    def __init__(self) -> None:
        self.at_ms = 1_000

    def now_ms(self) -> int:
        """UTC epoch ms."""
        return self.at_ms


class Asked:
    """Chores that write down their names, and fail as they are told, once each."""

    def __init__(self, **failures: BrokerUnavailable) -> None:
        self.names: list[str] = []
        self._failures = failures

    def __call__(self, name: str) -> tuple[str, Chore]:
        return name, lambda: self._ask(name)

    async def _ask(self, name: str) -> None:
        self.names.append(name)
        failure = self._failures.pop(name, None)
        if failure is not None:
            raise failure


async def test_each_is_done_once_in_the_order_of_asking() -> None:
    asked, chores = Asked(), Chores(Watch())
    for name in ("one", "two", "one"):
        chores.add(*asked(name))
    await chores.drain()
    await chores.drain()
    assert asked.names == ["one", "two"]


async def test_what_was_not_answered_in_time_is_asked_again_and_what_a_lost_link_took_is_not() -> None:
    lost = BrokerUnavailable(Unavailability.LOST, "the link was lost")
    asked, chores = Asked(slow=RequestTimedOut("a question", 1.0), lost=lost), Chores(Watch())
    for name in ("slow", "lost", "well"):
        chores.add(*asked(name))
    await chores.drain()
    await chores.drain()
    assert asked.names == ["slow", "lost", "well", "slow"]


async def test_what_pacing_forbids_waits_until_it_is_allowed_and_nothing_waits_for_it() -> None:
    watch = Watch()
    asked, chores = Asked(GLD=HistoryBudgetSpent("history", 5_000)), Chores(watch)
    chores.add(*asked("GLD"))
    chores.add(*asked("SLV"))
    await chores.drain()
    assert asked.names == ["GLD", "SLV"]
    chores.add(*asked("GLD"))  # it waits already
    watch.at_ms = 4_999
    await chores.drain()
    assert asked.names == ["GLD", "SLV"]
    watch.at_ms = 5_000
    await chores.drain()
    await chores.drain()
    assert asked.names == ["GLD", "SLV", "GLD"]


async def test_in_running_time_they_are_done_as_they_come() -> None:
    asked, chores = Asked(), Chores(Watch())
    running = asyncio.create_task(chores.run())
    for name in ("one", "two"):
        chores.add(*asked(name))
        while name not in asked.names:
            await asyncio.sleep(0)
    running.cancel()
    assert asked.names == ["one", "two"]


async def test_what_a_cancelled_drive_left_is_done_by_the_next() -> None:
    asked, chores = Asked(), Chores(Watch())
    never = asyncio.Event()

    async def stuck() -> None:
        asked.names.append("stuck")
        if len(asked.names) == 1:
            await never.wait()

    chores.add("stuck", stuck)
    chores.add(*asked("behind"))
    for expected in (["stuck"], ["stuck", "behind", "stuck"]):
        running = asyncio.create_task(chores.run())
        while asked.names != expected:
            await asyncio.sleep(0)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
