"""Whether the account may see live quotes of a ticker: asked with a snapshot, before the session depends on it."""

from __future__ import annotations

from typing import Any, Final

from broker.contracts import Contracts
from broker.errors import RequestRefused, RequestTimedOut
from broker.market_data import LIVE_DATA
from broker.requests import Requests

SNAPSHOT_SECONDS: Final = 15.0
"""TWS ends a snapshot after 11 s at the latest."""


class Entitlements:
    """Asks for single quotes."""

    def __init__(self, contracts: Contracts, requests: Requests) -> None:
        self._contracts = contracts
        self._requests = requests

    async def problem(self, client: Any, ticker: str) -> str:
        """Empty when quotes are live, else why not, in words. Raises ContractUnknown, BrokerUnavailable."""
        contract = self._contracts.listing(ticker).contract
        key = self._requests.next_id()
        try:
            answers = await self._requests.ask(
                key,
                f"a quote of {ticker}",
                lambda: client.reqMktData(key, contract, "", True, False, []),
                timeout_seconds=SNAPSHOT_SECONDS,
            )
        except RequestRefused as refused:
            return f"no market data ({refused.code}: {refused.text})"
        except RequestTimedOut as silent:
            return str(silent)
        kinds = [kind for name, kind in answers if name == "type"]
        return "" if all(kind == LIVE_DATA for kind in kinds) else "quotes are delayed or frozen, not live"

    def on_snapshot_end(self, request_id: int) -> None:
        """The snapshot is complete."""
        self._requests.finish(request_id)
