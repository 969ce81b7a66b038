"""Messages about instruments: contractDetails (10), symbolSamples (79), and the contract fields inside others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from simulator.model import Instrument, PositionRow, dollars
from simulator.wire import fields, versions
from simulator.wire.framing import payload_of
from simulator.wire.times import ZONE_NAME, eastern

ORDER_TYPES: Final = (
    "ACTIVETIM,ADJUST,ALERT,ALLOC,AVGCOST,BASKET,DAY,FOK,GAT,GTC,GTD,GTT,IOC,LIT,LMT,LOC,MKT,MOC,OCA,OPG,SIZECHK,STP,"
    "STPLMT,TRAIL,WHATIF"
)
EXCHANGES: Final = ("SMART", "AMEX", "NYSE", "CBOE", "ARCA", "NASDAQ", "BATS", "IEX", "EDGX", "MEMX")
Session = tuple[str, int, int, int, int]
"""(YYYYMMDD, trading start, trading end, regular start, regular end), epoch ms, zeros on a closed day."""


def echo(instrument: Instrument, right: str = "?", strike: str = "0", exchange: str = "") -> list[str]:
    """conId, symbol, secType, expiry, strike, right, multiplier, exchange, currency, localSymbol, tradingClass."""
    return [
        str(instrument.con_id),
        instrument.symbol,
        instrument.sec_type,
        "",
        strike,
        right,
        "",
        exchange or instrument.exchange,
        instrument.currency,
        instrument.local_symbol,
        instrument.trading_class,
    ]


def contract_details(
    version: int, request_id: int, instrument: Instrument, exchange: str, schedule: Sequence[Session]
) -> bytes:
    """10: version field and mdSizeMultiplier before 164, sizeMinTick only at 163, three size fields from 164 on."""
    old = version < versions.SIZE_RULES
    body = ["10", *(["8"] if old else []), str(request_id), instrument.symbol, instrument.sec_type, "", "0", ""]
    body += [exchange or instrument.exchange, instrument.currency, instrument.local_symbol, instrument.market_name]
    body += [instrument.trading_class, str(instrument.con_id), fields.price(dollars(instrument.min_tick))]
    body += [*(["100"] if old else []), "", ORDER_TYPES, ",".join(EXCHANGES), "1", "0"]
    body += [fields.text(instrument.long_name), instrument.primary_exchange, ""]
    body += [instrument.industry, instrument.category, instrument.subcategory, ZONE_NAME]
    body += [hours((day, start, end) for day, start, end, _, _ in schedule)]
    body += [hours((day, start, end) for day, _, _, start, end in schedule)]
    body += ["", "", *(["1", "ISIN", instrument.isin] if instrument.isin else ["0"]), "1", "", ""]
    body += [",".join([str(instrument.market_rule_id)] * len(EXCHANGES)), "", instrument.stock_type]
    if version == versions.SIZE_MIN_TICK:
        body += ["1"]
    if not old:
        body += ["0.0001", "0.0001", "100"]
    return payload_of(body)


def hours(days: Iterable[tuple[str, int, int]]) -> str:
    """`20250312:0930-20250312:1600;20250315:CLOSED`, wall times of the instrument's zone."""
    return ";".join(
        f"{eastern(start):%Y%m%d:%H%M}-{eastern(end):%Y%m%d:%H%M}" if end > start else f"{day}:CLOSED"
        for day, start, end in days
    )


def symbol_samples(version: int, request_id: int, instruments: Sequence[Instrument]) -> bytes:
    """79: description and issuerId from 176 on."""
    body = ["79", str(request_id), str(len(instruments))]
    for instrument in instruments:
        body += [str(instrument.con_id), instrument.symbol, instrument.sec_type, instrument.primary_exchange]
        body += [instrument.currency, "0"]
        if version >= versions.ISSUER_ID:
            body += [fields.text(instrument.long_name), ""]
    return payload_of(body)


def position(row: PositionRow) -> bytes:
    """61: the exchange is the primary one, as recorded."""
    instrument = row.instrument
    contract = echo(instrument, right="", strike="0.0", exchange=instrument.primary_exchange)
    return payload_of(("61", "3", row.account, *contract, fields.size(row.quantity), fields.price(row.average_cost)))


def position_multi(request_id: int, row: PositionRow, model: str) -> bytes:
    """71: the same of one account, with the request's id."""
    instrument = row.instrument
    contract = echo(instrument, right="", strike="0.0", exchange=instrument.primary_exchange)
    return payload_of(
        (
            "71",
            "1",
            str(request_id),
            row.account,
            *contract,
            fields.size(row.quantity),
            fields.price(row.average_cost),
            model,
        )
    )


def portfolio_value(row: PositionRow) -> bytes:
    """7: the primary exchange takes the place of the exchange."""
    contract = echo(row.instrument, right="0", exchange=row.instrument.primary_exchange)
    return payload_of(
        (
            "7",
            "8",
            *contract,
            fields.size(row.quantity),
            fields.price(dollars(row.market_price)),
            fields.price(dollars(row.market_value)),
            fields.price(row.average_cost),
            fields.price(dollars(row.unrealized_pnl)),
            fields.price(dollars(row.realized_pnl)),
            row.account,
        )
    )
