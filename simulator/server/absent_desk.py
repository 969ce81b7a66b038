"""What lies outside the simulated market: depth, single past ticks, news, scanners, fundamentals, options, advisors.

Each request gets the answer that TWS gives to an account without the permission or the product: its own error under
the request's id, or an empty list. Nobody waits for ever, and no connection ends over it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from simulator.server.desk import Desk, Route
from simulator.server.session import Session
from simulator.wire import codes, requests
from simulator.wire.contracts import EXCHANGES
from simulator.wire.framing import payload_of

_NOT_ADVISOR: Final = codes.validating("FA data operations ignored for non FA customers.")
_ERRORS: Final[Mapping[int, tuple[int, str]]] = {
    10: (codes.NO_DEPTH, ""),
    11: (codes.NO_DEPTH_SUBSCRIPTION, "Can't find the subscribed market depth with tickerId:{}"),
    21: (codes.NO_DEFINITION, ""),
    22: (codes.HISTORY, codes.history("Market Scanner is not configured for one of the chosen locations.")),
    23: (codes.NO_EID, "Can't find EId with tickerId:{}"),
    52: (codes.NO_FUNDAMENTALS, ""),
    54: (codes.NO_DEFINITION, ""),
    55: (codes.NO_DEFINITION, ""),
    68: (codes.VALIDATING, codes.validating("Display groups are not available in IB Gateway.")),
    69: (codes.VALIDATING, codes.validating("Display groups are not available in IB Gateway.")),
    84: (codes.NO_NEWS_ARTICLE, ""),
    88: (codes.HISTORY, codes.history("HMDS query returned no data: histogram")),
    96: (codes.HISTORY, codes.history("HMDS query returned no data: historical ticks")),
    86: (codes.NO_NEWS, ""),
    100: (codes.NO_NEWS, ""),
    102: (codes.NO_NEWS, ""),
}
"""Code and text (empty: the usual one; `{}`: the request's id) by message id."""
_VERSIONED: Final = frozenset((10, 11, 21, 23, 52, 54, 55, 68, 69))
"""Those with a version field before the id."""
_SILENT: Final = (12, 13, 53, 56, 57, 70, 89, 101, 103)
"""News bulletins, of which there are none, and cancels of what was never begun."""


class AbsentDesk(Desk):
    """10 to 13, 18, 19, 21 to 24, 52 to 57, 67 to 70, 78, 79, 82 to 86, 88, 89, 96 and 100 to 103."""

    def routes(self) -> Mapping[int, Route]:
        """Message id to reader and handler."""
        read, bare = requests.RequestId.read, requests.RequestId.read_bare
        refused = {number: (read if number in _VERSIONED else bare, self._refusal(number)) for number in _ERRORS}
        silent = dict.fromkeys(_SILENT, (requests.Nothing.read, self._silence))
        return {
            **refused,
            **silent,
            18: (requests.Nothing.read, self._advisor),
            19: (requests.Nothing.read, self._advisor),
            24: (requests.Nothing.read, self._answer("19", "1", "<ScanParameterResponse/>")),
            67: (read, lambda session, asked: self._say(session, "67", "1", asked.request_id, "")),
            78: (bare, lambda session, asked: self._say(session, "76", asked.request_id)),
            79: (bare, lambda session, asked: self._say(session, "77", asked.request_id, 0)),
            82: (requests.Nothing.read, self._answer("80", "0")),
            83: (bare, self._smart_components),
            85: (requests.Nothing.read, self._answer("85", "0")),
        }

    def _say(self, session: Session, *fields: object) -> None:
        self.office.send(session, payload_of([str(field) for field in fields]))

    def _answer(self, *fields: str) -> Callable[[Session, Any], None]:
        return lambda session, _: self._say(session, *fields)

    def _refusal(self, number: int) -> Callable[[Session, requests.RequestId], None]:
        code, text = _ERRORS[number]
        return lambda session, asked: self.office.error(
            session, asked.request_id, code, text.format(asked.request_id) if text else ""
        )

    def _silence(self, session: Session, _: requests.Nothing) -> None:
        """TWS says nothing either."""

    def _advisor(self, session: Session, _: requests.Nothing) -> None:
        self.office.error(session, -1, codes.VALIDATING, _NOT_ADVISOR)

    def _smart_components(self, session: Session, asked: requests.RequestId) -> None:
        """82: bit, exchange and letter of each exchange behind SMART."""
        listed = [(bit, name, chr(ord("A") + bit)) for bit, name in enumerate(EXCHANGES[1:])]
        self._say(session, "82", asked.request_id, len(listed), *(field for row in listed for field in row))
