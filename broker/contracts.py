"""Tickers to IB contracts and back: contract details, market rules, trading hours of today."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final

from ib_async.contract import Contract, ContractDetails
from ib_async.objects import PriceIncrement

from broker.errors import ContractUnknown, RequestRefused, RequestTimedOut, UnknownBrokerWord
from broker.requests import Requests
from broker.times import epoch_ms
from core.market import Instrument

NO_SECURITY = 200

CONTRACT_SECONDS: Final = 5.0
"""They come within a second; whoever connects may have positions to protect, and asks for what is missing later."""

Increments = tuple[tuple[Decimal, Decimal], ...]

PENNIES: Final[Increments] = ((Decimal(0), Decimal("0.01")),)
"""Whole cents are multiples of every increment of a US stock, so that no price is refused for want of the rule."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Listing:
    """What we know of a ticker: its contract, the core's instrument, and the regular hours of the days to come."""

    contract: Contract
    instrument: Instrument
    regular_hours: tuple[tuple[int, int], ...]  # (open, close) in UTC epoch ms; empty when they can't be read
    odd: tuple[str, ...] = ()  # what could not be read, and what is done instead, in words

    def regular_close_ms(self, at_ms: int) -> int | None:
        """The close of the regular session that contains this moment."""
        return next((close for start, close in self.regular_hours if start <= at_ms <= close), None)


class Contracts:
    """The listings of the session's tickers, read once and kept across reconnects."""

    def __init__(self, requests: Requests, gateway_zone: str) -> None:
        self._requests = requests
        self._gateway_zone = gateway_zone
        self._listings: dict[str, Listing] = {}
        self._increments: dict[int, Increments] = {}  # by market rule
        self._rule_id = 0  # the one asked for last
        self._one_rule = asyncio.Lock()
        self._unknown: dict[str, ContractUnknown] = {}  # why a ticker has no listing
        self._ticker_by_con_id: dict[int, str] = {}
        self._foreign: dict[str, Contract] = {}  # US stocks that are not the session's, as the broker named them

    async def read(self, client: Any, tickers: Iterable[str]) -> tuple[Instrument | ContractUnknown, ...]:
        """Contract details and market rules of each ticker, or why there are none; asked for where not yet known.

        All at once: a gateway that gives none costs one timeout, not one for each. Raises BrokerUnavailable.
        """
        return tuple(await asyncio.gather(*(self._read_one(client, ticker) for ticker in tickers)))

    def has_any(self) -> bool:
        """Whether any contract has been read."""
        return bool(self._listings)

    def oddities(self) -> tuple[str, ...]:
        """What the broker said of tickers that could not be read, and what is done instead, in words."""
        return tuple(f"{ticker}: {words}" for ticker, one in self._listings.items() for words in one.odd)

    def latest_close_ms(self, open_ms: int, close_ms: int) -> int | None:
        """The last close of the regular hours that begin in this time, of any ticker; None where none are told."""
        hours = [span for one in self._listings.values() for span in one.regular_hours]
        return max((end for start, end in hours if open_ms <= start < close_ms), default=None)

    def listing(self, ticker: str) -> Listing:
        """What was read of a ticker. Raises ContractUnknown when it was not read."""
        listing = self._listings.get(ticker)
        if listing is None:
            raise self._unknown.get(ticker) or ContractUnknown(ticker, "its contract has not been read")
        return listing

    def for_order(self, ticker: str) -> Contract:
        """The US stock of this name, a foreign one too. Raises ContractUnknown when the broker has named none.

        Never read by its symbol alone: an order has to go to the very instrument that is held.
        """
        listing = self._listings.get(ticker)
        contract = listing.contract if listing is not None else self._foreign.get(ticker)
        if contract is None:
            raise ContractUnknown(ticker, "the broker has named no US stock so: trade it in TWS")
        return contract

    def set_shortable(self, ticker: str, *, shortable: bool) -> Instrument | None:
        """Take what the market data says of borrowing; the changed instrument, or None when it says nothing new."""
        listing = self.listing(ticker)
        if listing.instrument.shortable is shortable:
            return None
        instrument = replace(listing.instrument, shortable=shortable)
        self._listings[ticker] = replace(listing, instrument=instrument)
        return instrument

    def ticker_of(self, contract: Contract) -> str:
        """Our ticker of a contract; anything else gets a name that is no ticker (an option on SOXL is not SOXL)."""
        known = self._ticker_by_con_id.get(contract.conId)
        if known is not None:
            return known
        if contract.secType == "STK" and contract.currency == "USD" and self._names_it(contract):
            return contract.symbol
        return f"{contract.localSymbol or contract.symbol} ({contract.secType} {contract.currency})"

    def _names_it(self, stock: Contract) -> bool:
        """Whether the symbol means this stock and no other; it is kept, should its shares have to be sold."""
        symbol, con_id = stock.symbol, stock.conId
        if symbol in self._listings:
            return False
        if con_id and symbol not in self._foreign:
            self._foreign[symbol] = _us_stock(symbol, con_id)
        return symbol not in self._foreign or self._foreign[symbol].conId == con_id

    async def _read_one(self, client: Any, ticker: str) -> Instrument | ContractUnknown:
        if ticker not in self._listings:
            try:
                await self._ask(client, ticker)
            except ContractUnknown as unknown:
                self._unknown[ticker] = unknown
                return unknown
        return self._listings[ticker].instrument

    async def _ask(self, client: Any, ticker: str) -> None:
        """Details that can't be read are replaced by what is safe, and told: they must not keep a position open."""
        details = await self._details(client, ticker)
        contract = details.contract
        if contract is None or contract.conId <= 0:
            raise ContractUnknown(ticker, f"contract = {contract} in the broker's details names no stock")
        odd: list[str] = []
        increments = await self._read_increments(client, details, odd)
        hours: tuple[tuple[int, int], ...] = ()
        try:
            hours = _regular_hours(details.liquidHours, details.timeZoneId or self._gateway_zone)
        except UnknownBrokerWord as problem:
            odd.append(f"{problem}; after the last trade no bars are filled in")
        for words in odd:
            log.warning("%s: %s", ticker, words)
        instrument = Instrument(ticker, contract.conId, increments, stock_type=details.stockType)
        self._listings[ticker] = Listing(_us_stock(ticker, contract.conId), instrument, hours, tuple(odd))
        self._ticker_by_con_id[contract.conId] = ticker

    async def _details(self, client: Any, ticker: str) -> ContractDetails:
        key = self._requests.next_id()
        wanted = _us_stock(ticker)
        words = f"the contract details of {ticker}"
        try:
            found = await self._requests.ask(
                key, words, lambda: client.reqContractDetails(key, wanted), timeout_seconds=CONTRACT_SECONDS
            )
        except RequestRefused as refused:
            known = "the broker knows no such US stock" if refused.code == NO_SECURITY else f"{words} were refused"
            raise ContractUnknown(ticker, f"{known} ({refused.code}: {refused.text})") from refused
        except RequestTimedOut as silent:
            raise ContractUnknown(ticker, str(silent)) from silent
        if len(found) != 1:
            raise ContractUnknown(ticker, f"the broker knows {len(found)} US stocks of that name, exactly 1 is needed")
        details: ContractDetails = found[0]
        return details

    async def _read_increments(self, client: Any, details: ContractDetails, odd: list[str]) -> Increments:
        """By the market rule, asked for once; `odd` hears why it is whole cents instead. Raises BrokerUnavailable."""
        try:
            rule_id = _smart_rule_id(details)
        except UnknownBrokerWord as problem:
            odd.append(f"{problem}; prices go by whole cents")
            return PENNIES
        async with self._one_rule:
            if rule_id not in self._increments:
                try:
                    self._increments[rule_id] = await self._ask_rule(client, rule_id)
                except (UnknownBrokerWord, RequestRefused, RequestTimedOut) as problem:
                    odd.append(f"{problem}; prices go by whole cents")
                    self._increments[rule_id] = PENNIES
        return self._increments[rule_id]

    async def _ask_rule(self, client: Any, rule_id: int) -> Increments:
        self._rule_id, words = rule_id, f"market rule {rule_id}"
        rows: list[list[PriceIncrement]] = await self._requests.ask(
            ("rule", rule_id), words, lambda: client.reqMarketRule(rule_id), timeout_seconds=CONTRACT_SECONDS
        )
        return _bands(words, rows[0])

    # --- called by the decoder ---

    def refuse_rule(self, code: int, text: str) -> bool:
        """An error that names no request; True when a market rule is being asked for: that question has no id."""
        return self._requests.refuse(("rule", self._rule_id), code, text)

    def on_details(self, request_id: int, details: ContractDetails) -> None:
        """One match."""
        self._requests.add(request_id, details)

    def on_details_end(self, request_id: int) -> None:
        """No more matches."""
        self._requests.finish(request_id)

    def on_market_rule(self, rule_id: int, increments: list[PriceIncrement]) -> None:
        """The answer to a market rule, which carries the rule's id only."""
        self._requests.add(("rule", rule_id), increments)
        self._requests.finish(("rule", rule_id))


def _us_stock(symbol: str, con_id: int = 0) -> Contract:
    return Contract(conId=con_id, symbol=symbol, secType="STK", exchange="SMART", currency="USD")


def _smart_rule_id(details: ContractDetails) -> int:
    """The market rule that belongs to SMART: the lists of exchanges and rules run in parallel."""
    rules = dict(zip(details.validExchanges.split(","), details.marketRuleIds.split(","), strict=False))
    text = rules.get("SMART", "")
    if not text.isdecimal():
        raise UnknownBrokerWord("marketRuleIds", details.marketRuleIds, "a number for SMART is needed")
    return int(text)


def _bands(words: str, rows: Iterable[PriceIncrement]) -> Increments:
    """(From this price up, increment) in rising order. Raises UnknownBrokerWord."""
    bands = sorted((row.lowEdge, row.increment) for row in rows)
    if not bands or not all(0 <= edge < math.inf and 0 < increment < math.inf for edge, increment in bands):
        raise UnknownBrokerWord(words, bands, "increments above zero are needed")
    return tuple((Decimal(repr(edge)), Decimal(repr(increment))) for edge, increment in bands)


def _regular_hours(liquid_hours: str, zone: str) -> tuple[tuple[int, int], ...]:
    """Read `20250312:0930-20250312:1600;20250315:CLOSED;...`. Raises UnknownBrokerWord."""
    days = [day.partition("-") for day in liquid_hours.split(";")]
    try:
        return tuple((_hour_ms(start, zone), _hour_ms(end, zone)) for start, dash, end in days if dash)
    except (ValueError, OverflowError, KeyError, OSError) as odd:  # the last two: a zone that does not exist
        raise UnknownBrokerWord(f"liquidHours in {zone}", liquid_hours, str(odd)) from odd


def _hour_ms(text: str, zone: str) -> int:
    day, _, clock = text.partition(":")
    return epoch_ms(f"{day} {clock[:2]}:{clock[2:]}:00 {zone}", zone)
