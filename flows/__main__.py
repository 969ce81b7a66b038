"""`python -m flows`: bring a Prefect server up to date: deployments, alerts, automations, and runs that died unseen."""

from __future__ import annotations

import asyncio

from prefect.logging import get_logger

from config import load_settings
from flows.deploy import deploy_all
from flows.orphans import mark_orphans


async def main() -> None:
    """Deploy everything, then mark the orphans: the automations that tell of a crashed run must exist by then."""
    settings = load_settings()
    deployments = await deploy_all(settings)
    orphans = await mark_orphans(settings)
    log = get_logger("trader")
    log.info("%d deployments are up to date", len(deployments))
    for name in orphans:
        log.warning("%s had lost its process and is marked as crashed", name)


if __name__ == "__main__":
    asyncio.run(main())
