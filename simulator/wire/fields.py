"""Values as text: what a server writes, and a reader of what clients write, with every spelling of `unset`."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import Final

UNSET_TEXT: Final = "1.7976931348623157E308"
UNSET_INTEGER_TEXT: Final = "2147483647"
UNSET_LONG_TEXT: Final = "9223372036854775807"

UNSET_SPELLINGS: Final = frozenset(
    (
        "",
        "1.7976931348623157e+308",
        "1.7976931348623157E308",
        "1.7976931348623157E+308",
        "2147483647",
        "9223372036854775807",
        "170141183460469231731687303715884105727",
    )
)
_NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?(\d{1,2}|[12]\d\d|30[0-7]))?", re.ASCII)
_NUMBER_LENGTH_MAX: Final = 64
_INTEGER_DIGITS_MAX: Final = 19
_INTEGER_MAX: Final = 2**63 - 1


class FieldError(ValueError):
    """A field of a request is missing or not what its place demands; names the field, the text and what is allowed."""


def flag(value: bool) -> str:
    """`1` or `0`."""
    return "1" if value else "0"


def price(value: float | Decimal | int | None) -> str:
    """A price or amount as TWS writes doubles: always a point, no exponent; None is the unset sentinel."""
    if value is None:
        return UNSET_TEXT
    text = format(value, "f") if isinstance(value, Decimal) else repr(float(value))
    if "e" in text:
        text = format(Decimal(text), "f")
    if "." not in text:
        return text + ".0"
    whole, _, digits = text.partition(".")
    return f"{whole}.{digits.rstrip('0') or '0'}"


def size(value: float | Decimal | int) -> str:
    """A number of shares: whole numbers without a point, because old clients parse sizes as integers."""
    if value == int(value):
        return str(int(value))
    return format(Decimal(str(value)).normalize(), "f")


def text(value: str) -> str:
    """Printable ASCII; anything else as \\uXXXX, since clients unescape (153 on). A backslash is escaped too."""
    if value.isascii() and value.isprintable() and "\\" not in value:
        return value
    return "".join(_escaped(character) for character in value)


def _escaped(character: str) -> str:
    if character.isascii() and character.isprintable() and character != "\\":
        return character
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))


def integer_of(name: str, value: str) -> int | None:
    """A whole number (`100.0` and `1E+2` are whole too), None for any spelling of unset. Raises FieldError."""
    if value in UNSET_SPELLINGS:
        return None
    if value.isascii() and value.isdigit() and len(value) < _INTEGER_DIGITS_MAX:
        return int(value)
    number = _decimal(name, value)
    if number != number.to_integral_value() or abs(number) > _INTEGER_MAX:
        raise FieldError(f"{name}: {value[:40]!r} is not a whole number of 64 bits")
    return int(number)


def flag_of(name: str, value: str) -> bool:
    """0 or 1, `false` or `true`; unset is false. Raises FieldError."""
    if value in ("0", "false", "False") or value in UNSET_SPELLINGS:
        return False
    if value in ("1", "true", "True"):
        return True
    raise FieldError(f"{name}: {value[:40]!r} is not 0 or 1")


def decimal_of(name: str, value: str) -> Decimal | None:
    """An exact number, None for any spelling of unset. Raises FieldError."""
    return None if value in UNSET_SPELLINGS else _decimal(name, value)


def number_of(name: str, value: str) -> float | None:
    """A double, None for any spelling of unset; `Infinite` is plus infinity. Raises FieldError."""
    if value == "Infinite":
        return math.inf
    return None if value in UNSET_SPELLINGS else float(_decimal(name, value))


def _decimal(name: str, value: str) -> Decimal:
    if len(value) > _NUMBER_LENGTH_MAX or _NUMBER.fullmatch(value) is None:
        raise FieldError(f"{name}: {value[:40]!r} is not a number")
    return Decimal(value)


class FieldReader:
    """Reads a request's fields one after the other; every method raises FieldError naming the field."""

    __slots__ = ("_at", "_fields", "request_id")

    def __init__(self, fields: list[str]) -> None:
        self.request_id = -1
        self._fields = fields
        self._at = 0

    @property
    def left(self) -> int:
        """How many fields are still unread."""
        return len(self._fields) - self._at

    def text(self, name: str) -> str:
        """The next field as it stands."""
        if self._at >= len(self._fields):
            raise FieldError(f"{name}: the request ends before this field ({len(self._fields)} fields)")
        value = self._fields[self._at]
        self._at += 1
        return value

    def optional_text(self) -> str:
        """The next field, or empty when the request has ended: trailing fields that some clients leave out."""
        return self.text("") if self.left else ""

    def skip(self, name: str, count: int = 1) -> None:
        """Pass over fields that the gateway has no use for."""
        for _ in range(count):
            self.text(name)

    def integer(self, name: str) -> int:
        """A whole number; every spelling of unset reads as 0."""
        return integer_of(name, self.text(name)) or 0

    def identity(self, name: str) -> int:
        """The id of the request or order: what is wrong with the fields after it is told under this id."""
        self.request_id = self.integer(name)
        return self.request_id

    def flag(self, name: str) -> bool:
        """0 or 1."""
        return flag_of(name, self.text(name))

    def number(self, name: str) -> float | None:
        """A double, or None when unset."""
        return number_of(name, self.text(name))

    def count(self, name: str, fields_each: int) -> int:
        """A list's length, not larger than what the request still holds."""
        number = self.integer(name)
        if not 0 <= number * fields_each <= self.left:
            raise FieldError(f"{name}: {number} elements announced, {self.left} fields left")
        return number
