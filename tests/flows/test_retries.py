"""Which failures a task waits out: those of a connection, the database's among them, and nothing else."""

from __future__ import annotations

import pytest
from prefect import flow, task
from sqlalchemy import text

from db.engine import open_database
from runtime.stack.local_stack import LocalStack
from tasks.retries import patient

AWAY = "postgresql://nobody@127.0.0.1:1/none"


@pytest.mark.parametrize(
    ("statement", "attempts"), [(None, 2), ("SELECT no_such_column", 1)], ids=["away", "a mistake of ours"]
)
async def test_a_database_that_is_away_is_waited_for_and_a_mistake_is_not(
    stack: LocalStack, prefect_api: str, statement: str | None, attempts: int
) -> None:
    tried: list[str] = []

    @task(name="ask", **patient(0.0))
    async def ask() -> None:
        tried.append("once")
        with open_database(stack.postgres_url if statement else AWAY).connect() as connection:
            connection.execute(text(statement or "SELECT 1"))

    @flow(name="asking")
    async def asking() -> None:
        await ask()

    assert (await asking(return_state=True)).is_failed()
    assert len(tried) == attempts
