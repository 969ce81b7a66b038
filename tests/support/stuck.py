"""A position whose exit does not fill: what the exit protocol is about."""

from __future__ import annotations

from tests.support.happenings import buy, market_orders_wait, price_unknown, quoted
from tests.support.playbook import Given, Playbook

CANCELS = ["cancel stop#1", "cancel target#1", "cancel timed_exit#1"]
"""How the legs of the first bracket are ended, in the words of a playbook."""


def stuck(*givens: Given) -> Playbook:
    """Long 133 SOXL, and nothing fills until the test says so."""
    return Playbook(*givens).when(buy()).when(price_unknown, market_orders_wait, quoted(75.10, 75.10, 75.10))
