"""The shipper: every journal row in Postgres once, and the same tables, however it is cut, killed or held up."""

from __future__ import annotations

import queue
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from db.engine import ensure_database, open_database
from db.journal import Journal, JournalRow
from db.models import Base
from db.outbox import Shipper, ShippingState
from tests.support.journals import SESSION, busy_day
from tests.support.postgres import TEMPLATE

ENOUGH_SECONDS = 30.0
DAY = busy_day(seed=1)


Tables = dict[str, list[dict[str, str]]]


def tables(url: str) -> Tables:
    """Everything that the tables hold, as text, but for the writer's epoch."""
    with open_database(url).connect() as connection:
        return {
            table.name: [
                {name: str(value) for name, value in row.items() if name != "epoch"}
                for row in connection.execute(select(table).order_by(*table.primary_key)).mappings()
            ]
            for table in Base.metadata.sorted_tables
        }


def empty(url: str) -> None:
    names = ", ".join(table.name for table in Base.metadata.sorted_tables)
    with open_database(url).begin() as connection:
        connection.execute(text(f"TRUNCATE {names}"))


def ship_all(journal: Journal, url: str, batch_rows: int = 2_000) -> None:
    shipper = Shipper(journal, url, batch_rows=batch_rows)
    shipper.start()
    assert shipper.flush(ENOUGH_SECONDS), shipper.state
    shipper.stop()


@pytest.fixture
def states() -> queue.SimpleQueue[ShippingState]:
    return queue.SimpleQueue()


@pytest.fixture
def journal(tmp_path: Path) -> Any:
    with Journal.open(tmp_path, SESSION) as opened:
        yield opened


@pytest.fixture(scope="module")
def whole_day(postgres_server: str, tmp_path_factory: pytest.TempPathFactory) -> Tables:
    """The tables of the day shipped in one go."""
    url = ensure_database(postgres_server, "whole_day", template=TEMPLATE)
    with Journal.open(tmp_path_factory.mktemp("journal"), SESSION) as journal:
        journal.append(DAY)
        ship_all(journal, url, batch_rows=100_000)
    return tables(url)


def test_the_journal_arrives_whole_and_in_order(journal: Journal, postgres_url: str) -> None:
    journal.append(DAY)
    ship_all(journal, postgres_url)
    query = text("SELECT sequence, (extract(epoch FROM at) * 1000)::bigint, event, commands FROM journal ORDER BY 1")
    with open_database(postgres_url).connect() as connection:
        assert [JournalRow(*row) for row in connection.execute(query)] == DAY
    assert journal.shipped_sequence == len(DAY)


@settings(max_examples=6, deadline=None, phases=(Phase.generate,), suppress_health_check=list(HealthCheck))
@given(cuts=st.lists(st.integers(1, len(DAY) - 1), max_size=5), batch_rows=st.integers(3, 60))
def test_any_cut_and_any_restart_give_the_same_tables(
    tmp_path_factory: pytest.TempPathFactory,
    postgres_url: str,
    whole_day: Tables,
    cuts: list[int],
    batch_rows: int,
) -> None:
    empty(postgres_url)
    folder = tmp_path_factory.mktemp("journal")
    for begin, end in pairwise(sorted({0, *cuts, len(DAY)})):  # each piece by a new writer with a new shipper
        with Journal.open(folder, SESSION) as journal:
            journal.append(DAY[begin:end])
            ship_all(journal, postgres_url, batch_rows)
    assert tables(postgres_url) == whole_day


def test_the_tables_say_what_happened(whole_day: Tables) -> None:
    assert {name: len(rows) for name, rows in whole_day.items() if rows} == {
        "sessions": 1,
        "journal": len(DAY),
        "decisions": sum(row.event.startswith('{"type":"PredictionReceived"') for row in DAY),
        "orders": 36,
        "executions": len(
            {exec_id for row in DAY for exec_id in re.findall(r'"exec_id":"(.*?)","order_ref"', row.event)}
        ),
        "commissions": len(
            {exec_id for row in DAY for exec_id in re.findall(r'"exec_id":"(.*?)","commission":"', row.event)}
        ),
        "trades": 12,
        "alerts": 2,
    }
    assert {row["net_pnl"] for row in whole_day["trades"]} == {"13.00"}
    assert {(row["leg"], row["status"]) for row in whole_day["orders"]} == {
        ("entry", "Filled"),
        ("target", "Filled"),
        ("stop", "Cancelled"),
    }
    assert all(row["ended_at"] != "None" for row in whole_day["orders"])
    link, nul = sorted(whole_day["alerts"], key=lambda row: row["key"])
    assert (link["cleared_text"], nul["cleared_at"]) == ("back", "None")
    assert (nul["title"], nul["text"]) == ("half a pair ?", "a NUL \N{REPLACEMENT CHARACTER} inside")
    (session,) = whole_day["sessions"]
    assert (session["phase"], session["phase_reason"], session["halted_at"]) == ("closed", "flat", "None")
