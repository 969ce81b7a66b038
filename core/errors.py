"""The core's own errors: each names the field, the value and what is allowed."""

from __future__ import annotations


class CoreError(Exception):
    """Base of the core's errors."""


class InvalidValueError(CoreError):
    """A value outside what is allowed."""

    def __init__(self, field: str, value: object, allowed: str) -> None:
        super().__init__(f"{field} = {value!r} is not allowed: {allowed}")
        self.field = field
        self.value = value
        self.allowed = allowed
