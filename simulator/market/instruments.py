"""What the exchange lists: contract facts and market rules."""

from __future__ import annotations

import zlib
from decimal import Decimal
from types import MappingProxyType

from simulator.model import CENT, Instrument, Price

MARKET_RULES: MappingProxyType[int, tuple[tuple[Price, Price], ...]] = MappingProxyType(
    {
        26: ((0, CENT),),
        635: ((0, 1), (10_000, CENT)),  # below a dollar the increment is 0.0001 (SEC rule 612)
    }
)
"""Market rule id: (low edge, increment) pairs, rising."""

PENNY_STOCK_BELOW: Price = 50_000
"""An instrument whose level is below five dollars gets the rule with the sub-dollar band."""

_ETF_RATE, _LEVERAGED_RATE, _VOLATILE_RATE = Decimal("0.25"), Decimal("0.75"), Decimal("0.50")

# symbol: conId, primary exchange, name, stock type, category, initial margin rate
_KNOWN: dict[str, tuple[int, str, str, str, str, Decimal]] = {
    "CVNA": (273982664, "NYSE", "CARVANA CO", "COMMON", "Retail", _VOLATILE_RATE),
    "UVXY": (737893512, "CBOE", "PROSHARES ULTRA VIX ST FUTUR", "ETF", "Volatility", _LEVERAGED_RATE),
    "SOXL": (72539725, "ARCA", "DIREXION DAILY SEMI BULL 3X", "ETF", "Semiconductors", _LEVERAGED_RATE),
    "SOXS": (647623418, "ARCA", "DIREXION DAILY SEMI BEAR 3X", "ETF", "Semiconductors", _LEVERAGED_RATE),
    "TQQQ": (72539702, "NASDAQ", "PROSHARES ULTRAPRO QQQ", "ETF", "Nasdaq", _LEVERAGED_RATE),
    "SQQQ": (667434741, "NASDAQ", "PROSHARES ULTRAPRO SHORT QQQ", "ETF", "Nasdaq", _LEVERAGED_RATE),
    "GLD": (51529211, "ARCA", "SPDR GOLD SHARES", "ETF", "Metals", _ETF_RATE),
    "SLV": (39039301, "ARCA", "ISHARES SILVER TRUST", "ETF", "Metals", _ETF_RATE),
    "SPY": (756733, "ARCA", "SS SPDR S&P 500 ETF TRUST-US", "ETF", "Equity", _ETF_RATE),
    "AIG": (68053966, "NYSE", "AMERICAN INTERNATIONAL GROUP", "COMMON", "Insurance", _ETF_RATE),
    "BAC": (10098, "NYSE", "BANK OF AMERICA CORP", "COMMON", "Banks", _ETF_RATE),
    "IBM": (8314, "NYSE", "INTL BUSINESS MACHINES CORP", "COMMON", "Computers", _ETF_RATE),
}

DEFAULT_TICKERS = ("CVNA", "UVXY", "SOXL", "SOXS", "TQQQ", "SQQQ", "GLD", "SLV")


def instrument(symbol: str, level: Price) -> Instrument:
    """The contract of a ticker trading around `level`; an unknown ticker gets a made-up but stable conId."""
    made_up = (
        900_000_000 + zlib.crc32(symbol.encode()) % 90_000_000,
        "NASDAQ",
        f"{symbol} INC",
        "COMMON",
        "",
        _ETF_RATE,
    )
    con_id, primary, name, stock_type, category, rate = _KNOWN.get(symbol, made_up)
    rule = 635 if level < PENNY_STOCK_BELOW else 26
    return Instrument(
        con_id=con_id,
        symbol=symbol,
        primary_exchange=primary,
        long_name=name,
        stock_type=stock_type,
        market_rule_id=rule,
        min_tick=min(step for _, step in MARKET_RULES[rule]),
        trading_class="NMS" if stock_type == "COMMON" else symbol,
        industry="Financial" if stock_type == "ETF" else "Consumer, Cyclical",
        category=category,
        subcategory=category,
        isin=_isin(symbol),
        initial_margin_rate=rate,
        maintenance_margin_rate=rate,
    )


def increment_at(rule_id: int, price: Price) -> Price:
    """The increment which a market rule demands at a price."""
    return max((low, step) for low, step in MARKET_RULES[rule_id] if low <= abs(price))[1]


def _isin(symbol: str) -> str:
    """A well-formed made-up ISIN (with its Luhn digit); real ones are not needed by anyone here."""
    body = f"US{zlib.crc32(symbol.encode()) % 10**9:09d}"
    digits = "".join(str(int(letter, 36)) for letter in body)
    total = sum(sum(divmod(int(digit) * (2 - index % 2), 10)) for index, digit in enumerate(reversed(digits)))
    return f"{body}{-total % 10}"
