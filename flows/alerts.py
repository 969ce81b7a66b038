"""How a run that ends badly reaches people.

Webhooks are called by Prefect's server, which lives on when a run's process or its worker is dead. Every other service
of the settings (mail, chats) is called through apprise, by a hook in the run's process or in its worker's.
"""

from __future__ import annotations

from collections.abc import Iterable

from prefect import Flow
from prefect.blocks.notifications import CustomWebhookNotificationBlock
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import BlockDocument, FlowRun, State
from prefect.types import SecretDict
from pydantic import SecretStr

from core.records import Alert
from core.vocabulary import Severity
from tasks.settings import settings_of_run

BLOCK_PREFIX = "trader-alerts"
"""Every notification block whose name begins so is told: ours, and any that a person makes in the UI (Slack, Teams)."""

OURS = "trader"
"""The name within the blocks that the settings make."""

WEBHOOK_SCHEMES = {"json": "http", "jsons": "https"}
"""Apprise's names of plain JSON webhooks."""


def split_by_route(addresses: Iterable[SecretStr]) -> tuple[list[str], tuple[str, ...]]:
    """Alert addresses as (webhook addresses for the server, the rest for apprise)."""
    webhooks, others = [], []
    for address in addresses:
        text = address.get_secret_value()
        scheme, _, rest = text.partition("://")
        if scheme in WEBHOOK_SCHEMES:
            webhooks.append(f"{WEBHOOK_SCHEMES[scheme]}://{rest}")
        else:
            others.append(text)
    return webhooks, tuple(others)


async def upsert_blocks(client: PrefectClient, addresses: Iterable[SecretStr]) -> list[str]:
    """Store the settings' webhooks as blocks, delete those of earlier settings; the ids of all that are to be told."""
    webhooks = split_by_route(addresses)[0]
    for number, address in enumerate(webhooks, start=1):
        block = CustomWebhookNotificationBlock(
            name=OURS,
            url="{{address}}",
            json_data={"title": "{{subject}}", "message": "{{body}}", "type": "failure"},
            secrets=SecretDict({"address": address}),
        )
        await block.asave(f"{BLOCK_PREFIX}-{number}", overwrite=True)
    wanted = {f"{BLOCK_PREFIX}-{number + 1}" for number in range(len(webhooks))}
    told = []
    for document in await client.read_block_documents():
        if _is_ours(document) and document.name not in wanted:
            await client.delete_block_document(document.id)
        elif (document.name or "").startswith(BLOCK_PREFIX):
            told.append(str(document.id))
    return sorted(told)


def _is_ours(document: BlockDocument) -> bool:
    """Whether the settings made it; what a person made in the UI stays, with a number at its end too."""
    number = (document.name or "").removeprefix(f"{BLOCK_PREFIX}-")
    return number.isdecimal() and document.data.get("name") == OURS


def tell_people(flow: Flow[..., object], flow_run: FlowRun, state: State[object]) -> None:
    """Hook of failed and crashed runs: notify the services that no webhook reaches. The parent speaks for its parts."""
    from runtime.alerts import Alerts

    _, addresses = split_by_route(settings_of_run().alert_urls)
    if not addresses or flow_run.parent_task_run_id is not None:
        return
    alerts = Alerts(addresses, flow_run.name)
    title = f"{flow.name} ended as {state.name}"
    alerts.send(Alert(0, Severity.CRITICAL, f"run:{flow_run.id}", title, state.message or "no reason was given"))
    alerts.close()
