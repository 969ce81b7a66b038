"""IB's error and notice codes, each classified (WIRE 8, CASES, IB's own list). A code not here is unknown."""

from __future__ import annotations

import re
from typing import Final

from core.vocabulary import ErrorKind

_REJECTED: Final = (
    # 103 duplicate id, 106-110 not transmitted / incomplete / price, 111-116 time in force and exchange,
    # 133 submit failed, 140/141 bad number, 154 halted, 163/164 percentage check, 200/203 contract, 201, 320-322
    103, 106, 107, 109, 110, 111, 113, 116, 133, 140, 141, 154, 160, 163, 164, 200, 201, 203, 320, 321, 322,
    # 347 short slot, 355/388 size rule, 361 trigger price, 382/383 size and value limits, 387 order type, 391 date,
    # 427/434/435/436/437 order fields, 460 no permission, 461/463 price
    347, 355, 361, 382, 383, 387, 388, 391, 392, 427, 434, 435, 436, 437, 460, 461, 463,
    # 10006 parent, 10020 size, 10052 time in force, 10149 id, 10243 fractions, 10268-10270 old fields, 10289 cash
    10006, 10020, 10052, 10149, 10150, 10151, 10243, 10244, 10268, 10269, 10270, 10289, 10318,
)  # fmt: skip

ORDER_ERRORS: Final[dict[int, ErrorKind]] = {
    **dict.fromkeys(_REJECTED, ErrorKind.REJECTED),
    104: ErrorKind.MODIFY_REFUSED,  # can't modify a filled order
    105: ErrorKind.MODIFY_REFUSED,  # does not match the original order
    134: ErrorKind.MODIFY_REFUSED,
    2102: ErrorKind.MODIFY_REFUSED,  # still being processed
    10326: ErrorKind.MODIFY_REFUSED,  # OCA group revision is not allowed
    10327: ErrorKind.MODIFY_REFUSED,  # OCA handling revision is not allowed
    202: ErrorKind.CANCELLED,
    135: ErrorKind.NOT_FOUND,
    10147: ErrorKind.NOT_FOUND,
    161: ErrorKind.NOT_CANCELLABLE,
    10148: ErrorKind.NOT_CANCELLABLE,
    136: ErrorKind.WARNING,  # this order can't be cancelled: it may well live
    399: ErrorKind.WARNING,  # e.g. not placed at the exchange until the open
    404: ErrorKind.WARNING,  # held while shares are located
    481: ErrorKind.WARNING,  # size reduced
    2109: ErrorKind.WARNING,  # outsideRth ignored
    2137: ErrorKind.WARNING,  # cross side
    2148: ErrorKind.WARNING,
    2161: ErrorKind.WARNING,  # price capped
    2174: ErrorKind.WARNING,  # a time without a zone
    10311: ErrorKind.WARNING,
    10349: ErrorKind.WARNING,  # TIF was set by a preset
}

SERVER_LOST: Final = frozenset({1100, 2110})
SERVER_BACK_DATA_LOST: Final = 1101
SERVER_BACK_DATA_KEPT: Final = 1102
FARM_DOWN: Final = frozenset({2103, 2105, 2157})
FARM_UP: Final = frozenset({2104, 2106, 2158, 2107, 2108})  # 2107, 2108: idle, comes up on demand
CLIENT_ID_TAKEN: Final = 326
TOO_MANY_MESSAGES: Final = 100
VALIDATION: Final = 321  # read-only mode among others
_STREAM_LOST: Final = frozenset({10182, 10225, 10197})  # the data farm's, a bust's or another login's doing
_INVALID_BARS: Final = 420  # real-time bars: paced, or refused
_NO_PERMISSION: Final = re.compile(r"permission", re.IGNORECASE)
_NOTICES: Final = frozenset(
    {0, 165, 10167, 1300}
)  # 0: near 50 messages a second; 10167: delayed data is sent instead, which marketDataType tells too

NO_HISTORY: Final = re.compile(r"returned no data|no data of type", re.IGNORECASE)
REQUEST_GONE: Final = frozenset({300, 366, 10187})  # the cancel of a request that had already ended
_ENDED_STATE: Final = re.compile(r"state:\s*(Filled|Cancelled|ApiCancelled|Inactive)", re.IGNORECASE)


def order_error_kind(code: int, text: str, *, modifying: bool) -> ErrorKind:
    """Classify an error on an order; `modifying`: a change of a live order awaits its echo, so that it is what failed.

    A code without an entry is never guessed at: UNKNOWN has the core read the broker back.
    """
    kind = ORDER_ERRORS.get(code, ErrorKind.UNKNOWN)
    if kind is ErrorKind.NOT_CANCELLABLE and "state:" in text and not _ENDED_STATE.search(text):
        return ErrorKind.WARNING  # "cannot be cancelled, state: PendingCancel": it has not ended yet
    if kind is ErrorKind.REJECTED and modifying:
        return ErrorKind.MODIFY_REFUSED
    return kind


def is_stream_lost(code: int, text: str) -> bool:
    """Whether an error ends a subscription for a reason that is none of its ticker's, and is over within a minute."""
    return code in _STREAM_LOST or (code == _INVALID_BARS and not _NO_PERMISSION.search(text))


def is_notice(code: int) -> bool:
    """A remark that changes nothing: IB keeps 2100 to 2199 for warnings, of which those that matter are named above."""
    return code in _NOTICES or 2100 <= code < 2200


def is_read_only(text: str) -> bool:
    """Whether a 321 says that the API is in read-only mode."""
    return "read-only" in text.lower()


def farm_name(text: str) -> str:
    """The farm at the end of a notice (`... connection is OK:usfarm.nj`, `... available upon demand.usfarm.nj`).

    What follows its own dot belongs to the name: `usfarm.nj` and `ushmds.nj` are two farms.
    """
    return re.split(r":|demand\.", text.strip(), flags=re.IGNORECASE)[-1].strip()
