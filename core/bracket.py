"""The life of one order of a bracket: every stage, everything that can be heard of it, and every transition.

This table is the only place where a stage changes; `docs/order-life.md` is drawn from it. What is not in the table
changes nothing: messages repeat, skip and arrive late, and a late one must not bring an ended order back to life.
Only a complete read-back of the broker may do that.
"""

from __future__ import annotations

from enum import StrEnum

from core.errors import InvalidValueError


class Stage(StrEnum):
    """Where an order stands, as far as we know."""

    SENT = "sent"  # in flight: nothing heard yet
    LIVE = "live"  # the broker has it: held, or working
    CHANGING = "changing"  # a modification is in flight; the order itself is live
    CANCELLING = "cancelling"  # a cancel is in flight; the order may still fill
    UNKNOWN = "unknown"  # no answer, or the link was lost: only the broker's word resolves it
    FILLED = "filled"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    ABSENT = "absent"  # a complete read-back does not know it


class Heard(StrEnum):
    """What can be heard of, or done to, an order."""

    STATUS = "status"  # a live status
    ECHO = "echo"  # openOrder, with the values that were asked for last
    CHANGE_SENT = "change sent"
    CHANGE_REFUSED = "change refused"
    CANCEL_SENT = "cancel sent"
    CANCEL_REFUSED = "cancel refused"  # 161, 10148: it may have ended already
    NOT_FOUND = "not found"  # 135, 10147
    UNKNOWN_ERROR = "unknown error"  # a code that no table holds
    FILLED = "filled"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    SILENCE = "silence"  # no answer in time
    LINK_LOST = "link lost"
    READ_LIVE = "read back live"
    READ_ABSENT = "read back absent"


LIVE_STAGES = frozenset({Stage.SENT, Stage.LIVE, Stage.CHANGING, Stage.CANCELLING, Stage.UNKNOWN})
"""Stages in which the order may still fill."""

IN_FLIGHT_STAGES = LIVE_STAGES - {Stage.LIVE}
"""Stages in which an answer is outstanding."""

_ENDS = {
    Heard.FILLED: Stage.FILLED,
    Heard.CANCELLED: Stage.CANCELLED,
    Heard.REJECTED: Stage.REJECTED,
}

_REVIVED = {Heard.READ_LIVE: Stage.LIVE, Heard.FILLED: Stage.FILLED}

TRANSITIONS: dict[Stage, dict[Heard, Stage]] = {
    Stage.SENT: _ENDS
    | {
        Heard.STATUS: Stage.LIVE,
        Heard.ECHO: Stage.LIVE,
        Heard.CANCEL_SENT: Stage.CANCELLING,
        Heard.NOT_FOUND: Stage.REJECTED,
        Heard.UNKNOWN_ERROR: Stage.UNKNOWN,
        Heard.SILENCE: Stage.UNKNOWN,
        Heard.LINK_LOST: Stage.UNKNOWN,
        Heard.READ_LIVE: Stage.LIVE,
    },
    Stage.LIVE: _ENDS
    | {
        Heard.CHANGE_SENT: Stage.CHANGING,
        Heard.CANCEL_SENT: Stage.CANCELLING,
        Heard.NOT_FOUND: Stage.UNKNOWN,
        Heard.UNKNOWN_ERROR: Stage.UNKNOWN,
        Heard.READ_ABSENT: Stage.ABSENT,
    },
    Stage.CHANGING: _ENDS
    | {
        Heard.ECHO: Stage.LIVE,
        Heard.CHANGE_REFUSED: Stage.LIVE,
        Heard.CANCEL_SENT: Stage.CANCELLING,
        Heard.REJECTED: Stage.UNKNOWN,  # of the change, or of the order? Ask.
        Heard.NOT_FOUND: Stage.UNKNOWN,  # 135 may mean the parent (II#647)
        Heard.UNKNOWN_ERROR: Stage.UNKNOWN,
        Heard.SILENCE: Stage.UNKNOWN,
        Heard.LINK_LOST: Stage.UNKNOWN,
        Heard.READ_LIVE: Stage.LIVE,
        Heard.READ_ABSENT: Stage.ABSENT,
    },
    Stage.CANCELLING: _ENDS
    | {
        Heard.NOT_FOUND: Stage.UNKNOWN,
        Heard.UNKNOWN_ERROR: Stage.UNKNOWN,
        Heard.CANCEL_REFUSED: Stage.UNKNOWN,
        Heard.SILENCE: Stage.UNKNOWN,
        Heard.LINK_LOST: Stage.UNKNOWN,
        Heard.READ_LIVE: Stage.LIVE,
        Heard.READ_ABSENT: Stage.CANCELLED,
    },
    Stage.UNKNOWN: _ENDS
    | {
        Heard.ECHO: Stage.LIVE,
        Heard.READ_LIVE: Stage.LIVE,
        Heard.READ_ABSENT: Stage.ABSENT,
    },
    Stage.FILLED: {Heard.READ_LIVE: Stage.LIVE},  # of the shares asked for; a change down to them may not have arrived
    Stage.CANCELLED: _REVIVED,
    Stage.REJECTED: _REVIVED,
    Stage.ABSENT: _REVIVED,
}

_OURS = frozenset({Heard.CHANGE_SENT, Heard.CANCEL_SENT})


def after(stage: Stage, heard: Heard) -> Stage:
    """The stage that follows. Raises InvalidValueError for an instruction to an order that cannot take one."""
    following = TRANSITIONS[stage].get(heard)
    if following is not None:
        return following
    if heard in _OURS:
        raise InvalidValueError("stage", stage, f"one that can take '{heard}'")
    return stage
