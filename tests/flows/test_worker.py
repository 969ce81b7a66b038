"""A real worker runs deployments in processes of their own, and only one run of each at a time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRun
from pytest_asyncio import fixture as async_fixture

from config import load_settings
from runtime.stack.local_stack import LocalStack
from runtime.stack.worker import Worker
from tests.flows.waiting import until


@async_fixture(scope="module", loop_scope="module")
async def worker(
    tmp_path_factory: pytest.TempPathFactory, stack: LocalStack, deployed: dict[str, UUID]
) -> AsyncIterator[Worker]:
    """A worker whose runs belong to a simulation with no gateway: a session waits for it, on any date."""
    folder = tmp_path_factory.mktemp("worker")
    chosen = {"ib_port": 1, "state_folder": folder, "database_url": stack.postgres_url}
    settings = load_settings(chosen, environment={}, env_file=folder / "none")
    worker = Worker({**stack.environment(), **settings.to_environment()}, folder)
    await worker.start()
    yield worker
    await worker.stop()
    assert not worker.running


async def start(deployment: UUID, date: str) -> UUID:
    async with get_client() as client:
        return (await client.create_flow_run_from_deployment(deployment, parameters={"date": date})).id


async def ended(run_id: UUID) -> FlowRun:
    """The run, once it has ended."""

    async def final() -> FlowRun | None:
        async with get_client() as client:
            run = await client.read_flow_run(run_id)
        return run if run.state is not None and run.state.is_final() else None

    return await until(final)


async def test_case_41_a_second_run_of_a_deployment_is_cancelled(worker: Worker, deployed: dict[str, UUID]) -> None:
    first = await start(deployed["startup"], "2024-11-27")

    async def waits_for_the_gateway() -> bool:
        async with get_client() as client:
            return (await client.read_flow_run(first)).state_name == "Running"

    await until(waits_for_the_gateway)
    second = await ended(await start(deployed["startup"], "2024-11-27"))
    assert second.state_name == "Cancelled"
    async with get_client() as client:
        assert (await client.read_flow_run(first)).state_name == "Running"


async def test_case_40_a_holiday_run_in_its_own_process_is_market_closed(
    worker: Worker, deployed: dict[str, UUID]
) -> None:
    run = await ended(await start(deployed["flatten"], "2024-11-28"))
    assert (run.name, run.state_name) == ("flatten 2024-11-28", "MarketClosed")
