"""Error, warning and notice codes with their texts, as TWS words them."""

from __future__ import annotations

from typing import Final

MAX_RATE = 100
MAX_TICKERS = 101
DUPLICATE_TICKER = 102
HISTORY = 162
NO_DEFINITION = 200
NO_EID = 300
READING = 320
VALIDATING = 321
PROCESSING = 322
CLIENT_ID_IN_USE = 326
NOT_CLIENT_ZERO = 327
NOT_SUBSCRIBED = 354
NO_HISTORY_QUERY = 366
INVALID_REAL_TIME = 420
DELAYED_SHOWN = 10167
COMPETING_SESSION = 10197
MAX_TICK_BY_TICK = 10190
NO_DEPTH_SUBSCRIPTION = 310
NO_DEPTH = 10092
NO_NEWS_ARTICLE = 10172
NO_NEWS = 10276
BAD_END_TIME = 10314
NO_FUNDAMENTALS = 10358

TEXTS: Final = {
    MAX_TICKERS: "Max number of tickers has been reached",
    DUPLICATE_TICKER: "Duplicate ticker id",
    NO_DEFINITION: "No security definition has been found for the request",
    CLIENT_ID_IN_USE: "Unable to connect as the client id is already in use. Retry with a unique client id.",
    NOT_CLIENT_ZERO: "Only the default client (i.e 0) can auto bind orders.",
    NOT_SUBSCRIBED: "Requested market data is not subscribed.",
    10089: "Requested market data requires additional subscription for API. See link in 'Market Data Connections'"
    " dialog for more details.",
    10090: "Part of requested market data is not subscribed. Subscription-independent ticks are still active.",
    DELAYED_SHOWN: "Requested market data is not subscribed. Displaying delayed market data.",
    10168: "Requested market data is not subscribed. Delayed market data is not enabled.",
    10186: "Requested market data is not subscribed. Delayed market data is not enabled.",
    10189: "Failed to request tick-by-tick data.",
    10182: "Failed to request live updates (disconnected).",
    MAX_TICK_BY_TICK: "Max number of tick-by-tick requests has been reached.",
    NO_DEPTH: "Deep market data is not supported for this combination of security type/exchange",
    NO_NEWS_ARTICLE: "Failed to request news article:Not allowed",
    NO_NEWS: "News feed is not allowed.",
    NO_FUNDAMENTALS: "Fundamentals data is not allowed.",
    COMPETING_SESSION: "No market data during competing live session",
    BAD_END_TIME: "End Date/Time: The date, time, or time-zone entered is invalid. The correct format is yyyymmdd"
    " hh:mm:ss xx/xxxx where yyyymmdd and xx/xxxx are optional. E.g.: 20031126 15:59:00 US/Eastern  Note that there is"
    " a space between the date and time, and between the time and time-zone.  If no date is specified, current date is"
    " assumed. If no time-zone is specified, local time-zone is assumed(deprecated).  You can also provide"
    " yyyymmddd-hh:mm:ss time is in UTC. Note that there is a dash between the date and time in UTC notation.",
    1100: "Connectivity between IBKR and Trader Workstation has been lost.",
    1101: "Connectivity between IBKR and Trader Workstation has been restored - data lost.",
    1102: "Connectivity between IBKR and Trader Workstation has been restored - data maintained. All data farms are"
    " connected: usfarm; ushmds; secdefnj.",
    2103: "Market data farm connection is broken:usfarm",
    2104: "Market data farm connection is OK:usfarm",
    2105: "HMDS data farm connection is broken:ushmds",
    2106: "HMDS data farm connection is OK:ushmds",
    2107: "HMDS data farm connection is inactive but should be available upon demand.ushmds",
    2108: "Market data farm connection is inactive but should be available upon demand.usfarm",
    2110: "Connectivity between Trader Workstation and server is broken. It will be restored automatically.",
    2157: "Sec-def data farm connection is broken:secdefnj",
    2158: "Sec-def data farm connection is OK:secdefnj",
}

START_NOTICES: Final = (2104, 2106, 2158)
READ_ONLY_CAUSE: Final = "The API interface is currently in Read-Only mode."


def reading(cause: str) -> str:
    """320."""
    return f"Error reading request. {cause}"


def validating(cause: str) -> str:
    """321: a request that was read and makes no sense."""
    return f"Error validating request.-'bW' : cause - {cause}"


def history(cause: str) -> str:
    """162."""
    return f"Historical Market Data Service error message:{cause}"


def real_time(cause: str) -> str:
    """420."""
    return f"Invalid Real-time Query:{cause}"
