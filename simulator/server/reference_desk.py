"""What instruments there are and how they trade; and the small questions that have fixed answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from simulator.market.instruments import MARKET_RULES
from simulator.model import dollars
from simulator.server.desk import Desk, Route
from simulator.server.lookup import find_instrument
from simulator.server.session import Session
from simulator.wire import answers, codes, contracts, requests
from simulator.wire.framing import payload_of

SCHEDULE_DAYS: Final = 6
"""Trading and liquid hours cover six days, as recorded."""
_NO_FAMILIES: Final = payload_of(("78", "1", "*", ""))


class ReferenceDesk(Desk):
    """9, 14, 80, 81, 91 and 104."""

    def routes(self) -> Mapping[int, Route]:
        """Message id to reader and handler."""
        return {
            9: (requests.ContractDetails.read, self._contract_details),
            14: (requests.Number.read, self._log_level),
            80: (requests.Nothing.read, lambda session, _: self.office.send(session, _NO_FAMILIES)),
            81: (requests.MatchingSymbols.read, self._matching_symbols),
            91: (requests.Number.read_bare, self._market_rule),
            104: (requests.RequestId.read_bare, self._user_info),
        }

    def _contract_details(self, session: Session, wanted: requests.ContractDetails) -> None:
        instrument = find_instrument(self.venue, wanted.contract, wanted.sec_id_type, wanted.sec_id)
        if instrument is None:
            self.office.error(session, wanted.request_id, codes.NO_DEFINITION)
            return
        schedule = self.venue.schedule(SCHEDULE_DAYS)
        exchange = wanted.contract.exchange or instrument.exchange
        details = contracts.contract_details(session.version, wanted.request_id, instrument, exchange, schedule)
        self.office.send(session, details)
        self.office.send(session, answers.ended(52, wanted.request_id))

    def _log_level(self, session: Session, wanted: requests.Number) -> None:
        """Accepted in silence, as TWS does."""

    def _matching_symbols(self, session: Session, wanted: requests.MatchingSymbols) -> None:
        pattern = wanted.pattern.strip().upper()
        found = [
            one
            for one in self.venue.instruments()
            if pattern and (one.symbol.startswith(pattern) or pattern in one.long_name.upper())
        ]
        self.office.send(session, contracts.symbol_samples(session.version, wanted.request_id, found[:16]))

    def _market_rule(self, session: Session, wanted: requests.Number) -> None:
        rule = MARKET_RULES.get(wanted.value)
        if rule is None:
            cause = codes.validating(f"Market rule {wanted.value} is unknown.")
            self.office.error(session, -1, codes.VALIDATING, cause)
            return
        increments = [(dollars(low), dollars(step)) for low, step in rule]
        self.office.send(session, answers.market_rule(wanted.value, increments))

    def _user_info(self, session: Session, wanted: requests.RequestId) -> None:
        self.office.send(session, answers.user_info(wanted.request_id, ""))
