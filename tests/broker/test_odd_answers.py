"""Answers that make no sense: the question has no answer then, and the session goes on."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest

from broker.errors import AnswerUnreadable
from core.events import CommissionReported
from simulator.model import BaseCurrency
from tests.broker.desk import Desk, desk
from tests.broker.test_link import hear
from tests.broker.test_odd_orders import keep_echoes

GOOD = ("20250312 09:34:00 US/Eastern", 20.0, 21.0, 19.0, 20.5, 100.0)


def answer_history_with(trader: Desk, bar: tuple[object, ...]) -> None:
    """Let the next history consist of one bar: (date, open, high, low, close, volume)."""

    def answer(key: int, *_: object) -> None:
        asyncio.get_running_loop().call_soon(hear, trader, (17, key, "", "", 1, *bar, 20.0, 5))

    trader.broker._client.reqHistoricalData = answer


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (0, "20250312 09:34:03 US/Eastern"),
        (0, "yesterday"),
        (0, "20250312 09:34:00 US/Nowhere"),
        (1, "nan"),
        (2, ""),
        (4, "much"),
        (5, "nan"),
        (5, "inf"),
    ],
)
async def test_case_37_history_that_cannot_be_read_is_no_history(place: int, value: str) -> None:
    async with desk("SOXL") as trader:
        bar = (*GOOD[:place], value, *GOOD[place + 1 :])
        answer_history_with(trader, bar)
        with pytest.raises(AnswerUnreadable, match="60 s of history of SOXL"):
            await trader.broker.read_history("SOXL", trader.clock.at_ms, 60)
        await trader.tick()


async def test_history_that_could_not_be_read_is_not_remembered() -> None:
    async with desk("SOXL") as trader:
        answer_history_with(trader, ("yesterday", *GOOD[1:]))
        at_ms = trader.clock.at_ms
        with pytest.raises(AnswerUnreadable):
            await trader.broker.read_history("SOXL", at_ms, 60)
        await trader.tick(16)
        answer_history_with(trader, GOOD)
        bars = await trader.broker.read_history("SOXL", at_ms, 60)
        assert (bars[0].close, bars[0].volume) == (20.5, 100)


@pytest.mark.parametrize("text", ["plenty", "1.2.3", "NaN", "Infinity"])
async def test_an_account_figure_that_cannot_be_read_is_unknown(text: str, caplog: pytest.LogCaptureFixture) -> None:
    async with desk("SOXL") as trader:

        def answer(key: int, *_: object) -> None:
            rows = [(63, 1, key, "DU1234567", tag, value, "USD") for tag, value in figures.items()]
            asyncio.get_running_loop().call_soon(hear, trader, *rows, (64, 1, key))

        figures = {"BuyingPower": text, "NetLiquidation": "1000.5", "DayTradesRemaining": text}
        trader.broker._client.reqAccountSummary = answer
        account = await trader.broker.read_account()
        assert (account.buying_power, account.day_trades_remaining) == (None, None)
        assert account.net_liquidation == Decimal("1000.5")
        assert f"BuyingPower = {text!r}" in caplog.text
        assert f"DayTradesRemaining = {text!r}" in caplog.text


async def test_an_account_in_another_currency_is_told_in_dollars() -> None:
    async with desk("SOXL", base_currency=BaseCurrency("EUR", 0.92)) as trader:
        account = await trader.broker.read_account()
        assert account.net_liquidation == Decimal("1000000.00")
        assert account.buying_power == Decimal("4000000.00")


@pytest.mark.parametrize("rate", [None, "0", "1.7976931348623157E308"])
async def test_without_a_rate_an_account_in_another_currency_is_unknown(
    rate: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    """A million yen passed for a million dollars."""
    async with desk("SOXL") as trader:

        def answer(key: int, *_: object) -> None:
            rows = [(63, 1, key, "DU1234567", tag, value, name) for tag, value, name in figures if value is not None]
            asyncio.get_running_loop().call_soon(hear, trader, *rows, (64, 1, key))

        figures = [("BuyingPower", "1000000", "JPY"), ("ExchangeRate", rate, "USD"), ("ExchangeRate", "1.00", "JPY")]
        trader.broker._client.reqAccountSummary = answer
        account = await trader.broker.read_account()
        assert account.buying_power is None
        assert "BuyingPower is in JPY" in caplog.text


async def test_an_account_summary_is_told_though_its_connection_goes_in_the_same_moment() -> None:
    """There is nothing to cancel any more: to try it ended the session."""
    async with desk("SOXL") as trader:
        keys: list[int] = []
        trader.broker._client.reqAccountSummary = lambda key, *_: keys.append(key)
        reading = asyncio.ensure_future(trader.broker.read_account())
        await asyncio.sleep(0)
        hear(trader, (63, 1, keys[0], "DU1234567", "BuyingPower", "1000.5", "USD"), (64, 1, keys[0]))
        await trader.broker.close()
        assert (await reading).buying_power == Decimal("1000.5")


@pytest.mark.parametrize("unset", ["", "1.7976931348623157E308"])
async def test_case_25_a_commission_that_is_not_told_is_not_zero(unset: str) -> None:
    async with desk("SOXL") as trader:
        hear(trader, (59, 1, "0000e0d5.1.01.01", unset, "USD", unset, unset, ""))
        (told,) = trader.of(CommissionReported)
        assert (told.commission, told.realized_pnl) == (None, None)


async def test_a_what_if_without_margins_is_answered_all_the_same() -> None:
    async with desk("SOXL") as trader:
        echoes = keep_echoes(trader)
        told = await trader.broker.read_what_if("SOXL")
        assert told.initial_margin_change is not None
        margins = echoes[""].index("PreSubmitted") + 1
        asking = asyncio.ensure_future(trader.broker.read_what_if("SOXL"))
        await asyncio.sleep(0)
        order_id = int(echoes[""][1]) + 1
        fields = [*echoes[""][:margins], *[""] * 9, *echoes[""][margins + 9 :]]
        hear(trader, (fields[0], order_id, *fields[2:]))
        assert (await asking).initial_margin_change is None
