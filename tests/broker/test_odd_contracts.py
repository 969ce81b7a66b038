"""Contract details that make no sense: what is safe stands in, a person is told, and the ticker is traded."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from decimal import Decimal

import pytest

from broker.errors import ContractUnknown
from broker.preflight import check_broker
from core.events import LinkChanged
from core.market import Instrument
from core.vocabulary import Link
from simulator.app import Gateway
from simulator.server.desk import Route
from simulator.server.reference_desk import ReferenceDesk
from simulator.server.session import Session
from simulator.wire import contracts, requests
from simulator.wire.framing import fields_of, payload_of
from tests.broker.desk import ACCOUNT, Desk, gateway

CON_ID, RULES, HOURS, ZONE = "con id", "rules", "hours", "zone"


class OddDefinitions(ReferenceDesk):
    """Contract details in which one text is another."""

    def __init__(self, started: Gateway, field: str, value: str) -> None:
        super().__init__(started.hub)
        self._field, self._value = field, value
        self.rules_asked = 0
        started.hub.seat(self)

    def routes(self) -> Mapping[int, Route]:
        """Contract details and market rules."""
        return {
            9: (requests.ContractDetails.read, self._answer),
            91: (requests.Number.read_bare, self._count_rule),
        }

    def _answer(self, session: Session, wanted: requests.ContractDetails) -> None:
        instrument = self.venue.find(symbol=wanted.contract.symbol)
        assert instrument is not None
        schedule = self.venue.schedule(1)
        row = fields_of(contracts.contract_details(session.version, wanted.request_id, instrument, "SMART", schedule))
        regular = contracts.hours((day, start, end) for day, _, _, start, end in schedule)
        texts = {
            CON_ID: str(instrument.con_id),
            RULES: ",".join([str(instrument.market_rule_id)] * len(contracts.EXCHANGES)),
            HOURS: regular,
            ZONE: "US/Eastern",
        }
        place = len(row) - 1 - row[::-1].index(texts[self._field])  # the regular hours are behind the trading hours
        row[place] = self._value
        self.office.send(session, payload_of(row))
        self.office.send(session, payload_of(("52", "1", str(wanted.request_id))))

    def _count_rule(self, session: Session, wanted: requests.Number) -> None:
        self.rules_asked += 1
        self._market_rule(session, wanted)


@asynccontextmanager
async def odd_desk(field: str, value: str) -> AsyncIterator[tuple[Desk, OddDefinitions]]:
    async with gateway() as started:
        definitions = OddDefinitions(started, field, value)
        trader = Desk(started.port)
        await trader.broker.connect()
        await trader.tick()
        yield trader, definitions
        await trader.broker.close()
        assert trader.failures == []


ODD = [
    (HOURS, "20250312:0930-soon", "liquidHours in US/Eastern = '20250312:0930-soon'"),
    (HOURS, "20250312:0930-20251312:1600", "liquidHours in US/Eastern = '20250312:0930-20251312:1600'"),
    (ZONE, "EST (Eastern Standard Time)", "liquidHours in EST (Eastern Standard Time) = "),
    (RULES, "twenty-six" + ",26" * 9, "marketRuleIds = 'twenty-six,26"),
    (RULES, "", "marketRuleIds = ''"),
    (RULES, "4711" + ",26" * 9, "market rule 4711 was refused with 321"),
]


@pytest.mark.parametrize(("field", "value", "words"), ODD)
async def test_what_cannot_be_read_of_a_contract_is_told_and_the_ticker_is_traded(
    field: str, value: str, words: str
) -> None:
    async with odd_desk(field, value) as (trader, _):
        (soxl,) = await trader.broker.read_instruments(("SOXL",))
        assert isinstance(soxl, Instrument)
        assert soxl.increments == ((Decimal(0), Decimal("0.01")),)
        (told,) = trader.broker.contract_oddities()
        assert told.startswith(f"SOXL: {words}")
        found = await check_broker(trader.broker, account=ACCOUNT, live=False, tickers=("SOXL",), machine_ms=None)
        assert [(one.check, one.words) for one in found if not one.is_ok] == [("contract details", told)]
        assert trader.of(LinkChanged)[-1].link is Link.CONNECTED
        trader.broker.subscribe(("SOXL",))
        await trader.tick(15)
        assert "BarClosed" in trader.kinds()
        assert await trader.broker.read_history("SOXL", trader.clock.at_ms, 60)


async def test_a_rule_that_is_missing_is_asked_for_once() -> None:
    async with odd_desk(RULES, "4711") as (trader, definitions):
        await trader.broker.read_instruments(("SOXL", "SOXS", "TQQQ"))
        assert definitions.rules_asked == 1
        assert len(trader.broker.contract_oddities()) == 1


async def test_a_contract_without_an_identity_is_none() -> None:
    async with odd_desk(CON_ID, "0") as (trader, _):
        (answer,) = await trader.broker.read_instruments(("SOXL",))
        assert isinstance(answer, ContractUnknown)
        assert "names no stock" in str(answer)
