"""Waiting for what real processes and servers do in their own time."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import Any

PATIENCE_SECONDS = 180.0
"""No test expects to wait so long: past it something is broken."""


async def until(condition: Callable[[], Any | Awaitable[Any]]) -> Any:
    """Ask again and again until the answer is true; return it."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            answer = condition()
            if inspect.isawaitable(answer):
                answer = await answer
            if answer:
                return answer
            await asyncio.sleep(0.05)
