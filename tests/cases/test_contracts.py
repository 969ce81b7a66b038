"""What the gateway does not say of a ticker: the others are traded, and what is held is protected and closed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from core.commands import RaiseAlert
from core.vocabulary import Outcome, Refusal
from runtime.flatten import flatten
from simulator.server.desk import Desk, Route
from simulator.server.reference_desk import ReferenceDesk
from simulator.server.session import Session
from simulator.wire import codes, requests
from tests.cases.field import DATE, Field, field
from tests.cases.test_c_fills import STILL


class Definitions(ReferenceDesk):
    """The farm for contracts, which does not know some stocks for a while, or says nothing at all."""

    def __init__(self, day: Field, *unknown: str) -> None:
        super().__init__(day.gateway.hub)
        self.unknown = set(unknown)
        self.asked = 0
        self.is_silent = False
        day.gateway.hub.seat(self)

    def routes(self) -> Mapping[int, Route]:
        """Contract details only."""
        return {9: (requests.ContractDetails.read, self._answer)}

    def _answer(self, session: Session, wanted: requests.ContractDetails) -> None:
        self.asked += 1
        if self.is_silent:
            return
        if wanted.contract.symbol in self.unknown:
            self.office.error(session, wanted.request_id, codes.NO_DEFINITION)
        else:
            self._contract_details(session, wanted)


async def test_a_ticker_that_the_gateway_does_not_know_keeps_no_other_from_being_traded(tmp_path: Path) -> None:
    async with field(tmp_path, "NOSUCH", "SOXL") as day:
        day.predict(60, "NOSUCH", "BUY")
        day.predict(60, "SOXL", "BUY")
        await day.live()
        unknown, entered = sorted(day.decisions(), key=lambda decision: decision.ticker)
        assert (unknown.outcome, unknown.refusal) == (Outcome.REFUSE, Refusal.CONTRACT_UNKNOWN)
        assert entered.outcome is Outcome.ENTER
        assert day.alerts("contract/") == ["raised contract/NOSUCH"]
        day.check_laws()


async def test_a_ticker_that_the_gateway_knows_later_is_asked_for_once_a_minute(tmp_path: Path) -> None:
    async with field(tmp_path, "SOXL", "GLD") as day:
        definitions = Definitions(day, "GLD")
        await day.live(121)
        assert definitions.asked == 2 + 3  # at the start; behind it, and after a minute each
        day.predict(130, "GLD", "BUY")
        definitions.unknown.clear()
        await day.live()
        assert day.decisions()[-1].outcome is Outcome.ENTER
        assert day.alerts("contract/") == ["raised contract/GLD", "over contract/GLD"]


async def test_a_position_in_a_ticker_that_the_gateway_does_not_know_any_more_is_closed(tmp_path: Path) -> None:
    """A takeover needs nothing but the contract that the broker's own reports carry."""
    async with field(tmp_path, "SOXL", "GLD", **STILL) as day:
        for ticker in ("SOXL", "GLD"):
            day.predict(60, ticker, "BUY")
        await day.live(90)
        assert day.position("SOXL") > 0
        assert day.position("GLD") > 0
        Definitions(day, "GLD")
        report = await flatten(day.settings, DATE)
        assert report.ok
        assert (day.position("SOXL"), day.position("GLD"), report.working_orders) == (0, 0, 0)
        assert day.alerts("contract/") == ["raised contract/GLD"]


async def test_a_position_whose_legs_are_gone_is_protected_without_its_contract(tmp_path: Path) -> None:
    async with field(tmp_path, "GLD", **STILL) as day:
        day.predict(60, "GLD", "BUY")
        await day.live(90)
        Definitions(day, "GLD")
        venue = day.gateway.venue
        venue.global_cancel()
        day.pass_time(1)
        assert venue.open_orders(None) == []
        await day.live(100)
        assert [order.request.order_type for order in venue.open_orders(None)].count("STP") == 1
        await day.live()
        assert day.position("GLD") == 0


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Real seconds of a test's life."""
    monkeypatch.setattr("broker.contracts.CONTRACT_SECONDS", 0.1)


@pytest.mark.usefixtures("impatient")
async def test_a_gateway_that_gives_no_contracts_is_one_outage_told_once(tmp_path: Path) -> None:
    """However often the link is replaced meanwhile; and it ends by itself."""
    async with field(tmp_path, "SOXL", "GLD") as day:
        definitions = Definitions(day)
        definitions.is_silent = True
        for at_seconds in (20, 60, 100):
            day.fault({"at": f"+{at_seconds}", "drop": {"seconds": 15}})
        day.predict(40, "SOXL", "BUY")
        day.predict(300, "SOXL", "BUY")
        await day.live(140)
        assert day.alerts("link") == ["raised link"]
        (told,) = [one.alert.text for one in day.commands(RaiseAlert) if one.alert.key == "link"]
        assert "no contract is known: ticker SOXL: no answer to the contract details of SOXL" in told
        definitions.is_silent = False
        await day.live()
        refused, entered = day.decisions()
        assert (refused.refusal, entered.outcome) == (Refusal.NOT_CONNECTED, Outcome.ENTER)
        assert day.alerts("link") == ["raised link", "over link"]
        assert day.alerts("contract/") == []
        day.check_laws()


@pytest.mark.usefixtures("impatient")
async def test_a_takeover_closes_what_is_open_while_the_gateway_gives_no_contracts(tmp_path: Path) -> None:
    async with field(tmp_path, "SOXL", "GLD", **STILL) as day:
        day.predict(60, "SOXL", "BUY")
        await day.live(90)
        assert day.position("SOXL") > 0
        Definitions(day).is_silent = True
        report = await flatten(day.settings, DATE)
        assert report.ok
        assert (day.position("SOXL"), report.working_orders) == (0, 0)


@pytest.mark.usefixtures("impatient")
async def test_contracts_that_come_late_end_the_outage_within_the_session(tmp_path: Path) -> None:
    async with field(tmp_path, "SOXL") as day:
        definitions = Definitions(day)
        definitions.is_silent = True
        day.gateway.hub.seat(Woken(day, definitions, 90))
        day.predict(200, "SOXL", "BUY")
        await day.live()
        assert day.decisions()[-1].outcome is Outcome.ENTER
        assert day.alerts("link") == ["raised link", "over link"]
        day.check_laws()


class Woken(Desk):
    """Lets the farm speak again after so many seconds."""

    def __init__(self, day: Field, definitions: Definitions, after_seconds: int) -> None:
        super().__init__(day.gateway.hub)
        self._definitions = definitions
        self._at_ms = day.start_ms + after_seconds * 1000

    def second_ended(self) -> None:
        """Time has passed."""
        if self.office.now_ms >= self._at_ms:
            self._definitions.is_silent = False
