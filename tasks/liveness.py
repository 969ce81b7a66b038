"""The session's sign of life for Prefect. It comes from the session's own loop, so that a blocked loop falls silent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from prefect.events import emit_event

ALIVE = "trader.session.alive"
ENDED = "trader.session.ended"
EVERY_SECONDS = 30.0


@asynccontextmanager
async def signs_of_life(date: str) -> AsyncIterator[None]:
    """Emit ALIVE every half minute while inside, and ENDED when the session ends by itself, well or badly.

    Events leave through a thread of Prefect's: an absent server costs the session nothing.
    """
    resource = {"prefect.resource.id": f"trader.session.{date}", "prefect.resource.name": f"session {date}"}

    async def beat() -> None:
        while True:
            emit_event(ALIVE, resource)
            await asyncio.sleep(EVERY_SECONDS)

    beating = asyncio.create_task(beat(), name="signs of life")
    try:
        yield
    finally:
        beating.cancel()
        with suppress(asyncio.CancelledError):
            await beating
        emit_event(ENDED, resource)
