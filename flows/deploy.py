"""Our deployments, from code. Deploying again updates the code's part and leaves what people set in the UI."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from prefect import Flow
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.actions import DeploymentScheduleCreate, DeploymentUpdate, WorkPoolCreate
from prefect.client.schemas.objects import ConcurrencyLimitStrategy, ConcurrencyOptions
from prefect.client.schemas.responses import DeploymentResponse
from prefect.client.schemas.schedules import CronSchedule
from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound
from prefect.utilities.callables import ParameterSchema, parameter_schema

from config import Settings, load_settings
from flows.alerts import upsert_blocks
from flows.automations import plan_automations, remove_unwanted, upsert
from flows.backup import backup
from flows.flatten import flatten
from flows.intraday import intraday
from flows.reconcile import reconcile
from flows.startup import startup
from flows.trading_day import trading_day
from flows.warm_up import warm_up
from runtime.stack.worker import WORK_POOL

NAME = "trader"
TAGS = ["trader"]
TIMEZONE = "America/New_York"

JOB_VARIABLES = {"stream_output": False}
"""A run that logs to its worker's pipe dies with the worker."""

ONE_AT_A_TIME = ConcurrencyOptions(collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW)


@dataclass(frozen=True, slots=True)
class Plan:
    """A flow with its schedule: Eastern times of day (HH:MM), Monday to Friday. The gate knows the holidays."""

    flow: Flow[..., Any]
    times: tuple[str, ...]
    active: bool
    one_at_a_time: bool = True  # a second run is cancelled at once, by Prefect

    @property
    def entrypoint(self) -> str:
        """The dotted name of the flow, importable from any folder."""
        return f"flows.{self.flow.name}.{self.flow.name}"

    def schedules(self) -> list[DeploymentScheduleCreate]:
        """The schedules of a first deployment."""
        return [
            DeploymentScheduleCreate(
                schedule=CronSchedule(cron=cron(time_of_day), timezone=TIMEZONE),
                active=self.active,
                slug=f"at-{time_of_day.replace(':', '')}",
            )
            for time_of_day in self.times
        ]

    def concurrency(self) -> dict[str, Any]:
        """The arguments of a deployment that say what becomes of a second run.

        A limit is a lease, which the run's process renews every four minutes and without which Prefect cancels the
        run: a server that is away for ten seconds would end a trading session. What trades therefore has no limit; its
        second run finds the session locked and ends as AlreadyRunning.
        """
        if not self.one_at_a_time:
            return {"concurrency_limit": None}
        return {"concurrency_limit": 1, "concurrency_options": ONE_AT_A_TIME}


PLANS = (
    Plan(trading_day, ("09:00",), active=True, one_at_a_time=False),
    Plan(startup, ("09:00",), active=False),
    Plan(warm_up, ("09:20",), active=False),
    Plan(intraday, ("09:29",), active=False, one_at_a_time=False),
    Plan(flatten, ("15:31", "12:31"), active=True, one_at_a_time=False),
    Plan(reconcile, ("16:20",), active=True),
    Plan(backup, ("17:00",), active=True),
)
"""The parent runs the day in one process. Flatten and reconcile are scheduled beside it, for the day on which it dies;
startup, warm_up and intraday wait for those who would rather run the day in parts (then switch the parent off). No run
may keep a person from closing: flatten has no limit either."""


def cron(time_of_day: str) -> str:
    """The cron line of an Eastern time of day (HH:MM) on weekdays."""
    hour, minute = time_of_day.split(":")
    return f"{int(minute)} {int(hour)} * * 1-5"


async def deploy_all(settings: Settings) -> dict[str, UUID]:
    """Create or update work pool, deployments, alerts and automations; return the deployments' ids by flow name."""
    async with get_client() as client:
        await ensure_work_pool(client)
        deployments = {plan.flow.name: await deploy(client, plan) for plan in PLANS}
        await keep_watch(client, settings)
        return deployments


async def keep_watch(client: PrefectClient, settings: Settings) -> None:
    """Bring up to date the blocks of those who are told, and the automations that tell them."""
    blocks = await upsert_blocks(client, settings.alert_urls)
    planned = plan_automations(blocks)
    for automation in planned:
        await upsert(client, automation)
    await remove_unwanted(client, planned)


async def ensure_work_pool(client: PrefectClient) -> None:
    """Create the process work pool, unless it exists."""
    try:
        await client.create_work_pool(WorkPoolCreate(name=WORK_POOL, type="process"))
    except ObjectAlreadyExists:
        return


async def deploy(client: PrefectClient, plan: Plan) -> UUID:
    """Create the plan's deployment, or update the part of it that belongs to the code."""
    try:
        existing = await client.read_deployment_by_name(f"{plan.flow.name}/{NAME}")
    except ObjectNotFound:
        return await _create(client, plan)
    return await _update(client, plan, existing)


async def _create(client: PrefectClient, plan: Plan) -> UUID:
    return await client.create_deployment(
        flow_id=await client.create_flow_from_name(plan.flow.name),
        name=NAME,
        description=plan.flow.description,
        tags=TAGS,
        entrypoint=plan.entrypoint,
        schedules=plan.schedules(),
        **plan.concurrency(),
        work_pool_name=WORK_POOL,
        job_variables=dict(JOB_VARIABLES),
        parameters={},
        parameter_openapi_schema=_schema(plan).model_dump(),
        enforce_parameter_schema=True,
        pull_steps=[],
    )


async def _update(client: PrefectClient, plan: Plan, existing: DeploymentResponse) -> UUID:
    """Schedules, paused state, tags and job variables stay as they are; parameters that the flow lost are dropped."""
    schema = _schema(plan)
    known = schema.properties.keys()
    await client.update_deployment(
        existing.id,
        DeploymentUpdate(
            description=plan.flow.description,
            entrypoint=plan.entrypoint,
            tags=existing.tags,
            work_pool_name=existing.work_pool_name,
            work_queue_name=existing.work_queue_name,
            job_variables={**JOB_VARIABLES, **(existing.job_variables or {})},
            **plan.concurrency(),
            parameters={name: value for name, value in (existing.parameters or {}).items() if name in known},
            parameter_openapi_schema=schema.model_dump(),
            enforce_parameter_schema=True,
        ),
    )
    return existing.id


def _schema(plan: Plan) -> ParameterSchema:
    return parameter_schema(plan.flow.fn)


if __name__ == "__main__":
    asyncio.run(deploy_all(load_settings()))
