"""Choosing how a day is driven: in running time, or second by second at the gateway's barrier."""

from __future__ import annotations

from config import ClockKind, Settings
from runtime.drive_by_barrier import drive_by_barrier
from runtime.drive_by_clock import drive_by_clock
from runtime.host import Host


async def drive(host: Host, settings: Settings) -> None:
    """Run the host until it is done, in the kind of time that the settings ask for."""
    if settings.clock is ClockKind.DETERMINISTIC:
        await drive_by_barrier(host)
    else:
        await drive_by_clock(host, settings.speed if settings.clock is ClockKind.BROKER else 1.0)


async def drive_until_reconciled(host: Host, settings: Settings) -> None:
    """Run until the engine has compared its journal with what the broker reports."""
    host.session.pump()  # the new connection is news to a replayed engine: what it knew before is no longer known
    host.done = lambda host: host.session.engine.is_reconciled()
    await drive(host, settings)
    host.done = Host.is_closed
