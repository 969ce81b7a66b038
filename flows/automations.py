"""What Prefect's server does by itself while nobody looks: tell people, and mark runs whose process has gone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import StateType
from prefect.events.actions import ActionTypes, ChangeFlowRunState, SendNotification
from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture
from prefect.events.schemas.events import ResourceSpecification

from tasks.liveness import ALIVE, ENDED

RUNS = {"prefect.resource.id": "prefect.flow-run.*"}
SESSIONS = {"prefect.resource.id": "trader.session.*"}
OURS = {"prefect.resource.id": "prefect.tag.trader", "prefect.resource.role": "tag"}

HEARTBEAT = "prefect.flow-run.heartbeat"
BAD_ENDS = {f"prefect.flow-run.{name}" for name in ("Failed", "Crashed", "TimedOut")}
SILENCE = timedelta(minutes=5)
"""Silence after which a run or a session counts as dead. Shorter ones gave false alarms on a busy machine."""

ANY_STATE = "prefect.flow-run.*"


OURS_ONCE = (
    "trader: tell people of a failed or crashed run",
    "trader: tell people of a silent session",
    "trader: start a crashed trading day again",  # runtime/stack/restarts.py does, with pauses and a bound
)
"""Automations of ours that may stand on a server without being wanted any more."""


def plan_automations(blocks: list[str]) -> list[AutomationCore]:
    """All our automations; those that tell people only if there is somebody to tell."""
    planned = [end_silent_runs()]
    if blocks:
        planned += [tell_of_bad_ends(blocks), tell_of_silent_session(blocks)]
    return planned


def tell_of_bad_ends(blocks: list[str]) -> AutomationCore:
    """A run failed or crashed."""
    return AutomationCore(
        name="trader: tell people of a failed or crashed run",
        trigger=EventTrigger(
            match=_resource(RUNS), match_related=_resource(OURS), expect=BAD_ENDS, posture=Posture.Reactive, threshold=1
        ),
        actions=_notify(
            blocks,
            "{{ flow.name }} ended as {{ flow_run.state.name }}",
            "{{ flow_run.name }}: {{ flow_run.state.message }}",
        ),
    )


def tell_of_silent_session(blocks: list[str]) -> AutomationCore:
    """A session's loop gave no sign of life, though its process may live."""
    return AutomationCore(
        name="trader: tell people of a silent session",
        trigger=EventTrigger(
            match=_resource(SESSIONS),
            for_each={"prefect.resource.id"},
            after={ALIVE},
            expect={ALIVE, ENDED},
            posture=Posture.Proactive,
            threshold=1,
            within=SILENCE,
        ),
        actions=_notify(
            blocks,
            "A session has fallen silent",
            "{{ event.resource['prefect.resource.name'] }} gave no sign of life for five minutes.",
        ),
    )


def end_silent_runs() -> AutomationCore:
    """A run without heartbeats has lost its process: mark it, so that the other automations see it."""
    return AutomationCore(
        name="trader: mark runs without heartbeats as crashed",
        trigger=EventTrigger(
            match=_resource(RUNS),
            match_related=_resource(OURS),
            for_each={"prefect.resource.id"},
            after={HEARTBEAT},
            expect={ANY_STATE},
            posture=Posture.Proactive,
            threshold=1,
            within=SILENCE,
        ),
        actions=[ChangeFlowRunState(state=StateType.CRASHED, message="No heartbeat for five minutes.")],
    )


async def upsert(client: PrefectClient, automation: AutomationCore) -> UUID:
    """Create the automation or bring it up to date by its name; whether it is enabled is the user's."""
    for existing in await client.read_automations_by_name(automation.name):
        kept = automation.model_copy(update={"enabled": existing.enabled})
        await client.update_automation(existing.id, kept)
        return existing.id
    return await client.create_automation(automation)


async def remove_unwanted(client: PrefectClient, planned: list[AutomationCore]) -> None:
    """Delete those of ours that are planned no more: nobody is to be told, or another does it."""
    for name in set(OURS_ONCE).difference(automation.name for automation in planned):
        for existing in await client.read_automations_by_name(name):
            await client.delete_automation(existing.id)


def _notify(blocks: list[str], subject: str, body: str) -> list[ActionTypes]:
    return [SendNotification(block_document_id=UUID(block), subject=subject, body=body) for block in blocks]


def _resource(labels: Mapping[str, str]) -> ResourceSpecification:
    return ResourceSpecification.model_validate(dict(labels))
