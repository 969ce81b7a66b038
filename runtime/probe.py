"""`trader probe-broker`: what this broker does with orders of one share, asked on paper, stored for the live gate."""

from __future__ import annotations

import asyncio
import secrets
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Final

from broker.gateway import IbBroker
from broker.probe import ProbeReport
from broker.probe import probe as ask
from broker.probe_desk import ProbeDesk, open_desk
from config import ClockKind, Mode, Settings
from runtime.clock import BrokerClock, make_clock

ACCEPTED_WITHOUT: Final = "I trade on order behaviour that no probe has shown"


class ProbeRefused(RuntimeError):
    """The probe sends real orders; it does so on paper only."""


class NotProbed(RuntimeError):
    """Real money needs a probe of the paper twin first, or the owner's word."""


def report_file(settings: Settings) -> Path:
    """Where the latest probe is kept."""
    return settings.state_folder / "probe.json"


async def probe(settings: Settings) -> ProbeReport:
    """Ask every line of the order rules that one share can answer; leave nothing behind; store the answers.

    Raises ProbeRefused in mode live, ProbeFailed and BrokerUnavailable.
    """
    if settings.mode is Mode.LIVE:
        raise ProbeRefused("the probe places orders: run it on paper (TRADER_MODE=paper, its port, its account)")
    clock = make_clock(settings)

    async def pass_time(broker: IbBroker, seconds: int) -> None:
        for _ in range(seconds):
            if settings.clock is not ClockKind.DETERMINISTIC:
                await asyncio.sleep(1 / settings.speed)
            if isinstance(clock, BrokerClock):
                clock.hear(await broker.read_time_ms())

    name = f"probe-{secrets.token_hex(4)}"  # an order reference is never used twice

    def desk(client_id: int) -> AbstractAsyncContextManager[ProbeDesk]:
        return open_desk(
            host=settings.ib_host,
            port=settings.ib_port,
            client_id=client_id,
            account=settings.account,
            ticker=settings.tickers[0],
            clock=clock,
            pass_time=pass_time,
            session=f"{name}-{client_id}",
            deterministic=settings.clock is ClockKind.DETERMINISTIC,
        )

    async with desk(settings.ib_client_id) as own, desk(settings.ib_observer_client_ids[0]) as other:
        report = await ask(own, other, settings.account)
    settings.state_folder.mkdir(parents=True, exist_ok=True)
    report.store(report_file(settings))
    return report


def must_be_probed(settings: Settings) -> None:
    """Raises NotProbed in mode live without a stored probe, unless the owner took it on in words."""
    if settings.mode is not Mode.LIVE or report_file(settings).exists():
        return
    if settings.live_without_probe != ACCEPTED_WITHOUT:
        raise NotProbed(
            "real money waits for `trader probe-broker` on the account's paper twin (one share, some minutes); "
            f'or take it on in words: TRADER_LIVE_WITHOUT_PROBE="{ACCEPTED_WITHOUT}"'
        )
