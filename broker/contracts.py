"""Tickers to IB contracts and back: contract details, market rules, trading hours of today."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from ib_async.contract import Contract, ContractDetails
from ib_async.objects import PriceIncrement

from broker.errors import BrokerUnavailable, ContractUnknown, RequestRefused
from broker.requests import Requests
from broker.times import epoch_ms
from core.market import Instrument

NO_SECURITY = 200


@dataclass(frozen=True, slots=True)
class Listing:
    """What we know of a ticker: its contract, the core's instrument, and the regular hours of the days to come."""

    contract: Contract
    instrument: Instrument
    regular_hours: tuple[tuple[int, int], ...]  # (open, close) in UTC epoch ms

    def regular_close_ms(self, at_ms: int) -> int | None:
        """The close of the regular session that contains this moment."""
        return next((close for start, close in self.regular_hours if start <= at_ms <= close), None)


class Contracts:
    """The listings of the session's tickers, read once and kept across reconnects."""

    def __init__(self, requests: Requests, gateway_zone: str) -> None:
        self._requests = requests
        self._gateway_zone = gateway_zone
        self._listings: dict[str, Listing] = {}
        self._unknown: dict[str, ContractUnknown] = {}  # why a ticker has no listing
        self._ticker_by_con_id: dict[int, str] = {}
        self._foreign: dict[str, Contract] = {}  # US stocks that are not the session's, as the broker named them

    async def read(self, client: Any, tickers: Iterable[str]) -> tuple[Instrument | ContractUnknown, ...]:
        """Contract details and market rules of each ticker, or why there are none; asked for where not yet known.

        Raises BrokerUnavailable.
        """
        rules: dict[int, tuple[tuple[Decimal, Decimal], ...]] = {}
        return tuple([await self._read_one(client, ticker, rules) for ticker in tickers])

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

    async def _read_one(
        self, client: Any, ticker: str, rules: dict[int, tuple[tuple[Decimal, Decimal], ...]]
    ) -> Instrument | ContractUnknown:
        if ticker not in self._listings:
            try:
                await self._ask(client, ticker, rules)
            except ContractUnknown as unknown:
                self._unknown[ticker] = unknown
                return unknown
        return self._listings[ticker].instrument

    async def _ask(self, client: Any, ticker: str, rules: dict[int, tuple[tuple[Decimal, Decimal], ...]]) -> None:
        details = await self._details(client, ticker)
        rule_id = _smart_rule_id(details)
        if rule_id is None:
            increments: tuple[tuple[Decimal, Decimal], ...] = ((Decimal(0), Decimal(repr(details.minTick))),)
        else:
            if rule_id not in rules:
                rules[rule_id] = await self._increments(client, rule_id)
            increments = rules[rule_id]
        contract = details.contract
        if contract is None:
            raise ContractUnknown(ticker, "the broker's details hold no contract")
        instrument = Instrument(ticker, contract.conId, increments, stock_type=details.stockType)
        hours = tuple(_regular_hours(details.liquidHours, details.timeZoneId or self._gateway_zone))
        self._listings[ticker] = Listing(_us_stock(ticker, contract.conId), instrument, hours)
        self._ticker_by_con_id[contract.conId] = ticker

    async def _details(self, client: Any, ticker: str) -> ContractDetails:
        key = self._requests.next_id()
        wanted = _us_stock(ticker)
        words = f"the contract details of {ticker}"
        try:
            found = await self._requests.ask(key, words, lambda: client.reqContractDetails(key, wanted))
        except RequestRefused as refused:
            if refused.code == NO_SECURITY:
                raise ContractUnknown(ticker, f"the broker knows no such US stock ({refused.text})") from refused
            raise
        if len(found) != 1:
            raise ContractUnknown(ticker, f"the broker knows {len(found)} US stocks of that name, exactly 1 is needed")
        details: ContractDetails = found[0]
        return details

    async def _increments(self, client: Any, rule_id: int) -> tuple[tuple[Decimal, Decimal], ...]:
        words = f"market rule {rule_id}"
        rows: list[list[PriceIncrement]] = await self._requests.ask(
            ("rule", rule_id), words, lambda: client.reqMarketRule(rule_id)
        )
        bands = sorted((Decimal(repr(row.lowEdge)), Decimal(repr(row.increment))) for row in rows[0])
        if not bands or any(increment <= 0 for _, increment in bands):
            raise BrokerUnavailable(RequestRefused(words, 0, "").why, f"{words} holds no usable increment: {bands}")
        return tuple(bands)

    # --- called by the decoder ---

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


def _smart_rule_id(details: ContractDetails) -> int | None:
    """The market rule that belongs to SMART: the lists of exchanges and rules run in parallel."""
    rules = dict(zip(details.validExchanges.split(","), details.marketRuleIds.split(","), strict=False))
    text = rules.get("SMART", "")
    return int(text) if text else None


def _regular_hours(liquid_hours: str, zone: str) -> Iterable[tuple[int, int]]:
    """Read `20250312:0930-20250312:1600;20250315:CLOSED;...`."""
    for day in liquid_hours.split(";"):
        start, dash, end = day.partition("-")
        if dash:
            yield _hour_ms(start, zone), _hour_ms(end, zone)


def _hour_ms(text: str, zone: str) -> int:
    day, _, clock = text.partition(":")
    return epoch_ms(f"{day} {clock[:2]}:{clock[2:]}:00 {zone}", zone)
