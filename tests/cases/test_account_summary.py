"""An account summary that does not come is asked for again, a few times, and stands in nobody's way."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from broker.gateway import IbBroker
from core.events import AccountRead, LinkChanged
from core.vocabulary import Link
from runtime.connector import ACCOUNT_ATTEMPTS_MAX
from simulator.server.account_desk import AccountDesk
from simulator.server.desk import Route
from simulator.server.session import Session
from simulator.wire import requests
from tests.cases.field import Field, field

SILENCE = 0


class Summaries(AccountDesk):
    """Answers the first questions for a summary with an error, or not at all."""

    def __init__(self, day: Field, code: int, unanswered: int) -> None:
        super().__init__(day.gateway.hub)
        self.asked = self.cancelled = 0
        self._code, self._unanswered = code, unanswered
        day.gateway.hub.seat(self)

    def routes(self) -> Mapping[int, Route]:
        """Summaries and their cancels only."""
        return {62: (requests.AccountSummary.read, self._answer), 63: (requests.RequestId.read, self._cancel)}

    def _answer(self, session: Session, wanted: requests.AccountSummary) -> None:
        self.asked += 1
        if self.asked > self._unanswered:
            self._request_summary(session, wanted)
        elif self._code != SILENCE:
            self.office.error(
                session, wanted.request_id, self._code, "Maximum number of account summary requests exceeded"
            )

    def _cancel(self, session: Session, asked: requests.RequestId) -> None:
        self.cancelled += 1
        self._summaries.pop((session, asked.request_id), None)


@pytest.mark.parametrize("code", [SILENCE, 322])
async def test_a_summary_that_was_missed_is_asked_for_again_after_a_minute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    assert IbBroker.__init__.__kwdefaults__ is not None
    monkeypatch.setitem(IbBroker.__init__.__kwdefaults__, "request_seconds", 0.5)  # real seconds of a test's life
    async with field(tmp_path, "SOXL") as day:
        summaries = Summaries(day, code, unanswered=2)
        await day.live(200)
        (read,) = day.events(AccountRead)
        assert read.buying_power is not None
        assert summaries.asked == 3
        assert summaries.cancelled == (3 if code == SILENCE else 1)  # IB keeps two open at most
        assert 120_000 <= read.at_ms - day.start_ms <= 123_000
        assert [event.link for event in day.events(LinkChanged)][:1] == [Link.CONNECTED]


async def test_a_gateway_that_gives_no_summary_is_asked_a_few_times_for_each_connection(tmp_path: Path) -> None:
    async with field(tmp_path, "SOXL") as day:
        summaries = Summaries(day, 322, unanswered=1_000)
        day.fault({"at": "+330", "drop": {"seconds": 5}})
        await day.live(345)
        assert summaries.asked == ACCOUNT_ATTEMPTS_MAX + 1
        assert day.events(AccountRead) == []
