"""What all tables share: names of constraints, column types, and the few kinds of column that come again and again."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, ClassVar

from sqlalchemy import BigInteger, CheckConstraint, DateTime, Double, ForeignKey, Integer, MetaData, Numeric, Text
from sqlalchemy.orm import DeclarativeBase, mapped_column

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

BigInt = Annotated[int, mapped_column(BigInteger)]
SessionKey = Annotated[
    str, mapped_column(ForeignKey("sessions.session"), primary_key=True, comment="<account>-<yyyymmdd>")
]


class Base(DeclarativeBase):
    """Base of all tables. Times carry a zone, money and prices are exact, indicators are doubles."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        str: Text(),
        int: Integer(),
        float: Double(),
        Decimal: Numeric(),
        datetime: DateTime(timezone=True),
    }


def one_of(column: str, words: Iterable[str]) -> CheckConstraint:
    """Only these words: for sets that never grow; a set that grows would stop the shipping of a newer program."""
    return CheckConstraint(f"{column} IN ({', '.join(repr(str(word)) for word in words)})", name=column)
