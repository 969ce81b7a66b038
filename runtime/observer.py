"""A client of the broker that only looks: beside a live session, before it, or after its end."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from broker.gateway import IbBroker
from config import ClockKind, Settings
from core.events import Event
from runtime.clock import make_clock


def heard_by_nobody(event: Event) -> None:
    """Drop an event that answers no question."""


@asynccontextmanager
async def observing(
    settings: Settings, client_id: int, emit: Callable[[Event], None] = heard_by_nobody
) -> AsyncIterator[IbBroker]:
    """Yield an observer that is not connected yet; disconnect, then raise what a message or a callback broke."""
    failures: list[BaseException] = []
    broker = IbBroker(
        host=settings.ib_host,
        port=settings.ib_port,
        client_id=client_id,
        account=settings.account,
        emit=emit,
        clock=make_clock(settings),
        on_batch=lambda: None,
        on_failure=failures.append,
        deterministic=settings.clock is ClockKind.DETERMINISTIC,
    )
    try:
        yield broker
    finally:
        await broker.close()
    if failures:
        raise failures[0]
