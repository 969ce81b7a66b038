"""The embedded Postgres dies, and its port is another's before it is back: Prefect and the runs find it."""

from __future__ import annotations

import fcntl
import socket
from pathlib import Path

import aiohttp
import pytest
from pydantic import SecretStr
from sqlalchemy import make_url

from config import load_settings
from runtime.stack.local_stack import LocalStack, StackOptions
from tasks.settings import at_current_port
from tests.flows.waiting import until
from tests.support.postgres import kill_server


def take(thief: socket.socket, port: int) -> bool:
    """Whether the port could be taken: those whom the killed server leaves behind hold it for a moment."""
    try:
        thief.bind(("127.0.0.1", port))
    except OSError:
        return False
    return True


async def answers(api_url: str) -> bool:
    """Whether the Prefect server reads its database."""
    async with aiohttp.ClientSession() as http:
        try:
            async with http.post(f"{api_url}/flow_runs/count", json={}) as answer:
                return answer.status == 200
        except aiohttp.ClientError:
            return False


@pytest.mark.long
async def test_a_postgres_on_another_port_is_followed(reachable_folder: Path) -> None:
    async with LocalStack(StackOptions(reachable_folder)) as stack:
        before = stack.postgres_url
        port = make_url(before).port or 0
        told = load_settings({"state_folder": reachable_folder}, environment={}, env_file=reachable_folder / "none")
        told = told.model_copy(update={"database_url": SecretStr(before)})
        assert at_current_port(told) == told
        with socket.socket() as thief, (reachable_folder / "postgres" / "lock").open("w") as starting:
            thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            fcntl.flock(starting, fcntl.LOCK_EX)  # nobody starts it before its port is taken
            kill_server(before)
            await until(lambda: take(thief, port))
            thief.listen()
            starting.close()
            await until(lambda: stack.postgres_url != before)
            await until(lambda: answers(stack.prefect_api_url))
            url = at_current_port(told).database_url
        assert url is not None
        assert url.get_secret_value() == stack.postgres_url
