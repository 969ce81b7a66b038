"""Case 43: runs whose process died unseen are marked at the next start, those of a living session are not."""

from __future__ import annotations

from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.states import Running

from config import Settings
from db.journal import Journal
from flows.orphans import mark_orphans
from runtime.planning import plan_for, session_folder


async def running(deployment: UUID, date: str) -> UUID:
    """A run that the server believes to be running; its id."""
    async with get_client() as client:
        run = await client.create_flow_run_from_deployment(deployment, parameters={"date": date})
        await client.set_flow_run_state(run.id, Running(), force=True)
        return run.id


async def test_case_43_a_run_without_a_session_is_crashed_and_one_with_a_session_is_kept(
    own_settings: Settings, deployed: dict[str, UUID]
) -> None:
    dead = await running(deployed["warm_up"], "2024-11-26")
    holiday = await running(deployed["startup"], "2024-11-28")
    living = await running(deployed["intraday"], "2024-11-27")
    plan = plan_for(own_settings, "2024-11-27")
    async with get_client() as client:
        with Journal.open(session_folder(own_settings, plan), plan.session):
            marked = await mark_orphans(own_settings)
            states = {id_: (await client.read_flow_run(id_)).state_name for id_ in (dead, holiday, living)}
        assert await mark_orphans(own_settings)
        after = (await client.read_flow_run(living)).state_name
    assert len(marked) == 2
    assert states == {dead: "Crashed", holiday: "Crashed", living: "Running"}
    assert after == "Crashed"
