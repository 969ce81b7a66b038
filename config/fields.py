"""The types of single settings: how a text from the environment becomes a value, and what is refused."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, FiniteFloat, SecretStr

ROOT = Path(__file__).resolve().parent.parent
"""The checkout. Relative folders count from here and not from the working directory, which a scheduler may choose."""

OFF = "off"
LARGEST_OLD_SHARES = 1000
"""The old rule read a size up to this as shares and one above it as dollars (SEMANTICS 4)."""


class Mode(StrEnum):
    """Whose money it is."""

    SIM = "sim"
    PAPER = "paper"
    LIVE = "live"


class ClockKind(StrEnum):
    """Where the session's time comes from."""

    REAL = "real"
    BROKER = "broker"
    DETERMINISTIC = "deterministic"


def _off(value: object) -> object:
    if value is None or (isinstance(value, str) and not value.strip()):
        raise ValueError("a number, or `off` written out to switch it off")
    return None if isinstance(value, str) and value.strip().lower() == OFF else value


def _empty_is_none(value: object) -> object:
    return None if isinstance(value, str) and not value.strip() else value


def _split(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _upper(value: object) -> object:
    return value.strip().upper() if isinstance(value, str) else value


def _spelled(pattern: str, allowed: str) -> Callable[[str], str]:
    def check(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise ValueError(allowed)
        return value

    return check


def _one_line(value: SecretStr | None) -> SecretStr | None:
    text = value.get_secret_value() if value else ""
    if not (text.isascii() and text.isprintable()):
        raise ValueError("one line of printable ASCII, as an HTTP header can carry it")
    return value


def _distinct(values: tuple[str, ...]) -> tuple[str, ...]:
    repeated = sorted({value for value in values if values.count(value) > 1})
    if repeated:
        raise ValueError(f"each ticker once; repeated: {', '.join(repeated)}")
    return values


def _distinct_rows(value: object) -> object:
    """A ticker may be written in small letters: of two rows only one would count."""
    if isinstance(value, Mapping):
        _distinct(tuple(str(_upper(name)) for name in value))
    return value


def _dollars(value: Decimal) -> Decimal:
    if value <= LARGEST_OLD_SHARES:
        raise ValueError(
            f"dollars, more than {LARGEST_OLD_SHARES:,}; the old rule read such a small number as shares, "
            "so it would be a guess: for shares write `quantity`"
        )
    return value


def _old_size(value: Decimal) -> Decimal:
    if value <= LARGEST_OLD_SHARES and value != value.to_integral_value():
        raise ValueError(f"above {LARGEST_OLD_SHARES:,} dollars, up to {LARGEST_OLD_SHARES:,} whole shares")
    return value


def absolute(path: Path) -> Path:
    """The path itself when absolute, else below the checkout; links are left as they are."""
    return Path(os.path.normpath(ROOT / path.expanduser()))


Port = Annotated[int, Field(ge=1, le=65535)]
Seconds = Annotated[int, Field(ge=1, le=3600)]
ProtectSeconds = Annotated[int, Field(ge=2, le=60)]  # the watch acts a second sooner, and an echo takes its time
ExitSeconds = Annotated[int, Field(ge=1, le=600)]  # the whole closure has half an hour
Minutes = Annotated[int, Field(ge=0, le=390)]
Fraction = Annotated[FiniteFloat, Field(ge=0, le=1)]
Multiple = Annotated[Decimal, Field(gt=0, le=100)]
Money = Annotated[Decimal, Field(ge=0)]
Folder = Annotated[Path, AfterValidator(absolute)]
OptionalPath = Annotated[Folder | None, BeforeValidator(_empty_is_none)]
OptionalText = Annotated[str | None, BeforeValidator(_empty_is_none)]
OptionalSecret = Annotated[SecretStr | None, BeforeValidator(_empty_is_none)]
HeaderSecret = Annotated[OptionalSecret, AfterValidator(_one_line)]
Secrets = Annotated[tuple[SecretStr, ...], BeforeValidator(_split)]
ClientId = Annotated[int, Field(ge=1, le=999_999)]  # 0 would adopt the orders that people place in TWS
ClientIds = Annotated[tuple[ClientId, ...], BeforeValidator(_split)]

Ticker = Annotated[
    str,
    BeforeValidator(_upper),
    AfterValidator(_spelled(r"[A-Z][A-Z0-9]{0,9}([ .][A-Z]{1,2})?", "a ticker such as SOXL or BRK B")),
]
Tickers = Annotated[
    tuple[Ticker, ...], BeforeValidator(_split), AfterValidator(_distinct), Field(min_length=1, max_length=50)
]
Rows = BeforeValidator(_distinct_rows)
Account = Annotated[
    str,
    BeforeValidator(_upper),
    AfterValidator(_spelled(r"[A-Z]{1,3}[0-9]{4,12}", "an account id such as DU1234567 (paper) or U1234567 (live)")),
]

Dollars = Annotated[Decimal, Field(gt=0), AfterValidator(_dollars)]
Allocation = Annotated[Dollars | None, BeforeValidator(_empty_is_none)]
Quantity = Annotated[Annotated[int, Field(ge=1, le=10_000)] | None, BeforeValidator(_empty_is_none)]
OldSize = Annotated[Annotated[Decimal, Field(gt=0), AfterValidator(_old_size)] | None, BeforeValidator(_empty_is_none)]

MoneyLimit = Annotated[Money | None, BeforeValidator(_off)]
CountLimit = Annotated[Annotated[int, Field(ge=0)] | None, BeforeValidator(_off)]
FractionLimit = Annotated[Fraction | None, BeforeValidator(_off)]
