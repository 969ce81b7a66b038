"""IB's words to core words: every known one, and the refusal of all others."""

from __future__ import annotations

import math
from decimal import Decimal

import pytest
from ib_async.objects import CommissionReport
from ib_async.order import Order, OrderState
from ib_async.util import UNSET_DOUBLE

from broker import codes
from broker.errors import UnknownBrokerWord
from broker.times import epoch_ms, ib_time, with_zone
from broker.translate import (
    action,
    away_from_zero,
    commission,
    money,
    open_order,
    order_status,
    shares_of,
    whole_shares,
)
from core.vocabulary import Action, ErrorKind, OrderStatus


@pytest.mark.parametrize("status", list(OrderStatus))
def test_statuses_are_translated_one_to_one(status: OrderStatus) -> None:
    assert order_status(status.value) is status


@pytest.mark.parametrize("text", ["", "submitted", "ValidationError", "Unknown"])
def test_an_unknown_status_is_rejected(text: str) -> None:
    with pytest.raises(UnknownBrokerWord, match="order status"):
        order_status(text)


@pytest.mark.parametrize(
    ("text", "known"),
    [
        *[(text, Action.BUY) for text in ("BUY", "BOT")],
        *[(text, Action.SELL) for text in ("SELL", "SLD", "SSHORT", "SLONG")],
    ],
)
def test_actions(text: str, known: Action) -> None:
    assert action(text) is known


def test_an_unknown_action_is_rejected() -> None:
    with pytest.raises(UnknownBrokerWord, match="action = 'HOLD'"):
        action("HOLD")


def test_money_keeps_the_brokers_digits() -> None:
    assert money(75.12, "price") == Decimal("75.12")
    for odd in (math.nan, math.inf):
        with pytest.raises(UnknownBrokerWord, match="price"):
            money(odd, "price")


def test_only_our_references_promise_whole_shares() -> None:
    for ref in ("", "another program", "ChartTrader17"):
        assert shares_of(ref, 0.5, "shares") == 1
    assert shares_of("DU1-20250312/SOXL/1/entry", 133.0, "shares") == 133
    with pytest.raises(UnknownBrokerWord, match="whole shares"):
        shares_of("DU1-20250312/SOXL/1/entry", 0.5, "shares")


def test_our_shares_are_whole_and_others_fractions_never_look_like_nothing() -> None:
    assert whole_shares(133.0, "shares") == 133
    with pytest.raises(UnknownBrokerWord, match="whole shares"):
        whole_shares(0.5, "shares")
    assert [away_from_zero(value) for value in (0.4, -0.4, 0.0, 2.0, -3.5)] == [1, -1, 0, 2, -4]


def report(amount: float, currency: str = "USD") -> CommissionReport:
    return CommissionReport("0000e0d5.1.01", amount, currency, UNSET_DOUBLE)


@pytest.mark.parametrize(
    ("amount", "known"),
    [
        (1.0, Decimal("1.0")),
        (0.0, Decimal(0)),
        (-0.35, Decimal("-0.35")),
        (-1.01, Decimal("-1.01")),
        (-1.0, None),
        (UNSET_DOUBLE, None),
        (math.nan, None),
    ],
)
def test_case_25_a_rebate_is_real_and_a_sentinel_is_not_zero(amount: float, known: Decimal | None) -> None:
    told = commission(report(amount), 5)
    assert (told.commission, told.realized_pnl, told.at_ms) == (known, None, 5)


def test_a_commission_in_another_currency_is_no_figure_in_dollars() -> None:
    assert commission(report(1.0, "EUR"), 5).commission is None


def echo(kind: str, limit: float | None = 0.0, stop: float | None = 0.0, shares: float = 10.0) -> Order:
    return Order(orderType=kind, action="SELL", totalQuantity=shares, lmtPrice=limit, auxPrice=stop, orderRef="x")


@pytest.mark.parametrize(
    ("kind", "limit_price", "stop_price"),
    [
        ("MKT", None, None),
        ("LMT", Decimal("75.12"), None),
        ("STP", None, Decimal("74.9")),
        ("STP LMT", Decimal("75.12"), Decimal("74.9")),
        ("TRAIL", None, None),
    ],
)
def test_an_echo_has_the_prices_of_its_type_only(
    kind: str, limit_price: Decimal | None, stop_price: Decimal | None
) -> None:
    told = open_order("SOXL", echo(kind, 75.12, 74.9), OrderState(status="Submitted"), filled=3)
    assert (told.limit_price, told.stop_price, told.filled, told.shares) == (limit_price, stop_price, 3, 10)


def test_an_echo_without_a_price_says_so() -> None:
    told = open_order("SOXL", echo("LMT", UNSET_DOUBLE), OrderState(status="Submitted"), filled=0)
    assert told.limit_price is None
    assert open_order("SOXL", echo("LMT", None), OrderState(status="Submitted"), filled=0).limit_price is None


def test_case_17_18_warnings_leave_an_order_alive() -> None:
    for code in (399, 404, 2109, 10349):
        assert codes.order_error_kind(code, "any", modifying=False) is ErrorKind.WARNING


@pytest.mark.parametrize("code", [110, 201, 321])
def test_case_36_a_reject_during_a_modification_refuses_the_modification(code: int) -> None:
    assert codes.order_error_kind(code, "any", modifying=False) is ErrorKind.REJECTED
    assert codes.order_error_kind(code, "any", modifying=True) is ErrorKind.MODIFY_REFUSED


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("OrderId 5 that needs to be cancelled cannot be cancelled, state: Filled.", ErrorKind.NOT_CANCELLABLE),
        ("OrderId 5 that needs to be cancelled cannot be cancelled, state: Cancelled.", ErrorKind.NOT_CANCELLABLE),
        ("OrderId 5 that needs to be cancelled cannot be cancelled, state: PendingCancel.", ErrorKind.WARNING),
        ("Cancel attempted when order is not in a cancellable state.", ErrorKind.NOT_CANCELLABLE),
    ],
)
def test_case_19_only_an_ended_order_cannot_be_cancelled(text: str, kind: ErrorKind) -> None:
    assert codes.order_error_kind(10148, text, modifying=False) is kind


@pytest.mark.parametrize("modifying", [True, False])
def test_an_unknown_code_is_unknown_and_never_defaulted(modifying: bool) -> None:
    assert codes.order_error_kind(4242, "what", modifying=modifying) is ErrorKind.UNKNOWN


def test_no_code_is_both_an_order_error_and_a_matter_of_the_link() -> None:
    link = codes.SERVER_LOST | codes.FARM_DOWN | codes.FARM_UP
    assert link.isdisjoint(codes.ORDER_ERRORS)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("20260413 15:27:04 US/Eastern", "20260413-19:27:04"),
        ("20231116-12:15:35", "20231116-12:15:35"),
        ("20250415  19:38:31", "20250415-23:38:31"),
        ("20250115 10:00:00 America/Los_Angeles", "20250115-18:00:00"),
        ("20250715 14:54:50 GB-Eire", "20250715-13:54:50"),
        ("20250715 14:54:50 Etc/GMT-3", "20250715-11:54:50"),
        ("1741786140", "20250312-13:29:00"),
    ],
)
def test_moments_in_every_spelling_of_the_wire(text: str, moment: str) -> None:
    assert ib_time(epoch_ms(text, "US/Eastern")) == moment


def test_a_moment_gets_the_zone_that_it_lacks() -> None:
    assert with_zone("20250415  19:38:31", "US/Eastern") == "20250415 19:38:31 US/Eastern"
    assert with_zone("20231116-12:15:35", "US/Eastern") == "20231116 12:15:35 UTC"
    assert with_zone("20260413 15:27:04 US/Pacific", "US/Eastern") == "20260413 15:27:04 US/Pacific"


@pytest.mark.parametrize("text", ["", "today", "2025-04-15 10:00", "20250415"])
def test_any_other_moment_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        epoch_ms(text, "US/Eastern")
