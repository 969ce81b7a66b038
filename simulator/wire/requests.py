"""What clients ask for: one frozen dataclass a request, each read from the fields after the message id.

Field orders are those of server versions 157..178. A reader raises FieldError at a field that it cannot read; fields
that no answer depends on are passed over, and optional ones at the end may be missing.
"""

from __future__ import annotations

from dataclasses import dataclass

from simulator.wire import versions
from simulator.wire.fields import FieldReader


@dataclass(frozen=True, slots=True)
class ContractText:
    """The twelve contract fields as the client wrote them; con_id 0 means not given."""

    con_id: int
    symbol: str
    sec_type: str
    exchange: str
    primary_exchange: str
    currency: str
    local_symbol: str
    trading_class: str

    @staticmethod
    def read(reader: FieldReader) -> ContractText:
        """Read conId, symbol, secType, expiry, strike, right, multiplier, exchanges, currency, local symbol, class."""
        con_id = reader.integer("conId")
        symbol, sec_type = reader.text("symbol"), reader.text("secType")
        reader.skip("lastTradeDateOrContractMonth")
        reader.number("strike")
        reader.skip("right")
        reader.skip("multiplier")
        exchange, primary, currency = reader.text("exchange"), reader.text("primaryExchange"), reader.text("currency")
        local_symbol, trading_class = reader.text("localSymbol"), reader.text("tradingClass")
        return ContractText(con_id, symbol, sec_type, exchange, primary, currency, local_symbol, trading_class)


def _skip_legs(reader: FieldReader, contract: ContractText, fields_each: int) -> None:
    if contract.sec_type == "BAG":
        reader.skip("combo leg", reader.count("comboLegs", fields_each) * fields_each)


@dataclass(frozen=True, slots=True)
class StartApi:
    """71."""

    client_id: int

    @staticmethod
    def read(reader: FieldReader, version: int) -> StartApi:
        """version, clientId, optionalCapabilities."""
        reader.skip("version")
        return StartApi(reader.integer("clientId"))


@dataclass(frozen=True, slots=True)
class MarketData:
    """1: reqMktData."""

    request_id: int
    contract: ContractText
    generic_ticks: str
    snapshot: bool

    @staticmethod
    def read(reader: FieldReader, version: int) -> MarketData:
        """version, reqId, contract, [legs], deltaNeutral, genericTicks, snapshot, regulatorySnapshot, options."""
        reader.skip("version")
        request_id = reader.identity("reqId")
        contract = ContractText.read(reader)
        _skip_legs(reader, contract, 4)
        if reader.flag("deltaNeutralContract"):
            reader.skip("deltaNeutralContract", 3)
        generic_ticks, snapshot = reader.text("genericTicks"), reader.flag("snapshot")
        regulatory = reader.flag("regulatorySnapshot") if reader.left else False
        return MarketData(request_id, contract, generic_ticks, snapshot or regulatory)


@dataclass(frozen=True, slots=True)
class RequestId:
    """A request that says only which one: cancels, 104 and others with a version field before the id."""

    request_id: int

    @staticmethod
    def read(reader: FieldReader, version: int) -> RequestId:
        """version, id."""
        reader.skip("version")
        return RequestId(reader.identity("reqId"))

    @staticmethod
    def read_bare(reader: FieldReader, version: int) -> RequestId:
        """id, without a version field."""
        return RequestId(reader.identity("reqId"))


@dataclass(frozen=True, slots=True)
class Nothing:
    """A request without arguments."""

    @staticmethod
    def read(reader: FieldReader, version: int) -> Nothing:
        """Perhaps a version."""
        return Nothing()


@dataclass(frozen=True, slots=True)
class Switch:
    """15 autoOpenOrders, 99 completedOrders (api only): a flag."""

    on: bool

    @staticmethod
    def read(reader: FieldReader, version: int) -> Switch:
        """version, flag."""
        reader.skip("version")
        return Switch(reader.flag("flag"))

    @staticmethod
    def read_bare(reader: FieldReader, version: int) -> Switch:
        """flag, without a version field."""
        return Switch(reader.flag("flag"))


@dataclass(frozen=True, slots=True)
class CancelOrder:
    """4."""

    order_id: int

    @staticmethod
    def read(reader: FieldReader, version: int) -> CancelOrder:
        """version, orderId, manualOrderCancelTime from 169 on."""
        reader.skip("version")
        return CancelOrder(reader.identity("orderId"))


@dataclass(frozen=True, slots=True)
class AccountUpdates:
    """6."""

    subscribe: bool
    account: str

    @staticmethod
    def read(reader: FieldReader, version: int) -> AccountUpdates:
        """version, subscribe, account."""
        reader.skip("version")
        return AccountUpdates(reader.flag("subscribe"), reader.optional_text())


@dataclass(frozen=True, slots=True)
class Executions:
    """7: reqExecutions; an empty filter field and client id 0 match all."""

    request_id: int
    client_id: int
    account: str
    time: str
    symbol: str
    sec_type: str
    exchange: str
    side: str

    @staticmethod
    def read(reader: FieldReader, version: int) -> Executions:
        """version, reqId, clientId, account, time, symbol, secType, exchange, side."""
        reader.skip("version")
        request_id, client_id = reader.identity("reqId"), reader.integer("clientId")
        names = ("account", "time", "symbol", "secType", "exchange", "side")
        return Executions(request_id, client_id, *(reader.text(name) for name in names))


@dataclass(frozen=True, slots=True)
class ContractDetails:
    """9: reqContractDetails."""

    request_id: int
    contract: ContractText
    sec_id_type: str
    sec_id: str

    @staticmethod
    def read(reader: FieldReader, version: int) -> ContractDetails:
        """version, reqId, contract, includeExpired, secIdType, secId, issuerId from 176 on."""
        reader.skip("version")
        request_id, contract = reader.identity("reqId"), ContractText.read(reader)
        reader.flag("includeExpired")
        found = ContractDetails(request_id, contract, reader.text("secIdType"), reader.text("secId"))
        if version >= versions.ISSUER_ID:
            reader.optional_text()
        return found


@dataclass(frozen=True, slots=True)
class History:
    """20: reqHistoricalData; `use_rth` true means regular hours only."""

    request_id: int
    contract: ContractText
    end: str
    bar_size: str
    duration: str
    use_rth: bool
    what_to_show: str
    format_date: int
    keep_up_to_date: bool

    @staticmethod
    def read(reader: FieldReader, version: int) -> History:
        """reqId, contract, expired, end, barSize, duration, useRTH, whatToShow, formatDate, [legs], keep, options."""
        request_id, contract = reader.identity("reqId"), ContractText.read(reader)
        reader.flag("includeExpired")
        end, bar_size, duration = reader.text("endDateTime"), reader.text("barSize"), reader.text("duration")
        use_rth, what = reader.flag("useRTH"), reader.text("whatToShow")
        format_date = reader.integer("formatDate")
        _skip_legs(reader, contract, 4)
        keep = reader.flag("keepUpToDate") if reader.left else False
        return History(request_id, contract, end, bar_size, duration, use_rth, what, format_date, keep)


@dataclass(frozen=True, slots=True)
class RealTimeBars:
    """50: reqRealTimeBars; the bar size is 5 s whatever is asked."""

    request_id: int
    contract: ContractText
    bar_size_seconds: int
    what_to_show: str
    use_rth: bool

    @staticmethod
    def read(reader: FieldReader, version: int) -> RealTimeBars:
        """version, reqId, contract, barSize, whatToShow, useRTH, options."""
        reader.skip("version")
        request_id, contract = reader.identity("reqId"), ContractText.read(reader)
        seconds, what = reader.integer("barSize"), reader.text("whatToShow")
        return RealTimeBars(request_id, contract, seconds, what, reader.flag("useRTH"))


@dataclass(frozen=True, slots=True)
class Number:
    """8 reqIds, 14 log level, 59 market data type, 91 market rule: one whole number."""

    value: int

    @staticmethod
    def read(reader: FieldReader, version: int) -> Number:
        """version, number."""
        reader.skip("version")
        return Number(reader.integer("number"))

    @staticmethod
    def read_bare(reader: FieldReader, version: int) -> Number:
        """number, without a version field."""
        return Number(reader.integer("number"))


@dataclass(frozen=True, slots=True)
class AccountSummary:
    """62."""

    request_id: int
    group: str
    tags: tuple[str, ...]

    @staticmethod
    def read(reader: FieldReader, version: int) -> AccountSummary:
        """version, reqId, group, comma list of tags."""
        reader.skip("version")
        request_id, group = reader.identity("reqId"), reader.text("group")
        return AccountSummary(request_id, group, tuple(tag for tag in reader.text("tags").split(",") if tag))


@dataclass(frozen=True, slots=True)
class Account:
    """76 reqAccountUpdatesMulti, 92 reqPnL, 94 reqPnLSingle, 74 reqPositionsMulti: one account; con_id only for 94."""

    request_id: int
    account: str
    model: str
    con_id: int = 0

    @staticmethod
    def read_versioned(reader: FieldReader, version: int) -> Account:
        """version, reqId, account, modelCode, (ledgerAndNLV)."""
        reader.skip("version")
        return Account(reader.identity("reqId"), reader.text("account"), reader.text("modelCode"))

    @staticmethod
    def read(reader: FieldReader, version: int) -> Account:
        """reqId, account, modelCode."""
        return Account(reader.identity("reqId"), reader.text("account"), reader.text("modelCode"))

    @staticmethod
    def read_single(reader: FieldReader, version: int) -> Account:
        """reqId, account, modelCode, conId."""
        bare = Account.read(reader, version)
        return Account(bare.request_id, bare.account, bare.model, reader.integer("conId"))


@dataclass(frozen=True, slots=True)
class MatchingSymbols:
    """81."""

    request_id: int
    pattern: str

    @staticmethod
    def read(reader: FieldReader, version: int) -> MatchingSymbols:
        """reqId, pattern."""
        return MatchingSymbols(reader.identity("reqId"), reader.text("pattern"))


@dataclass(frozen=True, slots=True)
class HeadTimestamp:
    """87."""

    request_id: int
    contract: ContractText
    use_rth: bool
    what_to_show: str
    format_date: int

    @staticmethod
    def read(reader: FieldReader, version: int) -> HeadTimestamp:
        """reqId, contract, includeExpired, useRTH, whatToShow, formatDate."""
        request_id, contract = reader.identity("reqId"), ContractText.read(reader)
        reader.flag("includeExpired")
        use_rth = reader.flag("useRTH")
        return HeadTimestamp(request_id, contract, use_rth, reader.text("whatToShow"), reader.integer("formatDate"))


@dataclass(frozen=True, slots=True)
class TickByTick:
    """97: Last, AllLast, BidAsk or MidPoint."""

    request_id: int
    contract: ContractText
    kind: str
    past_ticks: int
    ignore_size: bool

    @staticmethod
    def read(reader: FieldReader, version: int) -> TickByTick:
        """reqId, contract, tickType, numberOfTicks, ignoreSize."""
        request_id, contract = reader.identity("reqId"), ContractText.read(reader)
        return TickByTick(
            request_id, contract, reader.text("tickType"), reader.integer("numberOfTicks"), reader.flag("ignoreSize")
        )
