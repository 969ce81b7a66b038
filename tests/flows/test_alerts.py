"""People hear of a run that ends badly: through Prefect's server and a real webhook."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
from aiohttp import web
from prefect.blocks.notifications import CustomWebhookNotificationBlock
from prefect.client.orchestration import get_client
from prefect.states import Cancelled, Completed, Crashed, Failed, State
from pydantic import SecretStr

from config import Settings
from flows.alerts import split_by_route
from flows.automations import plan_automations, upsert
from flows.deploy import keep_watch
from flows.trading_day import trading_day
from tests.flows.waiting import PATIENCE_SECONDS


class Webhook:
    """A service that takes notices."""

    def __init__(self) -> None:
        self.address = ""
        self.notices: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def take(self, request: web.Request) -> web.Response:
        assert request.path == "/secret-token"
        self.notices.put_nowait(await request.json())
        return web.Response()

    async def next(self) -> dict[str, Any]:
        """The next notice."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await self.notices.get()


@pytest.fixture
async def webhook() -> AsyncIterator[Webhook]:
    hook = Webhook()
    app = web.Application()
    app.router.add_post("/{path}", hook.take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    hook.address = f"json://{host}:{port}/secret-token"
    yield hook
    await runner.cleanup()


@pytest.fixture
async def alerted(own_settings: Settings, webhook: Webhook, deployed: dict[str, UUID]) -> Settings:
    """Settings that name the webhook, made known to the server."""
    settings = own_settings.model_copy(update={"alert_urls": (SecretStr(webhook.address),)})
    async with get_client() as client:
        await keep_watch(client, settings)
    return settings


async def end_a_run(state: State[Any]) -> str:
    """Let a run of ours end in `state`; its name."""
    async with get_client() as client:
        run = await client.create_flow_run(trading_day, tags=["trader"])
        await client.set_flow_run_state(run.id, state, force=True)
        return run.name


async def test_a_failed_or_crashed_run_reaches_the_webhook_and_a_good_one_does_not(
    alerted: Settings, webhook: Webhook
) -> None:
    await end_a_run(Completed(message="all is well"))
    await end_a_run(Cancelled(message="a person did it"))
    failed = await end_a_run(Failed(message="2 breaks"))
    notice = await webhook.next()
    assert notice == {"title": "trading_day ended as Failed", "message": f"{failed}: 2 breaks", "type": "failure"}
    crashed = await end_a_run(Crashed(message="killed"))
    assert (await webhook.next())["message"] == f"{crashed}: killed"


async def test_a_webhook_that_the_settings_lose_is_told_no_more_and_one_made_by_hand_is(
    alerted: Settings, webhook: Webhook, deployed: dict[str, UUID]
) -> None:
    """Also when it was the last one; a run that ends badly is then told to what a person made in the UI alone."""
    second = SecretStr(webhook.address.replace("secret-token", "gone"))
    both = alerted.model_copy(update={"alert_urls": (*alerted.alert_urls, second)})
    none = alerted.model_copy(update={"alert_urls": ()})
    notifying = "trader: tell people of a failed or crashed run"
    async with get_client() as client:

        async def stored() -> list[str]:
            documents = await client.read_block_documents()
            return sorted(name for each in documents if (name := each.name or "").startswith("trader-alerts"))

        await keep_watch(client, both)
        assert await stored() == ["trader-alerts-1", "trader-alerts-2"]
        await keep_watch(client, alerted)
        assert await stored() == ["trader-alerts-1"]
        assert len((await client.read_automations_by_name(notifying))[0].actions) == 1
        by_hand = CustomWebhookNotificationBlock(name="mine", url="http://127.0.0.1:1/")
        mine = await by_hand.asave("trader-alerts-2")
        await keep_watch(client, none)
        assert await stored() == ["trader-alerts-2"]
        assert len((await client.read_automations_by_name(notifying))[0].actions) == 1
        await client.delete_block_document(mine)
        await keep_watch(client, none)
        assert not await client.read_automations_by_name(notifying)


async def test_the_address_of_a_webhook_is_kept_secret(alerted: Settings, webhook: Webhook) -> None:
    async with get_client() as client:
        documents = await client.read_block_documents(include_secrets=False)
    ours = [document for document in documents if document.name == "trader-alerts-1"]
    assert len(ours) == 1
    assert "secret-token" not in ours[0].model_dump_json()


async def test_automations_are_kept_by_name_and_as_switched_by_a_person(
    alerted: Settings, deployed: dict[str, UUID]
) -> None:
    async with get_client() as client:
        names = [automation.name for automation in plan_automations(["7b1f2a52-0f6c-4f0e-9b2d-0d8e8a1c6f11"])]
        (before,) = await client.read_automations_by_name(names[0])
        await client.pause_automation(before.id)
        await keep_watch(client, alerted)
        kept = [await client.read_automations_by_name(name) for name in names]
        (again,) = kept[0]
        await client.resume_automation(before.id)
    assert [len(found) for found in kept] == [1] * len(names)
    assert again.id == before.id
    assert not again.enabled


async def test_what_is_planned_no_more_is_removed(alerted: Settings, deployed: dict[str, UUID]) -> None:
    """The restart that Prefect did by itself, without a bound; and who is told when nobody is to be told any more."""
    former = plan_automations([])[0].model_copy(update={"name": "trader: start a crashed trading day again"})
    mine = former.model_copy(update={"name": "mine"})
    async with get_client() as client:
        for automation in (former, mine):
            await client.create_automation(automation)
        await keep_watch(client, alerted)
        assert not await client.read_automations_by_name(former.name)
        assert await client.read_automations_by_name(mine.name)


async def test_without_anybody_to_tell_nothing_is_planned_that_tells(deployed: dict[str, UUID]) -> None:
    planned = plan_automations([])
    assert not any("tell" in automation.name for automation in planned)
    async with get_client() as client:
        for automation in planned:
            assert await upsert(client, automation)


def test_plain_webhooks_are_the_servers_and_the_rest_is_ours() -> None:
    addresses = [SecretStr(text) for text in ("json://a:1/b", "jsons://c/d", "mailto://e:f@g", "slack://h/i/j")]
    assert split_by_route(addresses) == (["http://a:1/b", "https://c/d"], ("mailto://e:f@g", "slack://h/i/j"))
