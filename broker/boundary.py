"""Where exceptions of our callbacks stop: ib_async and its event library would log them and go on."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType


class Boundary:
    """A reusable `with` block that hands an exception to `on_failure` and goes on behind the block."""

    def __init__(self, on_failure: Callable[[Exception], None]) -> None:
        self._on_failure = on_failure

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if isinstance(error, Exception):
            self._on_failure(error)
            return True
        return False
