"""Flat at close - 29 minutes, whatever became of the session. Scheduled 15:31 and 12:31 Eastern; the gate picks one."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run

from flows.alerts import tell_people
from flows.alone import run_alone
from flows.conduct import TradingDate, conduct, run_name, scheduled_ms
from flows.gate import Window
from runtime.holder import SessionAlreadyRunning
from tasks.artifacts import Report
from tasks.phases import close_positions
from tasks.settings import settings_of_run


class FlattenScope(StrEnum):
    """How much is closed."""

    SESSION = "what the session owns"
    TICKERS = "named tickers"
    WHOLE_ACCOUNT = "the whole account"


class NotFlattened(RuntimeError):
    """The account was not closed; unlike a phase that another process does, this must not look like a success."""


@flow(name="flatten", flow_run_name=run_name, on_failure=[tell_people], on_crashed=[tell_people])
async def flatten(
    date: TradingDate = None,
    scope: FlattenScope = FlattenScope.SESSION,
    tickers: tuple[str, ...] = (),
    confirmation: str = "",
) -> State[Any]:
    """Close what is open and verify with the broker. By schedule only when it is due; for a person at once.

    Args:
        date: The Eastern trading day; empty: the day of the run's scheduled start.
        scope: How much is closed; foreign positions only with the whole account.
        tickers: With the scope "named tickers": which.
        confirmation: With the scope "the whole account": the account's id, typed by hand.
    """
    settings = settings_of_run()
    check_request(scope, tickers, confirmation, settings.account)
    if unknown := set(tickers).difference(settings.tickers):
        raise ValueError(f"tickers = {tickers!r}: not traded here: {', '.join(sorted(unknown))}; nothing was closed")

    async def close(day: str) -> Report:
        try:
            return await close_positions(day, tickers, scope is FlattenScope.WHOLE_ACCOUNT, requested_by())
        except SessionAlreadyRunning as elsewhere:  # on another machine, whose session nobody here can ask
            raise NotFlattened(f"Nothing was closed: {elsewhere}") from elsewhere

    return await conduct(Window.CLOSURE, date, close)


def check_request(scope: FlattenScope, tickers: tuple[str, ...], confirmation: str, account: str) -> None:
    """Raise ValueError, naming the field, for a request that does not say clearly what is to be closed."""
    if (scope is FlattenScope.TICKERS) != bool(tickers):
        raise ValueError(f"tickers = {tickers!r}: name them with the scope 'named tickers', and with no other")
    if scope is FlattenScope.WHOLE_ACCOUNT and confirmation != account:
        raise ValueError(f"confirmation = {confirmation!r}: type the account's id to close the whole account")


def requested_by() -> str:
    """Who asks, for the journal."""
    return "schedule" if scheduled_ms() is not None else f"flow run {flow_run.get_name()}"


if __name__ == "__main__":
    run_alone(flatten)
