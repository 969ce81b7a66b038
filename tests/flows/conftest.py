"""One real stack for all tests of the flows: embedded Postgres and a Prefect server, started once."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import UUID

import pytest
from prefect.settings import (
    PREFECT_API_URL,
    PREFECT_FLOWS_HEARTBEAT_FREQUENCY,
    PREFECT_HOME,
    PREFECT_LOGGING_TO_API_ENABLED,
    temporary_settings,
)
from pytest_asyncio import fixture as async_fixture

from config import Settings, load_settings
from flows.deploy import deploy_all
from runtime.stack.local_stack import LocalStack, StackOptions
from tasks.settings import passed_down
from tests.support.postgres import make_reachable_folder, reachable_folder

__all__ = ["reachable_folder"]

os.environ["DO_NOT_TRACK"] = "1"


@async_fixture(scope="session", loop_scope="session")
async def stack() -> AsyncIterator[LocalStack]:
    folder = make_reachable_folder()
    try:
        async with LocalStack(StackOptions(folder)) as stack:
            yield stack
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def prefect_api(stack: LocalStack) -> Iterator[str]:
    """This process speaks to the stack's server."""
    chosen = {
        PREFECT_API_URL: stack.prefect_api_url,
        PREFECT_HOME: stack.prefect_folder,
        PREFECT_LOGGING_TO_API_ENABLED: False,
        PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None,
    }
    with temporary_settings(chosen):
        yield stack.prefect_api_url


@pytest.fixture(scope="session")
def deployed(prefect_api: str) -> dict[str, UUID]:
    """All deployments, with nobody to tell of a bad end; their ids by flow name."""
    return asyncio.run(deploy_all(load_settings(environment={}, env_file=Path("no .env in tests"))))


@pytest.fixture
def settings(tmp_path: Path, stack: LocalStack) -> Settings:
    """Paper trading by the machine's clock, with nobody at the broker's port: the gate decides before it matters."""
    return load_settings(
        {
            "mode": "paper",
            "account": "DU7654321",
            "ib_port": 1,
            "state_folder": tmp_path,
            "database_url": stack.postgres_url,
        },
        environment={},
        env_file=tmp_path / "none",
    )


@pytest.fixture
def own_settings(settings: Settings, prefect_api: str) -> Iterator[Settings]:
    """Flows called in this process use `settings`."""
    with passed_down(settings):
        yield settings
