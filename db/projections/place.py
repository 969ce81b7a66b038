"""Whose journal is being applied, and where in it we are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Self

from sqlalchemy.orm import Session

from core.errors import InvalidValueError
from core.orders import parse_order_ref
from db import models
from db.times import from_ms


@dataclass(frozen=True, slots=True)
class Subject:
    """A session, taken apart."""

    session: str
    account: str
    trade_date: date

    @classmethod
    def parse(cls, session: str) -> Self:
        """Take `<account>-<yyyymmdd>` apart. Raises InvalidValueError for anything else."""
        account, _, day = session.rpartition("-")
        if not account or len(day) != 8 or not day.isdecimal():
            raise InvalidValueError("session", session, "<account>-<yyyymmdd>")
        try:
            return cls(session, account, date(int(day[:4]), int(day[4:6]), int(day[6:])))
        except ValueError:
            raise InvalidValueError("session", session, "a day that there is") from None


@dataclass(frozen=True, slots=True)
class Place:
    """One event or command in the journal of a session; `part` counts the commands of a row."""

    subject: Subject
    sequence: int
    at_ms: int
    part: int = 0

    @property
    def at(self) -> datetime:
        """The session's time of the row."""
        return from_ms(self.at_ms)


def owner_of(order_ref: str, account: str) -> Subject | None:
    """The session of this account that an order is of; None for other people's, whatever their references look like."""
    ref = parse_order_ref(order_ref)
    if ref is None:
        return None
    try:
        owner = Subject.parse(ref.session)
    except InvalidValueError:
        return None
    return owner if owner.account == account else None


def session_row(tables: Session, subject: Subject) -> models.Session:
    """The row of a session in `sessions`, made when it is not there."""
    row = tables.get(models.Session, subject.session)
    if row is None:
        row = models.Session(
            session=subject.session,
            account=subject.account,
            trade_date=subject.trade_date,
            epoch=0,
            shipped_sequence=0,
        )
        tables.add(row)
        tables.flush()  # other tables refer to it
    return row


def text(words: str) -> str:
    """Words from outside as Postgres can store them: it takes neither NUL nor half a character."""
    return words.replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()
