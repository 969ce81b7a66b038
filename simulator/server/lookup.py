"""From a contract as the client wrote it to an instrument of the venue."""

from __future__ import annotations

from simulator.model import Instrument
from simulator.venue import Venue
from simulator.wire.contracts import EXCHANGES
from simulator.wire.requests import ContractText

_OLD_NAMES = {"NASDAQ": "ISLAND", "CBOE": "BATS"}
"""Exchanges that clients still call by an earlier name."""


def find_instrument(venue: Venue, contract: ContractText, sec_id_type: str = "", sec_id: str = "") -> Instrument | None:
    """The one instrument that matches every field given; None when there is none (error 200)."""
    symbol = contract.symbol or contract.local_symbol
    if sec_id_type == "ISIN" and sec_id and not symbol and not contract.con_id:
        return next((one for one in venue.instruments() if one.isin == sec_id), None)
    if not contract.con_id and not symbol:
        return None
    found = venue.find(symbol=symbol, con_id=contract.con_id)
    if found is None or not _agrees(contract, found):
        return None
    return found


def _agrees(contract: ContractText, found: Instrument) -> bool:
    """Whether every field that the client gave fits the instrument; conId alone is enough."""
    listed = (found.primary_exchange, _OLD_NAMES.get(found.primary_exchange, ""))
    exchange_fits = contract.exchange in ("", *listed, *EXCHANGES)
    return (
        contract.sec_type in (("", found.sec_type) if contract.con_id else (found.sec_type,))
        and contract.currency in ("", found.currency)
        and exchange_fits
        and contract.local_symbol in ("", found.local_symbol)
        and contract.primary_exchange in ("", "SMART", *listed)
        and contract.trading_class in ("", found.trading_class, found.symbol)
    )
