"""History that does not come leaves the ticker to live bars."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from broker.errors import AnswerUnreadable, BrokerUnavailable, RequestRefused, RequestTimedOut
from core.events import HistoryLoaded
from runtime.chores import Chores
from runtime.connector import Connector
from tests.broker.desk import HandClock


@pytest.mark.parametrize(
    "problem",
    [
        AnswerUnreadable("history", ValueError("odd")),
        RequestRefused("history", 162, "no"),
        RequestTimedOut("history", 20.0),
    ],
)
async def test_case_37_history_that_is_of_no_use_is_told_as_none(problem: BrokerUnavailable) -> None:
    async def read_history(*_: object) -> None:
        raise problem

    told: list[HistoryLoaded] = []
    clock = HandClock(7_200_000)
    engine = SimpleNamespace(newest_bar_end_ms=lambda ticker: 7_100_000)
    session: Any = SimpleNamespace(engine=engine, inbox=SimpleNamespace(put=told.append))
    broker: Any = SimpleNamespace(read_history=read_history)
    hours: Any = SimpleNamespace(open_ms=0, close_ms=9_000_000)
    nothing: Any = None
    chores = Chores(clock)
    Connector(session, broker, clock, ("SOXL",), hours, nothing, nothing, chores).ask_history("SOXL")
    await chores.drain()
    assert [(one.ticker, one.bars) for one in told] == [("SOXL", ())]
