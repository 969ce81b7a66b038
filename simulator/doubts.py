"""Switches for what is not known for certain about IB's order handling, and for how the venue matches.

Every field is one switch; the default is the harsher variant that still lets a well-built client be protected and
flat.  The command line sets them by `--doubt name=value`, a fault script by the same names.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Doubts:
    """One field per doubt; the comment names the variants."""

    explicit_child_group: str = "refuse_modify"  # refuse_modify: echoed late, a modify draws 10326 · accept
    modify_with_parent_id: str = "error_135"  # error_135: after the parent filled · accept
    children_arm: str = "whole"  # whole: when the parent has filled wholly · part: for the part that has filled
    cancelled_parent_takes_children: bool = True  # also when a part of the parent has filled
    cancel_takes_siblings: bool = True  # cancelling or refusing one leg cancels the other legs of its group
    group_name_reuse: str = "refuse"  # refuse: joining a finished group draws 201 · accept
    block_holds_market: bool = True  # a market order joining a group of type 1 or 2 waits behind its working limit
    oca3_cancel_delay_seconds: int = 1  # type 3: siblings are reduced or cancelled this much after the fill
    oca3_overfill_probability: float = 0.0  # per fill in a group of type 3: a sibling fills as well
    timed_child: str = "accept"  # a bracket child MKT with goodAfterTime: accept · refuse · cancel_siblings
    quantity_counts_filled: bool = True  # the total of a modify counts the shares that have filled
    day_orders_die: bool = True  # False: DAY orders survive the close
    foreign_cancel: bool = False  # True: a client may cancel another client's order by its number
    preset_tif_notice: bool = False  # an order without TIF draws the informational 10349
    duplicate_statuses: bool = True  # orderStatus is repeated, as IB does
    filled_before_execution: bool = False  # the Filled status comes before its execution
    legacy_cancel_codes: bool = False  # 135 and 161 in the place of 10147 and 10148
    cancel_delay_seconds: int = 0  # PendingCancel lasts this long, the order can still fill meanwhile
    unshortable: str = "reject"  # reject: 201 · locate: 404, the order waits until shares are found
    trade_through_fills: bool = False  # a limit also fills when a trade prints through it

    def with_setting(self, name: str, text: str) -> Doubts:
        """A copy with one switch set from text. Raises ValueError naming the switch, the value and what is allowed."""
        allowed = {item.name: item.type for item in fields(self)}
        if name not in allowed:
            raise ValueError(f"doubt {name!r}: no such switch; allowed: {', '.join(sorted(allowed))}")
        changed: dict[str, Any] = {name: _parsed(name, text, type(getattr(self, name)))}
        return replace(self, **changed)


_CHOICES = {
    "explicit_child_group": ("refuse_modify", "accept"),
    "modify_with_parent_id": ("error_135", "accept"),
    "children_arm": ("whole", "part"),
    "group_name_reuse": ("refuse", "accept"),
    "timed_child": ("accept", "refuse", "cancel_siblings"),
    "unshortable": ("reject", "locate"),
}
_BOOLEANS = {"true": True, "on": True, "1": True, "false": False, "off": False, "0": False}


def _parsed(name: str, text: str, kind: type) -> object:
    if kind is bool:
        if text.lower() not in _BOOLEANS:
            raise ValueError(f"doubt {name}={text!r}: allowed are {', '.join(_BOOLEANS)}")
        return _BOOLEANS[text.lower()]
    if kind is str:
        if text not in _CHOICES[name]:
            raise ValueError(f"doubt {name}={text!r}: allowed are {', '.join(_CHOICES[name])}")
        return text
    try:
        number = kind(text)
    except ValueError:
        raise ValueError(f"doubt {name}={text!r}: allowed is a number >= 0") from None
    if not 0 <= number < float("inf") or (kind is float and number > 1):
        raise ValueError(f"doubt {name}={text!r}: allowed is a number >= 0 (a probability at most 1)")
    return number
