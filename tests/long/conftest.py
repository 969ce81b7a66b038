"""What takes minutes, or asks for something that a shorter test shows as well: `make long`."""

from __future__ import annotations

from tests.support.postgres import reachable_folder

__all__ = ["reachable_folder"]
