"""When a task is tried again: for a lost connection, and for nothing else."""

from __future__ import annotations

from typing import Any, TypedDict

from prefect import Task
from prefect.client.schemas.objects import State, TaskRun

from broker.errors import BrokerUnavailable
from db.engine import DatabaseAway

CONNECTION_FAILURES = (ConnectionError, TimeoutError, BrokerUnavailable, DatabaseAway)

JITTER_FACTOR = 0.3
"""Delays vary by up to this part, so that those who lost the same gateway do not all come back in the same second."""


class RetryOptions(TypedDict):
    """The arguments of `@task` that say when to try again."""

    retries: int
    retry_delay_seconds: list[float]
    retry_jitter_factor: float
    retry_condition_fn: Any


async def connection_was_lost(task: Task[..., Any], task_run: TaskRun, state: State[Any]) -> bool:
    """Whether the failure is one that time may heal. Must be async: Prefect gives up on retries when it is not."""
    failure = await state.aresult(raise_on_failure=False)
    return isinstance(failure, CONNECTION_FAILURES)


def patient(*delays_seconds: float) -> RetryOptions:
    """One retry after each of these delays (50 at most, Prefect's limit), if the connection was lost."""
    return RetryOptions(
        retries=len(delays_seconds),
        retry_delay_seconds=list(delays_seconds),
        retry_jitter_factor=JITTER_FACTOR,
        retry_condition_fn=connection_was_lost,
    )
