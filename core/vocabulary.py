"""The closed sets of words that the system speaks. Every enum's value is what is stored and shown."""

from __future__ import annotations

from enum import StrEnum


class Action(StrEnum):
    """What an order does to the position."""

    BUY = "BUY"
    SELL = "SELL"

    sign: int
    """+1 for a buy, -1 for a sell: the change of position per share."""


Action.BUY.sign, Action.SELL.sign = 1, -1  # kept, not computed: a decision asks tens of times


class Side(StrEnum):
    """The direction of a signal, a position or a trade."""

    LONG = "long"
    SHORT = "short"

    sign: int
    """+1 for long, -1 for short."""

    entry_action: Action
    """The action that opens or adds to this side."""

    exit_action: Action
    """The action that reduces this side."""


Side.LONG.sign, Side.SHORT.sign = 1, -1
Side.LONG.entry_action, Side.SHORT.entry_action = Action.BUY, Action.SELL
Side.LONG.exit_action, Side.SHORT.exit_action = Action.SELL, Action.BUY


class OrderKind(StrEnum):
    """Order types that the product sends (IB's words)."""

    MARKET = "MKT"
    LIMIT = "LMT"
    STOP = "STP"


class TimeInForce(StrEnum):
    """Time in force (IB's words)."""

    DAY = "DAY"
    GTC = "GTC"
    IOC = "IOC"


class Leg(StrEnum):
    """The last part of an order's reference: what the order is for."""

    ENTRY = "entry"
    STOP = "stop"
    TARGET = "target"
    TIMED_EXIT = "timed_exit"
    EXIT = "exit"  # a market order of the exit protocol, step 3
    EMERGENCY_STOP = "emergency_stop"
    EMERGENCY_TARGET = "emergency_target"
    REPAIR = "repair"  # closes the excess of an over-fill
    OVERNIGHT_STOP = "overnight_stop"  # GTC stop for what is left at the deadline


class OrderStatus(StrEnum):
    """What the broker says of an order (IB's words, translated one to one by broker/translate)."""

    PENDING_SUBMIT = "PendingSubmit"
    API_PENDING = "ApiPending"
    PRE_SUBMITTED = "PreSubmitted"
    SUBMITTED = "Submitted"
    PENDING_CANCEL = "PendingCancel"
    API_CANCELLED = "ApiCancelled"
    CANCELLED = "Cancelled"
    FILLED = "Filled"
    INACTIVE = "Inactive"


class ErrorKind(StrEnum):
    """What a broker's error code on an order means for the order; broker/translate holds the table of codes."""

    REJECTED = "rejected"  # the order never was, or no longer is, at the broker
    MODIFY_REFUSED = "modify_refused"  # the live order stays as it was
    CANCELLED = "cancelled"  # 202: the order ended by cancellation
    NOT_FOUND = "not_found"  # 135, 10147: the broker knows no such order
    NOT_CANCELLABLE = "not_cancellable"  # 161, 10148: it has already ended
    WARNING = "warning"  # the order lives on (399, 404, 2109, 10349, ...)
    UNKNOWN = "unknown"  # a code that no table holds: what it means for the order, only a read-back tells


class Link(StrEnum):
    """The state of the connection (SEMANTICS 9)."""

    CONNECTED = "connected"
    DEGRADED = "degraded"
    LOST = "lost"


class Phase(StrEnum):
    """The state of the session; entries are allowed in TRADING only."""

    STARTING = "starting"  # before the broker has been read back
    TRADING = "trading"
    SUSPENDED = "suspended"  # entries stopped by a person
    HALTED = "halted"  # closed by risk, never undone that day
    CLOSING = "closing"
    CLOSED = "closed"  # verified: flat, nothing working


class Severity(StrEnum):
    """How loud an alert is."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


class Outcome(StrEnum):
    """What a decision did."""

    ENTER = "enter"
    SCALE_IN = "scale_in"
    REVERSE = "reverse"
    REFUSE = "refuse"


class Refusal(StrEnum):
    """Why a prediction was refused: the first rule, in the order of SEMANTICS 5, that said no."""

    # 0: connection
    NOT_CONNECTED = "not_connected"
    DATA_STALE = "data_stale"
    # 1: session
    SESSION_STARTING = "session_starting"
    SESSION_SUSPENDED = "session_suspended"
    SESSION_HALTED = "session_halted"
    SESSION_CLOSING = "session_closing"
    MARKET_NOT_OPEN = "market_not_open"
    # 2: signal
    UNREADABLE = "unreadable"
    UNKNOWN_TICKER = "unknown_ticker"
    WRONG_TICKER = "wrong_ticker"
    CONFIDENCE_INVALID = "confidence_invalid"
    STALE = "stale"
    FROM_FUTURE = "from_future"
    DUPLICATE = "duplicate"
    NO_SIDE = "no_side"
    BELOW_THRESHOLD = "below_threshold"
    # 3: risk (section 8)
    MAX_DAILY_LOSS = "max_daily_loss"
    MAX_POSITION_VALUE = "max_position_value"
    MAX_POSITION_SHARES = "max_position_shares"
    MAX_GROSS_EXPOSURE = "max_gross_exposure"
    MAX_SECTOR_EXPOSURE = "max_sector_exposure"
    MAX_PAIR_BET = "max_pair_bet"
    MAX_PORTFOLIO_HEAT = "max_portfolio_heat"
    MAX_SPREAD = "max_spread"
    PRICE_JUMP = "price_jump"
    MAX_TICKER_TRADES = "max_ticker_trades"
    MAX_SESSION_TRADES = "max_session_trades"
    MAX_ORDERS_PER_MINUTE = "max_orders_per_minute"
    REJECTS_IN_A_ROW = "rejects_in_a_row"
    STOP_OUTS_IN_A_ROW = "stop_outs_in_a_row"
    BUYING_POWER = "buying_power"
    NOT_SHORTABLE = "not_shortable"
    PNL_UNKNOWN = "pnl_unknown"
    TICKER_BLOCKED = "ticker_blocked"
    FOREIGN_POSITION = "foreign_position"
    REJECT_PAUSE = "reject_pause"
    # 4-7: the position
    ORDER_IN_FLIGHT = "order_in_flight"
    COOLDOWN = "cooldown"
    SAME_SIDE_WEAK = "same_side_weak"
    SAME_SIDE_NO_MOVE = "same_side_no_move"
    SAME_SIDE_MAX_ADDS = "same_side_max_adds"
    # pricing and sizing
    ATR_NOT_READY = "atr_not_ready"
    ATR_STALE = "atr_stale"
    NO_FRESH_PRICE = "no_fresh_price"
    PRICE_INVALID = "price_invalid"
    SIZE_INVALID = "size_invalid"
    SIZE_BELOW_ONE_SHARE = "size_below_one_share"
    TARGET_INSIDE_COSTS = "target_inside_costs"
    CONTRACT_UNKNOWN = "contract_unknown"


class ExitReason(StrEnum):
    """Why a position ended, or is being ended."""

    STOP = "stop"
    TARGET = "target"
    TIMED_EXIT = "timed_exit"
    REVERSAL = "reversal"
    CLOSURE = "closure"
    FLATTEN = "flatten"
    LOSS_LIMIT = "loss_limit"
    RECOVERY = "recovery"
    OVERFILL = "overfill"
    EXTERNAL = "external"  # closed by hand or by another client
