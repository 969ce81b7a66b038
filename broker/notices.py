"""Where an error message goes: to the link, to a question, to a subscription, to an order. None is dropped."""

from __future__ import annotations

import logging
from collections.abc import Callable

from broker import codes
from broker.contracts import Contracts
from broker.errors import BrokerUnavailable, Unavailability
from broker.link import LinkHealth
from broker.market_data import MarketData
from broker.orders import Orders
from broker.read_back import ReadBack
from broker.requests import Requests

log = logging.getLogger(__name__)


class Notices:
    """Routes IB's error messages by their id and code.

    `on_id_taken` hears of 326.
    """

    def __init__(self, *, link: LinkHealth, requests: Requests, market_data: MarketData, read_back: ReadBack,
                 orders: Orders, contracts: Contracts, on_id_taken: Callable[[str], None]) -> None:  # fmt: skip
        self._link = link
        self._requests = requests
        self._market_data = market_data
        self._read_back = read_back
        self._orders = orders
        self._contracts = contracts
        self._on_id_taken = on_id_taken

    def on_error(self, number: int, code: int, text: str, _advanced_reject: str = "") -> None:
        """An error, warning or notice; `number` is a request id, an order id, or -1."""
        if code == codes.CLIENT_ID_TAKEN:
            self._on_id_taken(text)
        elif code == codes.VALIDATION and codes.is_read_only(text):
            self._read_only(number, text)
        elif self._link.on_code(code, text):
            log.info("notice %d: %s", code, text)
            if code in codes.SERVER_LOST:
                self._read_back.cut_off(code, text)
        elif self._requests.has_used(number) and not self._orders.owns_id(number):
            self._on_request_error(number, code, text)
        elif number > 0 or self._orders.owns_id(number):
            self._orders.on_error(number, code, text)
        else:
            self._on_notice(code, text)

    def _read_only(self, number: int, text: str) -> None:
        words = f"the API is in read-only mode: switch that off in the gateway's API settings ({text})"
        self._requests.fail_all(BrokerUnavailable(Unavailability.READ_ONLY, words))
        if self._orders.owns_id(number):
            self._orders.on_error(number, codes.VALIDATION, text)

    def _on_request_error(self, number: int, code: int, text: str) -> None:
        if self._market_data.on_error(number, code, text):
            return
        is_refusal = not codes.is_notice(code) and (
            self._read_back.refuse(number, code, text) or self._requests.refuse(number, code, text)
        )
        if not is_refusal:
            log.info("notice %d for request %d: %s", code, number, text)

    def _on_notice(self, code: int, text: str) -> None:
        if code == codes.TOO_MANY_MESSAGES:
            log.error("the gateway counts too many messages (%d: %s): it may hang up", code, text)
        elif codes.is_notice(code):
            log.info("notice %d: %s", code, text)
        elif not (code == codes.VALIDATION and self._contracts.refuse_rule(code, text)):
            self._link.begin(f"notice {code}", f"unknown notice {code}: {text}")
