"""A flatten of the whole account, on a person's demand: other people's shares go too, and no more of them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from core.vocabulary import Action
from tests.support.happenings import corrected, flatten, seconds, traded_by_hand
from tests.support.playbook import Playbook


@pytest.mark.parametrize("is_corrected", [False, True])
def test_what_was_bought_today_is_sold_once(is_corrected: bool) -> None:
    """The account shows it already; each further read-back lists the purchase again."""
    play = Playbook()
    play.broker.prices["XYZ"] = Decimal("20.00")
    play.when(traded_by_hand(Action.BUY, 50, "20.00", ticker="XYZ"), seconds(5))
    if is_corrected:
        play.when(corrected("20.01"), seconds(5))
    play.when(flatten(whole_account=True), seconds(60))
    sold = [one for one in play.broker.executions if one.ticker == "XYZ" and one.order_ref]
    assert [(one.action, one.shares) for one in sold] == [(Action.SELL, 50)]
    play.check("flat", lambda p: (p.broker.positions["XYZ"], p.engine.is_flat()), (0, True))
