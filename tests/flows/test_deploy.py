"""Deployments on a real server: schedules make runs, and deploying again leaves to people what people set."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from uuid import UUID

import pytest
import yaml
from prefect import Flow
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.actions import DeploymentScheduleUpdate, DeploymentUpdate
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterId
from prefect.client.schemas.objects import ConcurrencyLimitStrategy, ConcurrencyOptions
from prefect.client.schemas.responses import DeploymentResponse
from prefect.client.schemas.schedules import CronSchedule

from flows.deploy import PLANS, Plan, deploy
from flows.flatten import FlattenScope
from runtime.stack.local_stack import LocalStack
from runtime.stack.processes import ChildCommand, ChildProcess
from tests.flows.waiting import until

ROOT = Path(__file__).resolve().parents[2]


async def deployment(client: PrefectClient, flow_name: str) -> DeploymentResponse:
    return await client.read_deployment_by_name(f"{flow_name}/trader")


def plan_of(flow_name: str) -> Plan:
    return next(plan for plan in PLANS if plan.flow.name == flow_name)


async def scheduled_starts(client: PrefectClient, deployment_id: UUID) -> list[str]:
    """The Eastern times of day at which runs of a deployment are planned."""
    runs = await client.read_flow_runs(deployment_filter=DeploymentFilter(id=DeploymentFilterId(any_=[deployment_id])))
    planned = [run for run in runs if run.auto_scheduled and run.expected_start_time]
    return sorted({f"{run.expected_start_time.in_timezone('America/New_York'):%H:%M}" for run in planned})


async def test_schedules_make_runs_of_the_active_deployments_only(deployed: dict[str, UUID]) -> None:
    async with get_client() as client:
        for plan in PLANS:
            if plan.active:
                await until(lambda plan=plan: scheduled_starts(client, deployed[plan.flow.name]))
        starts = {name: await scheduled_starts(client, id_) for name, id_ in deployed.items()}
    assert starts == {
        "trading_day": ["09:00"],
        "startup": [],
        "warm_up": [],
        "intraday": [],
        "flatten": ["12:31", "15:31"],
        "reconcile": ["16:20"],
        "backup": ["17:00"],
    }


async def test_deploying_again_keeps_what_a_person_set(deployed: dict[str, UUID]) -> None:
    async with get_client() as client:
        before = await deployment(client, "warm_up")
        evening = CronSchedule(cron="0 20 * * *", timezone="America/New_York")
        schedule = DeploymentScheduleUpdate(schedule=evening, active=True, slug="at-0920")
        await client.update_deployment(
            before.id,
            DeploymentUpdate(
                schedules=[schedule],
                parameters={"date": "2026-11-20", "gone": 1},
                tags=["trader", "mine"],
                description="old",
            ),
        )
        await client.pause_deployment(before.id)
        await deploy(client, plan_of("warm_up"))
        after = await deployment(client, "warm_up")
    assert after.id == before.id == deployed["warm_up"]
    assert after.paused
    assert [(each.schedule, each.active) for each in after.schedules] == [(evening, True)]
    assert after.parameters == {"date": "2026-11-20"}
    assert after.tags == ["trader", "mine"]
    assert after.description == before.description
    assert after.work_pool_name == "trader"


async def test_what_trades_or_closes_hangs_on_no_lease(deployed: dict[str, UUID]) -> None:
    """Not even one that a person set: an absent server would end the session."""
    async with get_client() as client:
        options = ConcurrencyOptions(collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW)
        limited = DeploymentUpdate(concurrency_limit=1, concurrency_options=options)
        await client.update_deployment(deployed["intraday"], limited)
        assert (await client.read_deployment(deployed["intraday"])).global_concurrency_limit is not None
        await deploy(client, plan_of("intraday"))
        limits = {
            name: limit.limit if (limit := (await client.read_deployment(id_)).global_concurrency_limit) else None
            for name, id_ in deployed.items()
        }
    assert limits == {
        "trading_day": None,
        "startup": 1,
        "warm_up": 1,
        "intraday": None,
        "flatten": None,
        "reconcile": 1,
        "backup": 1,
    }


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.flow.name)
def test_entrypoints_are_dotted_names_of_the_flows(plan: Plan) -> None:
    module, _, name = plan.entrypoint.rpartition(".")
    assert getattr(importlib.import_module(module), name) is plan.flow
    assert isinstance(plan.flow, Flow)


async def test_the_form_of_flatten_explains_its_fields(deployed: dict[str, UUID]) -> None:
    async with get_client() as client:
        schema = (await client.read_deployment(deployed["flatten"])).parameter_openapi_schema
    assert schema is not None
    assert list(schema["properties"]) == ["date", "scope", "tickers", "confirmation"]
    assert all(field["description"] for field in schema["properties"].values())
    assert schema["definitions"]["FlattenScope"]["enum"] == [str(scope) for scope in FlattenScope]


def test_prefect_yaml_says_the_same_as_the_code() -> None:
    """`prefect deploy --all` and ours must not disagree."""
    declared = yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]
    assert [
        {
            "entrypoint": each["entrypoint"],
            "schedules": [(at["cron"], at["timezone"], at["active"], at["slug"]) for at in each["schedules"]],
            "concurrency": each.get("concurrency_limit"),
            "tags": each["tags"],
            "pool": each["work_pool"]["name"],
            "job_variables": each["work_pool"]["job_variables"],
        }
        for each in declared
    ] == [
        {
            "entrypoint": plan.entrypoint,
            "schedules": [
                (at.schedule.cron, at.schedule.timezone, at.active, at.slug)
                for at in plan.schedules()
                if isinstance(at.schedule, CronSchedule)
            ],
            "concurrency": {"limit": 1, "collision_strategy": "CANCEL_NEW"} if plan.one_at_a_time else None,
            "tags": ["trader"],
            "pool": "trader",
            "job_variables": {"stream_output": False},
        }
        for plan in PLANS
    ]


async def test_prefect_deploy_takes_our_prefect_yaml(
    stack: LocalStack, deployed: dict[str, UUID], tmp_path: Path
) -> None:
    """For those who use the command line."""
    command = ChildCommand(
        "prefect deploy",
        [
            sys.executable,
            "-m",
            "prefect",
            "--no-prompt",
            "deploy",
            "--all",
            "--prefect-file",
            str(ROOT / "prefect.yaml"),
        ],
        tmp_path / "log",
        {**stack.environment(), "PYTHONPATH": str(ROOT)},
    )
    process = await ChildProcess.start(command)
    assert await process.wait() == 0, process.log_file.read_text()
    async with get_client() as client:
        entrypoints = {name: (await client.read_deployment(id_)).entrypoint for name, id_ in deployed.items()}
    assert entrypoints == {plan.flow.name: plan.entrypoint for plan in PLANS}
